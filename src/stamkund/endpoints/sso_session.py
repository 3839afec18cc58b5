"""Sessions as sites' servers ask about them: begun without a browser, asked after, ended for all sites."""

from __future__ import annotations

from stamkund import problems
from stamkund.rules.session import LOGGED_IN, TERMINATED
from stamkund.sso import answers
from stamkund.sso.answers import SessionTokenAnswer
from stamkund.sso.asking import TOKEN, asked
from stamkund.sso.operation import operation
from stamkund.wire.endpoint import Call


@operation(
    "/createsession",
    "Create session",
    refusals=(problems.INVALID_SSO_TOKEN, problems.UNAVAILABLE),
)
async def create_session(call: Call) -> SessionTokenAnswer:
    """Begins an anonymous session for an app, which has no browser to be identified by.

    The session is this client's alone: no other site can ask about it. Its `sid` is in the answer.
    """
    asking = await asked(call, call.given[TOKEN])
    session, _ = await call.services.sessions.begin(asking.organisation.id, call.now, asking.client.id)
    return answers.answer(asking, answers.about(asking, session))


@operation(
    "/sessionstatus",
    "Session status",
    refusals=(problems.INVALID_SSO_TOKEN, problems.UNAVAILABLE),
)
async def session_status(call: Call) -> SessionTokenAnswer:
    """Tells whether a reader is logged in to a session: claim `sts`, one of `anon`, `loggedin` and `terminated`.

    Where a reader is logged in and the site's last known status (`lks`) is another one, `at` is a fresh ticket. A
    session that is unknown, over, another organisation's or another app's is `err` `session_not_found`.
    """
    asking = await asked(call, call.given[TOKEN])
    session = asking.session
    if session is None:
        return answers.answer(asking, answers.not_found(asking))
    ticket = ""
    if session.reader is not None and asking.claims.lks != LOGGED_IN:
        ticket = await answers.new_ticket(asking, session.reader)
    return answers.answer(asking, answers.about(asking, session, ticket))


@operation(
    "/logout",
    "Log out",
    refusals=(problems.INVALID_SSO_TOKEN, problems.UNAVAILABLE),
)
async def log_out(call: Call) -> SessionTokenAnswer:
    """Ends a session for all sites of the organisation: each is told `terminated` when it asks the next time."""
    asking = await asked(call, call.given[TOKEN])
    if asking.session is None:
        return answers.answer(asking, answers.not_found(asking))
    organisation, client = asking.organisation.id, asking.client.id
    ended = await call.services.store.sessions.terminate(organisation, asking.sid, call.now, client)
    if ended is None:
        return answers.answer(asking, answers.not_found(asking))
    ended.status = TERMINATED
    return answers.answer(asking, answers.about(asking, ended))
