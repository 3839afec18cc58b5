"""Activate candidate: a customer of the subscription system gets an account, with e-mail and password."""

from __future__ import annotations

from typing import Any

from stamkund import problems
from stamkund.endpoints.accounts.accepted_permissions import accepted_permissions
from stamkund.problems import Problem, Refused
from stamkund.rules import identifiers, scopes, values
from stamkund.rules.account import Account, MarketingPermission
from stamkund.rules.customer import Customer, account_of
from stamkund.rules.identifiers import Identifier
from stamkund.rules.person_number import with_century_of
from stamkund.rules.timestamps import zone
from stamkund.store import Candidate, UniqueConflict
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Limit, endpoint
from stamkund.wire.limits import ACTIVATION_LIMIT
from stamkund.wire.parameters import Parameter
from stamkund.wire.password_parameter import check_password
from stamkund.wire.response import Created

CANDIDATE = Parameter("account_candidate_id", values.ID, "The id that Get account candidate returned.", required=True)
EMAIL = Parameter(
    "email",
    values.EMAIL,
    "The account's e-mail address, used to log in. Unique in the organisation.",
    required=True,
)
PASSWORD = Parameter("password", values.PASSWORD, "The account's password.", required=True)
FIRST_NAME = Parameter("first_name", values.TEXT, "First name; else the customer's.")
LAST_NAME = Parameter("last_name", values.TEXT, "Last name; else the customer's.")
MOBILE = Parameter("mobile_phone_number", values.MOBILE, "Mobile phone number; else the customer's.")
PERSON_NUMBER = Parameter(
    "social_security_number",
    values.PERSON_NUMBER,
    "Social security number. Unique in the organisation; must be the candidate's where the candidate has one.",
)
COMPANY_NUMBER = Parameter("company_registration_number", values.COMPANY_NUMBER, "Company registration number.")
ORIGIN = Parameter("account_origin", values.TEXT, "Where the account comes from, such as the newspaper's title.")
CUSTOMER_NUMBER = Parameter(
    "customer_number", values.CUSTOMER_NUMBER, "The candidate's customer number; another one is refused."
)
BIRTH_DATE = Parameter("birth_date", values.BIRTH_DATE, "Birth date; else the customer's.")
ALIAS = Parameter("alias", values.ALIAS, "The account's alias. Unique in the organisation.")
PERMISSIONS = Parameter(
    "marketing_permissions", values.PERMISSIONS, "Ids of accepted marketing permissions, separated by commas."
)

_OVERRIDING: tuple[Parameter[Any], ...] = (FIRST_NAME, LAST_NAME, MOBILE, COMPANY_NUMBER, ORIGIN, BIRTH_DATE)
"""What replaces the customer's data where it is given."""
_OWN_DATA = (FIRST_NAME, LAST_NAME, MOBILE, ALIAS)
"""What a password must not be made of, beside the customer's data."""
_UNKNOWN_PERMISSION = problems.unknown_permission(PERMISSIONS.name)
_OTHER_PERSON_NUMBER = problems.not_the_candidates(PERSON_NUMBER.name)
_OTHER_CUSTOMER_NUMBER = problems.not_the_candidates(CUSTOMER_NUMBER.name)
_CONFLICTS: dict[str, Problem] = {
    identifiers.EMAIL: problems.EMAIL_TAKEN,
    identifiers.ALIAS: problems.ALIAS_TAKEN,
    identifiers.EXTERNAL_ID: problems.EXTERNAL_ID_TAKEN,
}


def requested_identifiers(call: Call) -> list[Identifier]:
    """What is to be activated, and with which e-mail."""
    return [Identifier(identifiers.ID, call.parameters[CANDIDATE]), identifiers.email(call.parameters[EMAIL])]


def requested_numbers(call: Call) -> list[Identifier]:
    """The candidate, on whom numbers could be tried out."""
    return [Identifier(identifiers.ID, call.parameters[CANDIDATE])]


@endpoint(
    "POST",
    "/external/api/v1/account/activate_candidate",
    "/external/api/v1/accounts/activate_candidate",
    scope=scopes.ACCOUNT_WRITE,
    parameters=(
        CANDIDATE,
        EMAIL,
        PASSWORD,
        FIRST_NAME,
        LAST_NAME,
        MOBILE,
        PERSON_NUMBER,
        COMPANY_NUMBER,
        ORIGIN,
        CUSTOMER_NUMBER,
        BIRTH_DATE,
        ALIAS,
        PERMISSIONS,
    ),
    body="json",
    limit=Limit(ACTIVATION_LIMIT, requested_identifiers),
    numbers=requested_numbers,
    success=201,
    refusals=(
        _UNKNOWN_PERMISSION,
        problems.CANDIDATE_NOT_FOUND,
        _OTHER_PERSON_NUMBER,
        _OTHER_CUSTOMER_NUMBER,
        problems.CUSTOMER_TAKEN,
        problems.EMAIL_TAKEN,
        problems.ALIAS_TAKEN,
        problems.EXTERNAL_ID_TAKEN,
        problems.BUSY,
    ),
    about=About(
        title="Activate candidate",
        group="Account",
        source='document "Activate candidate"',
        response=Created,
        example=Example(
            body='{"account_candidate_id": "585a4768edce2c5e6f000001", "email": "ove.ovesson@example.com", '
            '"password": "Df7Vdd8!!vnM"}',
            response="activate_candidate",
        ),
    ),
)
async def activate_candidate(call: Call) -> Created:
    """Makes an account of a candidate: active, verified, with the customer's data and all its subscriptions.

    What the caller sends overrides the customer's data. Of any number of simultaneous activations of one candidate, or
    with one e-mail, exactly one succeeds. Numbers that are not the candidate's are limited per minute (429).
    """
    permissions = accepted_permissions(call, PERMISSIONS)
    await _check_candidate(call, is_first=True)
    email = identifiers.email(call.parameters[EMAIL]).value
    requester = call.requester(f"email {call.caller.organisation.id} {email}")
    password_hash = await call.services.passwords.hash(
        call.parameters[PASSWORD], lambda: _check_candidate(call), requester
    )
    try:
        _, account_id = await call.services.store.accounts.activate(
            call.caller.organisation.id,
            call.parameters[CANDIDATE],
            lambda customer: _account(call, customer, permissions),
            password_hash,
            call.caller.client.id,
            call.now,
        )
    except UniqueConflict as conflict:
        raise Refused(_CONFLICTS.get(conflict.kind, problems.CUSTOMER_TAKEN)) from None
    call.look_up.take_back()
    return Created(account_id)


async def _check_candidate(call: Call, *, is_first: bool = False) -> None:
    """Refuses what can be refused before the password is hashed. The store's verb decides again, in its transaction.

    The first time counts: a number that the candidate does not have is a miss unless the activation succeeds, because
    each refusal would tell whether an account has it.
    """
    parameters = call.parameters
    candidate = await call.services.store.candidates.find(
        call.caller.organisation.id,
        [Identifier(identifiers.ID, parameters[CANDIDATE])],
        parameters[EMAIL],
        parameters.get(PERSON_NUMBER),
    )
    if candidate is None:
        raise Refused(problems.CANDIDATE_NOT_FOUND)
    if is_first:
        call.look_up.check()
        if PERSON_NUMBER in parameters and candidate.customer.social_security_number is None:
            call.look_up.miss()
    _check_numbers(call, candidate)
    if candidate.in_use:
        raise Refused(problems.CUSTOMER_TAKEN)
    if candidate.email_in_use:
        raise Refused(problems.EMAIL_TAKEN)
    check_password(call, PASSWORD, candidate.customer, parameters[EMAIL], *(parameters.get(one) for one in _OWN_DATA))


def _check_numbers(call: Call, candidate: Candidate) -> None:
    """Refuses a number that is not the candidate's, and counts it."""
    customer = candidate.customer
    sent, stored = call.parameters.get(PERSON_NUMBER), customer.social_security_number
    if sent is not None and stored is not None and sent.ten != stored.ten:
        call.look_up.miss()
        raise Refused(_OTHER_PERSON_NUMBER)
    customer_number = call.parameters.get(CUSTOMER_NUMBER)
    if customer_number is not None and customer_number != customer.customer_number:
        call.look_up.miss()
        raise Refused(_OTHER_CUSTOMER_NUMBER)


def _account(call: Call, customer: Customer, permissions: list[MarketingPermission]) -> Account:
    """The customer's account, overridden by what the caller sent."""
    parameters = call.parameters
    account = account_of(customer, parameters[EMAIL], call.now)
    for parameter in _OVERRIDING:
        if parameter in parameters:
            setattr(account, parameter.name, parameters[parameter])
    account.alias = parameters.get(ALIAS) or None
    account.accepted_marketing_permissions = permissions
    account.created_from_source = f"{call.caller.client.name} {call.caller.client.id}"
    number = account.social_security_number or parameters.get(PERSON_NUMBER)
    if number is not None:
        today = zone(call.caller.organisation.timezone).today(call.now)
        account.social_security_number = with_century_of(number, account.birth_date, today)
    return account
