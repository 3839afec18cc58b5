"""Parameters that create and update calls share: an account's own fields, by the names of its document."""

from __future__ import annotations

from stamkund.rules import account_values, values
from stamkund.wire.parameters import Parameter
from stamkund.wire.structures import ArrayType

MAX_TAGS = 50

FIRST_NAME = Parameter("first_name", values.TEXT, "First name.", unset=False)
LAST_NAME = Parameter("last_name", values.TEXT, "Last name.", unset=False)
BIRTH_DATE = Parameter("birth_date", values.BIRTH_DATE, "Birth date.", unset=False)
ORIGIN = Parameter(
    "account_origin",
    values.TEXT,
    "Where the account comes from, such as the newspaper's title. It never changes once it is set.",
    unset=False,
)
MOBILE = Parameter("mobile_phone_number", values.MOBILE, "Mobile phone number.", unset=True)
PERSON_NUMBER = Parameter(
    "social_security_number", values.PERSON_NUMBER, "Social security number. Unique in the organisation.", unset=False
)
ALIAS = Parameter("alias", values.ALIAS_KEY, "The account's alias. Unique in the organisation.", unset=True)
COMPANY_NUMBER = Parameter(
    "company_registration_number",
    account_values.COMPANY_NUMBER,
    "Company registration number, Swedish or Finnish.",
    unset=True,
)
COMPANY_NAME = Parameter("company_name", values.TEXT, "The company's name.", unset=True)
TAGS = Parameter(
    "tags",
    ArrayType(account_values.TAG, MAX_TAGS, unique=True),
    "The account's tags, which replace those before. The order stays, doubles are dropped.",
    unset=True,
)
