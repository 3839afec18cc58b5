"""Get account candidate: is this person a customer of the subscription system who has no account yet?"""

from __future__ import annotations

import msgspec

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules import identifiers, scopes, values
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier
from stamkund.rules.timestamps import Zone, zone
from stamkund.wire.endpoint import Call, Example, Item, Limit, endpoint
from stamkund.wire.parameters import Parameter, ParsedParameters

PERSON_NUMBER = Parameter(
    "social_security_number",
    values.PERSON_NUMBER_KEY,
    "The customer's social security number. Needed unless `customer_number` is given.",
)
CUSTOMER_NUMBER = Parameter(
    "customer_number",
    values.CUSTOMER_NUMBER,
    "The customer's number in the subscription system. Needed unless `social_security_number` is given.",
)
ZIP_CODE = Parameter(
    "zip_code",
    values.ZIP_CODE,
    "The customer's zip code; when given it must match as well, without regard to case and blanks.",
)


class CandidateProduct(msgspec.Struct):
    """A subscription of the candidate that is not over. `valid_to` is null when no end is known."""

    product_code: str
    valid_to: str | None


class AccountCandidate(msgspec.Struct):
    """Keys and order of the document "Get account candidate"."""

    account_candidate_id: str
    email: str | None
    first_name: str | None
    last_name: str | None
    mobile_phone_number: str | None
    social_security_number: str | None
    customer_number: str
    zip_code: str | None
    products: list[CandidateProduct]


class CandidateResponse(msgspec.Struct):
    item: AccountCandidate


_ANSWER = """
{
    "item": {
        "account_candidate_id": "585a4768edce2c5e6f000001",
        "email": "ove.ovesson@example.com",
        "first_name": "Ove",
        "last_name": "Ovesson",
        "mobile_phone_number": "0701234567",
        "social_security_number": "620817-9256",
        "customer_number": "100001",
        "zip_code": "43921",
        "products": [
            {
                "product_code": "package_code",
                "valid_to": "2016-08-02T13:00:00+02:00"
            }
        ]
    }
}
"""


def one_needed(given: ParsedParameters) -> None:
    """One of `social_security_number` and `customer_number` must be given; both must mean the same customer."""
    if PERSON_NUMBER not in given and CUSTOMER_NUMBER not in given:
        raise Refused(problems.one_required([PERSON_NUMBER.name, CUSTOMER_NUMBER.name]))


def asked(call: Call) -> list[Identifier]:
    """What the customer is looked for by."""
    found = []
    if (number := call.given.get(PERSON_NUMBER)) is not None:
        found.append(Identifier(identifiers.PERSON_NUMBER, call.services.vault.number_lookup_hash(number)))
    if (customer := call.given.get(CUSTOMER_NUMBER)) is not None:
        found.append(Identifier(identifiers.CUSTOMER_NUMBER, customer))
    return found


@endpoint(
    "GET",
    "/external/api/v1/accounts/candidate",
    title="Get account candidate",
    source='document "Get account candidate", release 3.9.1',
    scope=scopes.ACCOUNT_READ,
    parameters=(PERSON_NUMBER, CUSTOMER_NUMBER, ZIP_CODE),
    check=one_needed,
    limit=Limit("candidate", asked),
    answer=CandidateResponse,
    refusals=(problems.ACCOUNT_NOT_FOUND, problems.CUSTOMER_TAKEN),
    example=Example(query="social_security_number=620817-9256&zip_code=43921", answer=_ANSWER),
)
async def get_candidate(call: Call) -> Item:
    """Finds a customer of the subscription system who can be activated as an account.

    Everything that is given must match the same customer, or the answer is 404. Asking again gives the same
    `account_candidate_id`. A customer who has an account already, or whose number an account uses, answers 409.
    """
    found = await call.services.store.candidates.find(call.caller.organisation.id, asked(call))
    zip_code = call.given.get(ZIP_CODE)
    if found is None or (zip_code is not None and not found.customer.lives_at(zip_code)):
        raise Refused(problems.ACCOUNT_NOT_FOUND)
    if found.in_use:
        raise Refused(problems.CUSTOMER_TAKEN)
    return Item(_shown(found.customer, zone(call.caller.organisation.timezone), call.now))


def _shown(customer: Customer, local: Zone, now: int) -> AccountCandidate:
    number = customer.social_security_number
    return AccountCandidate(
        account_candidate_id=customer.id,
        email=customer.email,
        first_name=customer.first_name,
        last_name=customer.last_name,
        mobile_phone_number=customer.mobile_phone_number,
        social_security_number=number.ten if number else None,
        customer_number=customer.customer_number,
        zip_code=customer.effective_zip_code(),
        products=[
            CandidateProduct(s.package_code, local.format_optional(s.valid_to))
            for s in customer.current_subscriptions(now)
        ],
    )
