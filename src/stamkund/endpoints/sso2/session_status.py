"""Sessions as sites' servers use them: begun without a browser, asked about, ended for all sites."""

from __future__ import annotations

from stamkund.endpoints.sso2.operation import sso_operation
from stamkund.endpoints.sso2.request import CREATE_SESSION_VALID_SECONDS, SsoRequest
from stamkund.endpoints.sso2.session_token import SessionToken, new_ticket, not_found_token, session_token
from stamkund.rules.session import LOGGED_IN, TERMINATED
from stamkund.wire.endpoint import Limit
from stamkund.wire.limits import SESSION_LIMIT


@sso_operation(
    "/createsession",
    "Create session",
    limit=Limit(SESSION_LIMIT),
    valid_seconds=CREATE_SESSION_VALID_SECONDS,
    describes_visitor=True,
)
async def create_session(request: SsoRequest) -> SessionToken:
    """Begins an anonymous session for an app, which has no browser to be identified by.

    The session is this client's alone: no other site can ask about it. Its `sid` is in the response. It lives for a day
    until it is used. The request must say whose it is by `uas`, `ipa` or `apn`, as the documented one does: the token
    of a link to "Identify", which every visitor sees, begins none.
    """
    call = request.call
    call.services.limits.client(SESSION_LIMIT, request.organisation.id, request.client.id, call.now)
    session, _ = await call.services.sessions.begin(request.organisation.id, call.now, request.client.id)
    return session_token(request, session)


@sso_operation("/sessionstatus", "Session status")
async def session_status(request: SsoRequest) -> SessionToken:
    """Tells whether a reader is logged in to a session: claim `sts`, one of `anon`, `loggedin` and `terminated`.

    Where a reader is logged in and the site's last known status (`lks`) is another one, `at` is a fresh ticket. For a
    session that is unknown, expired, another organisation's or another app's, `err` is `session_not_found`.
    """
    session = request.session
    if session is None:
        return not_found_token(request)
    ticket = ""
    if session.logged_in_account is not None and request.claims.lks != LOGGED_IN:
        ticket = await new_ticket(request, session)
    return session_token(request, session, ticket)


@sso_operation("/logout", "Log out")
async def log_out(request: SsoRequest) -> SessionToken:
    """Ends a session for all sites of the organisation: each gets `terminated` at its next request."""
    if request.session is None:
        return not_found_token(request)
    call = request.call
    ended = await call.services.store.sessions.terminate(
        request.organisation.id, request.sid, call.now, request.client.id, call.services.audit_budget.admit
    )
    if ended is None:
        return not_found_token(request)
    ended.status = TERMINATED
    return session_token(request, ended)
