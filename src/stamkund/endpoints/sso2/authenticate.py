"""Logging a reader in to a session: by e-mail and password from a site's own form, or by a ticket."""

from __future__ import annotations

from stamkund import problems
from stamkund.endpoints.sso2.operation import sso_operation
from stamkund.endpoints.sso2.request import SsoRequest
from stamkund.endpoints.sso2.session_token import (
    ACCOUNT_FROZEN,
    ACCOUNT_NOT_ACTIVE,
    INVALID_CREDENTIALS,
    SessionToken,
    error_token,
    new_ticket,
    not_found_token,
    session_token,
)
from stamkund.identity.failures import TooManyFailures
from stamkund.identity.logins import AccountNotActive, LoginLocked, WrongPassword, parse_username
from stamkund.identity.tokens import token_digest
from stamkund.rules import identifiers
from stamkund.store import NotActive
from stamkund.wire.endpoint import Limit
from stamkund.wire.limits import LOGIN_LIMIT


@sso_operation("/authenticate", "Authenticate", refusals=(problems.BUSY,), limit=Limit(LOGIN_LIMIT), once=True)
async def authenticate(request: SsoRequest) -> SessionToken:
    """Logs a reader in to a session with e-mail (`usr`) and password (`pwd`), for all sites of the organisation.

    The response says `loggedin` and has a ticket in `at`. Else `err` is `invalid_credentials`, with the attempts that
    are left in `raa`, or `account_frozen`, with the seconds that it lasts in `frf`, or after the right password
    `account_not_active`. With another password such an account is refused like any, and an e-mail without account too.
    Failed logins count together with other channels'. A visitor's address (`ipa`) with too many of them, whatever the
    e-mails, gets `account_frozen` too.

    Go on with the `sid` of the response. It is another one where the session is unknown or has expired, and where the
    visitor (`uas`, `ipa`) is not the browser that was identified: that browser's session stays as it was.
    """
    if request.was_ended:
        return not_found_token(request)
    call, claims = request.call, request.claims
    organisation, email = parse_username(claims.usr or "", request.organisation.id)
    limits, own = call.services.limits, request.organisation.id
    limits.client(LOGIN_LIMIT, own, request.client.id, call.now)
    limits.identifier(LOGIN_LIMIT, own, request.client.id, identifiers.email(email), call.now)
    try:
        account = await call.services.logins.log_in(request.login_context(), organisation, email, claims.pwd or "")
        return await _logged_in(request, account)
    except (AccountNotActive, NotActive):  # inactive before its password was checked, or since
        return error_token(request, ACCOUNT_NOT_ACTIVE)
    except WrongPassword as wrong:
        return error_token(request, INVALID_CREDENTIALS, raa=wrong.remaining)
    except LoginLocked as locked:
        return _frozen_token(request, locked.until - call.now)
    except TooManyFailures as failures:
        return _frozen_token(request, failures.seconds)


def _frozen_token(request: SsoRequest, seconds: int) -> SessionToken:
    token = error_token(request, ACCOUNT_FROZEN)
    token.frf = max(1, seconds)
    return token


async def _logged_in(request: SsoRequest, account: int) -> SessionToken:
    """Raises NotActive."""
    call = request.call
    session = await call.services.store.sessions.log_in(
        request.organisation.id,
        request.sid,
        account,
        call.now,
        call.services.sessions.lifetime.expiry(call.now, call.now),
        request.client.id,
        site_visitor=request.site_visitor(),
        admit=call.services.audit_budget.admit,
    )
    if session is None:
        return not_found_token(request)
    return session_token(request, session, await new_ticket(request, session))


@sso_operation("/authenticatewithticket", "Authenticate with ticket", once=True)
async def authenticate_with_ticket(request: SsoRequest) -> SessionToken:
    """Logs the reader in to a session who has the ticket in `at`, which must be this client's and works once.

    The response says `loggedin` and has the next ticket in `at`. Else `err` is `invalid_credentials` or
    `account_not_active`; tickets freeze no login, so `raa` never falls. Go on with the `sid` of the response, as after
    "Authenticate".
    """
    if request.was_ended:
        return not_found_token(request)
    try:
        return await _logged_in_with_ticket(request)
    except NotActive:
        return error_token(request, ACCOUNT_NOT_ACTIVE)


async def _logged_in_with_ticket(request: SsoRequest) -> SessionToken:
    """Raises NotActive."""
    call = request.call
    digest = token_digest((request.claims.at or "").encode(errors="replace"))
    result = await call.services.store.sessions.log_in_with_ticket(
        request.organisation.id,
        request.sid,
        digest,
        request.client.id,
        call.now,
        call.services.sessions.lifetime,
        request.site_visitor(),
        call.services.audit_budget.admit,
    )
    if result is None:
        return not_found_token(request)
    session, credential = result
    if credential is None:
        return error_token(request, INVALID_CREDENTIALS, raa=call.services.logins.policy.max_failures)
    if session is None:
        return not_found_token(request)
    return session_token(request, session, await new_ticket(request, session))
