"""Create account: a reader gets an account without having been a customer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from stamkund import problems
from stamkund.endpoints.accounts.accepted_permissions import accepted_permissions
from stamkund.problems import Problem, Refused
from stamkund.rules import account_values, identifiers, scopes, values
from stamkund.rules.account import ACTIVE, CREATED, Account, Address, ExternalId
from stamkund.rules.identifiers import Identifier
from stamkund.rules.ids import new_id
from stamkund.rules.mail import Mail, RegisteredAccountConfirmed
from stamkund.rules.person_number import with_century_of
from stamkund.rules.timestamps import zone
from stamkund.store import UniqueConflict
from stamkund.twins import account_fields
from stamkund.twins.addresses import PAYWAY_ADDRESS
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Limit, endpoint
from stamkund.wire.limits import CREATION_LIMIT
from stamkund.wire.parameters import Parameter
from stamkund.wire.password_parameter import check_password
from stamkund.wire.response import Created
from stamkund.wire.structures import MapType

MAX_EXTERNAL_IDS = 20

EMAIL = Parameter(
    "email",
    values.EMAIL,
    "The account's e-mail address, used to log in. Unique in the organisation.",
    required=True,
    unset=False,
)
PASSWORD = Parameter("password", values.PASSWORD, "The account's password.", required=True, unset=False)
MOBILE = replace(account_fields.MOBILE, unset=False)
PERSON_NUMBER = Parameter(
    "social_security_number",
    account_values.NEW_PERSON_NUMBER,
    "Social security number, with or without its century. Unique in the organisation.",
    unset=False,
)
COMPANY_NAME = replace(account_fields.COMPANY_NAME, unset=False)
COMPANY_NUMBER = replace(account_fields.COMPANY_NUMBER, unset=False)
EXTERNAL_IDS = Parameter(
    "external_ids",
    MapType(values.EXTERNAL_ID, values.EXTERNAL_ID, MAX_EXTERNAL_IDS, {"Key 1": "Value 1"}),
    "Ids of the account in other systems, by their keys. Each pair is unique in the organisation.",
    unset=False,
)
SOURCE = Parameter(
    "created_from_source",
    account_values.SOURCE,
    "What the account was created by. Default: name and id of the client.",
    unset=False,
)
LOGIN_DISABLED = Parameter("login_disabled", values.BOOLEAN, "`true`: nobody may log in to the account.", unset=False)
ALIAS = replace(account_fields.ALIAS, unset=False)
TAGS = replace(account_fields.TAGS, note="The account's tags. The order stays, doubles are dropped.", unset=False)
REQUIRE_VERIFICATION = Parameter(
    "require_verification",
    values.BOOLEAN,
    "`true`: the account can't be used until its e-mail is verified. Ignored where the organisation has switched "
    "verification off.",
    unset=False,
)
PERMISSIONS = Parameter(
    "marketing_permissions",
    values.PERMISSIONS,
    "Ids of accepted marketing permissions, separated by commas.",
    unset=False,
)

_OWN_DATA: tuple[Parameter[Any], ...] = (
    account_fields.FIRST_NAME,
    account_fields.LAST_NAME,
    MOBILE,
    account_fields.BIRTH_DATE,
    COMPANY_NAME,
    COMPANY_NUMBER,
    account_fields.ORIGIN,
)
"""Parameters whose values are stored as they are, under their names."""
_FIRST = (EMAIL, PASSWORD, account_fields.FIRST_NAME, account_fields.LAST_NAME)
_LATER = (
    MOBILE,
    PERSON_NUMBER,
    account_fields.BIRTH_DATE,
    COMPANY_NAME,
    COMPANY_NUMBER,
    account_fields.ORIGIN,
    EXTERNAL_IDS,
    SOURCE,
    LOGIN_DISABLED,
)

_TAKEN: dict[str, Problem] = {
    identifiers.EMAIL: problems.EMAIL_TAKEN,
    identifiers.ALIAS: problems.ALIAS_TAKEN,
    identifiers.PERSON_NUMBER: problems.PERSON_NUMBER_TAKEN,
    identifiers.EXTERNAL_ID: problems.EXTERNAL_IDS_TAKEN,
}
_EXAMPLE = Example(
    body='{"email": "kalle.anka@example.com", "password": "Df7Vdd8!!vnM", "first_name": "Kalle", "last_name": "Anka", '
    '"external_ids": {"Key 1": "Value 1"}}',
    response="create_account",
)


def requested_identifiers(call: Call) -> list[Identifier]:
    """The e-mail that the account is to have."""
    return [identifiers.email(call.parameters[EMAIL])]


@endpoint(
    "POST",
    "/external/api/v1/accounts",
    scope=scopes.ACCOUNT_WRITE,
    parameters=(*_FIRST, *_LATER),
    body="json",
    limit=Limit(CREATION_LIMIT, requested_identifiers),
    success=201,
    refusals=(problems.EMAIL_TAKEN, problems.PERSON_NUMBER_TAKEN, problems.EXTERNAL_IDS_TAKEN, problems.BUSY),
    about=About(
        title="Create account",
        group="Account",
        source='documentation page "Create account" (Account API v1)',
        response=Created,
        example=_EXAMPLE,
    ),
)
async def create_account(call: Call) -> Created:
    """Makes an account: active and verified, without subscriptions, and sends its reader a mail of welcome.

    Of any number of simultaneous calls with one e-mail exactly one succeeds. A number that only a customer of the
    subscription system has may be used; that customer can't be activated from then on. An e-mail that a customer logs
    in with, by an imported password, is in use. Numbers that are in use are limited per minute (429).
    """
    return await _create(call)


@endpoint(
    "POST",
    "/external/api/v2/accounts",
    scope=scopes.ACCOUNT_WRITE,
    parameters=(*_FIRST, ALIAS, *_LATER, PAYWAY_ADDRESS, TAGS, REQUIRE_VERIFICATION, PERMISSIONS),
    body="json",
    limit=Limit(CREATION_LIMIT, requested_identifiers),
    success=201,
    refusals=(
        problems.unknown_permission(PERMISSIONS.name),
        problems.EMAIL_TAKEN,
        problems.ALIAS_TAKEN,
        problems.PERSON_NUMBER_TAKEN,
        problems.EXTERNAL_IDS_TAKEN,
        problems.BUSY,
    ),
    about=About(
        title="Create account (v2)",
        group="Account",
        source='documentation page "Create account" (Account API v2)',
        response=Created,
        example=_EXAMPLE,
    ),
)
async def create_account_2(call: Call) -> Created:
    """Makes an account as "Create account" does, with alias, address, tags and accepted marketing permissions.

    With `require_verification` its status is `created`, and nobody can log in until its e-mail is verified. The calls
    that verify it are not there yet.
    """
    return await _create(call)


async def _create(call: Call) -> Created:
    account, organisation = _account(call), call.caller.organisation.id
    if account.social_security_number is not None:
        ten_digits = account.social_security_number.ten
        call.begin_look_up([call.services.store.documents.number_identifier(organisation, ten_digits)])
    await _check(call, account, is_first=True)
    requester = call.requester(f"email {organisation} {identifiers.email(account.email).value}")
    password_hash = await call.services.passwords.hash(
        call.parameters[PASSWORD], lambda: _check(call, account), requester
    )
    try:
        await call.services.store.accounts.create(
            organisation, account, password_hash, call.caller.client.id, call.now, _welcome(call, account)
        )
    except UniqueConflict as conflict:
        raise Refused(_TAKEN[conflict.kind]) from None
    call.look_up.take_back()
    return Created(account.id)


def _welcome(call: Call, account: Account) -> Mail | None:
    """The mail `registered_account_confirmed`; none for an account that waits for verification."""
    if account.status != ACTIVE:
        return None
    organisation = call.caller.organisation.id
    url = f"{call.services.settings.pages_url}/login?{urlencode({'oid': organisation})}"
    return Mail(organisation, account.id, account.email, RegisteredAccountConfirmed(url, account.first_name or ""))


async def _check(call: Call, account: Account, *, is_first: bool = False) -> None:
    """Refuses what can be refused before the password is hashed. The store's verb decides again, in its transaction.

    The first time counts: a social security number is a miss unless the account is made, because each refusal would
    tell whether another account has it.
    """
    kind = await call.services.store.accounts.conflict(call.caller.organisation.id, account)
    if is_first:
        call.look_up.check()
        if account.social_security_number is not None:
            call.look_up.miss()
    if kind is not None:
        raise Refused(_TAKEN[kind])
    check_password(call, PASSWORD, account)


def _account(call: Call) -> Account:
    """The account that the parameters describe. Raises Refused."""
    parameters, organisation, client = call.parameters, call.caller.organisation, call.caller.client
    waits = parameters.get(REQUIRE_VERIFICATION) is True and organisation.email_verification
    external_ids = parameters.get(EXTERNAL_IDS) or {}
    account = Account(
        id=new_id(call.now),
        email=parameters[EMAIL],
        status=CREATED if waits else ACTIVE,
        verified=not waits,
        created=call.now,
        updated=call.now,
        social_security_number=parameters.get(PERSON_NUMBER),
        alias=parameters.get(ALIAS) or None,
        created_from_source=parameters.get(SOURCE) or f"{client.name} {client.id}",
        address=parameters.get(PAYWAY_ADDRESS) or Address(),
        identity_mapping=[ExternalId(key, value) for key, value in external_ids.items()],
        accepted_marketing_permissions=accepted_permissions(call, PERMISSIONS),
        login_disabled=parameters.get(LOGIN_DISABLED) is True,
        tags=parameters.get(TAGS) or [],
    )
    for parameter in _OWN_DATA:
        setattr(account, parameter.name, parameters.get(parameter))
    number = account.social_security_number
    if number is not None:
        today = zone(organisation.timezone).today(call.now)
        account.social_security_number = with_century_of(number, account.birth_date, today)
    return account
