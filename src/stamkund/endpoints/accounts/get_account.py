"""Get account: one account by any of its identifiers."""

from __future__ import annotations

import msgspec

from stamkund import problems
from stamkund.problems import Refused
from stamkund.representations.accounts import ACCOUNT, AccountItem
from stamkund.rules import identifiers, scopes, values
from stamkund.rules.account import Account
from stamkund.rules.identifiers import Identifier
from stamkund.rules.timestamps import zone
from stamkund.store import NumberLookup
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Loads, endpoint
from stamkund.wire.parameters import Parameter, ParsedParameters
from stamkund.wire.response import Item
from stamkund.wire.services import Services

ID = Parameter("id", values.ID, "The account's id.")
EMAIL = Parameter("email", values.EMAIL, "The account's e-mail address, without regard to case. URL-encoded.")
PERSON_NUMBER = Parameter("social_security_number", values.PERSON_NUMBER_KEY, "The account's social security number.")
CUSTOMER_NUMBER = Parameter("customer_number", values.CUSTOMER_NUMBER, "The account's customer number.")
EXTERNAL_KEY = Parameter(
    "external_id_key",
    values.EXTERNAL_ID,
    "The key of one of the account's external ids. With `external_id_value`.",
)
EXTERNAL_VALUE = Parameter(
    "external_id_value", values.EXTERNAL_ID, "The value of that external id. With `external_id_key`."
)
ALIAS = Parameter("alias", values.ALIAS_KEY, "The account's alias.")
TULO_NUMBER = Parameter("tulo_customer_number", values.TULO_CUSTOMER_NUMBER, "The account's own customer number here.")

KEYS = (ID, EMAIL, PERSON_NUMBER, CUSTOMER_NUMBER, EXTERNAL_KEY, ALIAS, TULO_NUMBER)
_DOCUMENTED_KEYS = tuple(p.name for p in (ID, EMAIL, PERSON_NUMBER, CUSTOMER_NUMBER, EXTERNAL_KEY))


class AccountResponse(msgspec.Struct):
    item: AccountItem


def exactly_one(parameters: ParsedParameters) -> None:
    """The external id is one key of two halves; of all keys exactly one must be given."""
    if len(parameters) == 1 and EXTERNAL_KEY not in parameters and EXTERNAL_VALUE not in parameters:
        return
    for half, other_half in ((EXTERNAL_KEY, EXTERNAL_VALUE), (EXTERNAL_VALUE, EXTERNAL_KEY)):
        if half in parameters and other_half not in parameters:
            raise Refused(problems.required(other_half.name))
    keys = [p.name for p in KEYS if p in parameters]
    if not keys:
        raise Refused(problems.one_required(_DOCUMENTED_KEYS))
    if len(keys) > 1:
        raise Refused(problems.only_one(keys))


def requested_account(parameters: ParsedParameters, _: Services) -> Identifier | NumberLookup:
    """What the query names the account by."""
    if (email := parameters.get(EMAIL)) is not None:
        return identifiers.email(email)
    if (number := parameters.get(PERSON_NUMBER)) is not None:
        return NumberLookup(number)
    if EXTERNAL_KEY in parameters:
        return identifiers.external_id(parameters[EXTERNAL_KEY], parameters[EXTERNAL_VALUE])
    (name,) = parameters.names()
    return Identifier(name, next(str(parameters[p]) for p in KEYS if p.name == name))


def requested_numbers(call: Call) -> list[Identifier]:
    """What the query names the account by, if that is a number: others can't be guessed, or are no secret."""
    if (number := call.parameters.get(PERSON_NUMBER)) is not None:
        return [call.services.store.documents.number_identifier(call.caller.organisation.id, number)]
    for parameter in (CUSTOMER_NUMBER, TULO_NUMBER):
        if (value := call.parameters.get(parameter)) is not None:
            return [Identifier(parameter.name, value)]
    return []


@endpoint(
    "GET",
    "/external/api/v1/accounts",
    scope=scopes.ACCOUNT_WRITE,
    parameters=(
        ID,
        EMAIL,
        PERSON_NUMBER,
        CUSTOMER_NUMBER,
        EXTERNAL_KEY,
        EXTERNAL_VALUE,
        ALIAS,
        TULO_NUMBER,
    ),
    check=exactly_one,
    loads=Loads(account=requested_account, missing=problems.ACCOUNT_NOT_FOUND),
    numbers=requested_numbers,
    about=About(
        title="Get account",
        group="Account",
        source='document "Get account" (/accounts), release 3.9.1',
        response=AccountResponse,
        example=Example(query="email=kalle.anka%40example.com", response="get_account"),
    ),
)
async def get_account(call: Call, account: Account) -> Item:
    """Returns one account with its subscriptions, found by exactly one of its identifiers.

    To learn what the reader may read, ask for the active products instead. Look-ups by a social security number or a
    customer number that find nobody are limited per minute, for each number and each client, together with those of
    "Get account candidate" (429).
    """
    return Item(ACCOUNT.of(account, zone(call.caller.organisation.timezone), call.now))
