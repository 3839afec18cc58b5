"""Sessions as sites' servers ask about them: begun without a browser, asked after, ended for all sites."""

from __future__ import annotations

from stamkund import problems
from stamkund.endpoints.sso2 import session_token as answers
from stamkund.endpoints.sso2.operation import operation
from stamkund.endpoints.sso2.request import TOKEN, asked
from stamkund.endpoints.sso2.session_token import SessionTokenResponse
from stamkund.rules.session import LOGGED_IN, TERMINATED
from stamkund.wire.endpoint import Call


@operation(
    "/createsession",
    "Create session",
    refusals=(problems.INVALID_SSO_TOKEN, problems.UNAVAILABLE),
)
async def create_session(call: Call) -> SessionTokenResponse:
    """Begins an anonymous session for an app, which has no browser to be identified by.

    The session is this client's alone: no other site can ask about it. Its `sid` is in the answer.
    """
    request = await asked(call, call.given[TOKEN])
    session, _ = await call.services.sessions.begin(request.organisation.id, call.now, request.client.id)
    return answers.answer(request, answers.about(request, session))


@operation(
    "/sessionstatus",
    "Session status",
    refusals=(problems.INVALID_SSO_TOKEN, problems.UNAVAILABLE),
)
async def session_status(call: Call) -> SessionTokenResponse:
    """Tells whether a reader is logged in to a session: claim `sts`, one of `anon`, `loggedin` and `terminated`.

    Where a reader is logged in and the site's last known status (`lks`) is another one, `at` is a fresh ticket. A
    session that is unknown, over, another organisation's or another app's is `err` `session_not_found`.
    """
    request = await asked(call, call.given[TOKEN])
    session = request.session
    if session is None:
        return answers.answer(request, answers.not_found(request))
    ticket = ""
    if session.logged_in_account is not None and request.claims.lks != LOGGED_IN:
        ticket = await answers.new_ticket(request, session.logged_in_account)
    return answers.answer(request, answers.about(request, session, ticket))


@operation(
    "/logout",
    "Log out",
    refusals=(problems.INVALID_SSO_TOKEN, problems.UNAVAILABLE),
)
async def log_out(call: Call) -> SessionTokenResponse:
    """Ends a session for all sites of the organisation: each is told `terminated` when it asks the next time."""
    request = await asked(call, call.given[TOKEN])
    if request.session is None:
        return answers.answer(request, answers.not_found(request))
    organisation, client = request.organisation.id, request.client.id
    ended = await call.services.store.sessions.terminate(organisation, request.sid, call.now, client)
    if ended is None:
        return answers.answer(request, answers.not_found(request))
    ended.status = TERMINATED
    return answers.answer(request, answers.about(request, ended))
