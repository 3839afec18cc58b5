"""Get authentication attempts: whether a login is frozen. Clients in the field ask before they log a reader in."""

from __future__ import annotations

import msgspec

from stamkund import problems
from stamkund.endpoints.accounts.login_lookup import requested_login
from stamkund.rules import identifiers, scopes, values
from stamkund.rules.timestamps import zone
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import endpoint
from stamkund.wire.parameters import Parameter
from stamkund.wire.response import Item

EMAIL = Parameter("email", values.EMAIL, "The e-mail address that the reader logs in with.", required=True)


class AuthenticationAttempts(msgspec.Struct):
    """Keys and order of the page "Get authentication attempts". `frozen_until`: null unless the login is frozen."""

    account_frozen: bool
    remaining_authentication_attempts: int
    frozen_until: str | None


class AuthenticationAttemptsResponse(msgspec.Struct):
    item: AuthenticationAttempts


@endpoint(
    "GET",
    "/external/api/v1/accounts/get_authentication_attempts",
    scope=scopes.ACCOUNT_READ,
    parameters=(EMAIL,),
    refusals=(problems.ACCOUNT_NOT_FOUND,),
    about=About(
        title="Get authentication attempts",
        group="Account",
        source='page "Get authentication attempts"',
        response=AuthenticationAttemptsResponse,
        example=Example(query="email=ove.ovesson%40example.com", response="get_authentication_attempts"),
    ),
)
async def get_authentication_attempts(call: Call) -> Item:
    """Tells whether a login is frozen, and how many more failed attempts in a row freeze it.

    A customer with an imported password who has not logged in yet is found as well.
    """
    login = await requested_login(call, [identifiers.email(call.parameters[EMAIL])])
    lockout = login.lockout
    frozen_until = lockout.locked_until if lockout.locked(call.now) else None
    return Item(
        AuthenticationAttempts(
            account_frozen=frozen_until is not None,
            remaining_authentication_attempts=lockout.remaining(call.services.logins.policy, call.now),
            frozen_until=zone(call.caller.organisation.timezone).format_optional(frozen_until),
        )
    )
