"""Get account candidate: is this person a customer of the subscription system who has no account yet?"""

from __future__ import annotations

import msgspec

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules import identifiers, scopes, values
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier
from stamkund.rules.timestamps import Zone, zone
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Limit, endpoint
from stamkund.wire.limits import CANDIDATE_LIMIT
from stamkund.wire.parameters import Parameter, ParsedParameters
from stamkund.wire.response import Item

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
_WRONG_ZIP_CODE = 2
"""How many misses a wrong zip code counts: somebody who tries them has a number already."""


class CandidateProduct(msgspec.Struct):
    """A subscription of the candidate that has not ended. `valid_to` is null when no end is known."""

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


def one_required(parameters: ParsedParameters) -> None:
    """One of `social_security_number` and `customer_number` must be given; both must mean the same customer."""
    if PERSON_NUMBER not in parameters and CUSTOMER_NUMBER not in parameters:
        raise Refused(problems.one_required([PERSON_NUMBER.name, CUSTOMER_NUMBER.name]))


def requested_identifiers(call: Call) -> list[Identifier]:
    """What the customer is looked up by."""
    requested = []
    if (number := call.parameters.get(PERSON_NUMBER)) is not None:
        documents, organisation = call.services.store.documents, call.caller.organisation
        requested.append(documents.number_identifier(organisation.id, number))
    if (customer_number := call.parameters.get(CUSTOMER_NUMBER)) is not None:
        requested.append(Identifier(identifiers.CUSTOMER_NUMBER, customer_number))
    return requested


@endpoint(
    "GET",
    "/external/api/v1/accounts/candidate",
    scope=scopes.ACCOUNT_READ,
    parameters=(PERSON_NUMBER, CUSTOMER_NUMBER, ZIP_CODE),
    check=one_required,
    limit=Limit(CANDIDATE_LIMIT, requested_identifiers),
    numbers=requested_identifiers,
    refusals=(problems.ACCOUNT_NOT_FOUND, problems.CUSTOMER_TAKEN),
    about=About(
        title="Get account candidate",
        group="Account",
        source='document "Get account candidate", release 3.9.1',
        response=CandidateResponse,
        example=Example(query="social_security_number=620817-9256&zip_code=43921", response="get_candidate"),
    ),
)
async def get_candidate(call: Call) -> Item:
    """Finds a customer of the subscription system who can be activated as an account.

    Everything that is given must match the same customer, or the response is 404. Asking again gives the same
    `account_candidate_id`. For a customer who has an account already, or whose number an account uses, it is 409.
    Look-ups that find nobody are limited per minute, for each number and each client (429).
    """
    candidate = await call.services.store.candidates.find(call.caller.organisation.id, requested_identifiers(call))
    call.look_up.check()
    zip_code = call.parameters.get(ZIP_CODE)
    if candidate is None:
        call.look_up.miss()
        raise Refused(problems.ACCOUNT_NOT_FOUND)
    if zip_code is not None and not candidate.customer.lives_at(zip_code):
        call.look_up.miss(_WRONG_ZIP_CODE)
        raise Refused(problems.ACCOUNT_NOT_FOUND)
    if candidate.in_use:
        raise Refused(problems.CUSTOMER_TAKEN)
    return Item(_candidate(candidate.customer, zone(call.caller.organisation.timezone), call.now))


def _candidate(customer: Customer, local: Zone, now: int) -> AccountCandidate:
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
