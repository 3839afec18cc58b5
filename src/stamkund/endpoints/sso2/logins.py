"""Logging a reader in to a session: by e-mail and password from a site's own form, or by a ticket."""

from __future__ import annotations

from stamkund import problems
from stamkund.endpoints.sso2 import session_token as answers
from stamkund.endpoints.sso2.operation import operation
from stamkund.endpoints.sso2.request import TOKEN, SsoRequest, asked
from stamkund.endpoints.sso2.session_token import SessionToken, SessionTokenResponse
from stamkund.identity.logins import LoginLocked, WrongPassword, parse_username
from stamkund.identity.tokens import token_digest
from stamkund.rules import identifiers
from stamkund.rules.session import Session
from stamkund.store import NotActive
from stamkund.wire.endpoint import Call, Limit

LIMIT = "login"


@operation(
    "/authenticate",
    "Authenticate",
    refusals=(problems.INVALID_SSO_TOKEN, problems.UNAVAILABLE, problems.BUSY),
    limit=Limit(LIMIT),
)
async def authenticate(call: Call) -> SessionTokenResponse:
    """Logs a reader in to a session with e-mail (`usr`) and password (`pwd`), for all sites of the organisation.

    The answer says `loggedin` and has a ticket in `at`. Else `err` is `invalid_credentials`, with the attempts that are
    left in `raa`, or `account_frozen`, with the seconds that it lasts in `frf`. An account that is not active and one
    that does not exist are answered like a wrong password. Failed logins count together with those at other channels.
    """
    request = await asked(call, call.given[TOKEN])
    session = request.live
    if session is None:
        return answers.answer(request, answers.not_found(request))
    organisation, email = parse_username(request.claims.usr or "", request.organisation.id)
    call.services.limits.client(LIMIT, request.client.id, call.now)
    call.services.limits.identifier(LIMIT, request.organisation.id, identifiers.email(email), call.now)
    try:
        row = await call.services.logins.log_in(request.context(), organisation, email, request.claims.pwd or "")
        told = await _let_in(request, session, row)
    except WrongPassword as wrong:
        told = answers.failed(request, session, answers.INVALID_CREDENTIALS, raa=wrong.remaining)
    except NotActive:  # since its password was checked
        told = answers.failed(
            request, session, answers.INVALID_CREDENTIALS, raa=call.services.logins.policy.max_failures
        )
    except LoginLocked as frozen:
        told = answers.failed(request, session, answers.ACCOUNT_FROZEN)
        told.frf = max(1, frozen.until - call.now)
    return answers.answer(request, told)


async def _let_in(request: SsoRequest, session: Session, row: int) -> SessionToken:
    """Raises NotActive."""
    call, organisation = request.call, request.organisation.id
    ends = call.services.sessions.expiry(call.now)
    store = call.services.store.sessions
    changed = await store.log_in(organisation, session.sid, row, call.now, ends, request.client.id)
    if changed is None:
        return answers.not_found(request)
    return answers.about(request, changed, await answers.new_ticket(request, row))


@operation(
    "/authenticatewithticket",
    "Authenticate with ticket",
    refusals=(problems.INVALID_SSO_TOKEN, problems.UNAVAILABLE),
)
async def authenticate_with_ticket(call: Call) -> SessionTokenResponse:
    """Logs the reader in to a session who has the ticket in `at`, which must be this client's and works once.

    The answer says `loggedin` and has the next ticket in `at`. Else `err` is `invalid_credentials` or
    `account_not_active`; tickets freeze no login, so `raa` never falls.
    """
    request = await asked(call, call.given[TOKEN])
    session = request.live
    if session is None:
        return answers.answer(request, answers.not_found(request))
    try:
        return answers.answer(request, await _spent(request, session))
    except NotActive:
        return answers.answer(request, answers.failed(request, session, answers.ACCOUNT_NOT_ACTIVE))


async def _spent(request: SsoRequest, session: Session) -> SessionToken:
    """Raises NotActive."""
    call = request.call
    ticket = token_digest((request.claims.at or "").encode())
    ends = call.services.sessions.expiry(call.now)
    done = await call.services.store.sessions.log_in_with_ticket(
        request.organisation.id, session.sid, ticket, request.client.id, call.now, ends
    )
    if done is None:
        return answers.not_found(request)
    changed, spent = done
    if spent is None:
        most = call.services.logins.policy.max_failures
        return answers.failed(request, session, answers.INVALID_CREDENTIALS, raa=most)
    return answers.about(request, changed, await answers.new_ticket(request, spent.account))
