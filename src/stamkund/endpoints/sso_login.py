"""Logging a reader in to a session: by e-mail and password from a site's own form, or by a ticket."""

from __future__ import annotations

from stamkund import problems
from stamkund.caller import token_hash
from stamkund.logins import Frozen, WrongPassword, named
from stamkund.rules import identifiers
from stamkund.rules.session import Session
from stamkund.sso import answers
from stamkund.sso.answers import SessionToken, SessionTokenAnswer
from stamkund.sso.asking import TOKEN, Asking, asked
from stamkund.sso.operation import operation
from stamkund.store import NotActive
from stamkund.wire.endpoint import Call, Limit

LIMIT = "login"


@operation(
    "/authenticate",
    "Authenticate",
    refusals=(problems.INVALID_SSO_TOKEN, problems.UNAVAILABLE, problems.BUSY),
    limit=Limit(LIMIT),
)
async def authenticate(call: Call) -> SessionTokenAnswer:
    """Logs a reader in to a session with e-mail (`usr`) and password (`pwd`), for all sites of the organisation.

    The answer says `loggedin` and has a ticket in `at`. Else `err` is `invalid_credentials`, with the attempts that are
    left in `raa`, or `account_frozen`, with the seconds that it lasts in `frf`. An account that is not active and one
    that does not exist are answered like a wrong password. Failed logins count together with those at other doors.
    """
    asking = await asked(call, call.given[TOKEN])
    session = asking.live
    if session is None:
        return answers.answer(asking, answers.not_found(asking))
    organisation, email = named(asking.claims.usr or "", asking.organisation.id)
    call.services.limits.client(LIMIT, asking.client.id, call.now)
    call.services.limits.identifier(LIMIT, asking.organisation.id, identifiers.email(email), call.now)
    try:
        row = await call.services.logins.log_in(asking.visit(), organisation, email, asking.claims.pwd or "")
        told = await _let_in(asking, session, row)
    except WrongPassword as wrong:
        told = answers.failed(asking, session, answers.INVALID_CREDENTIALS, raa=wrong.remaining)
    except NotActive:  # since its password was checked
        told = answers.failed(asking, session, answers.INVALID_CREDENTIALS, raa=call.services.logins.policy.most)
    except Frozen as frozen:
        told = answers.failed(asking, session, answers.ACCOUNT_FROZEN)
        told.frf = max(1, frozen.until - call.now)
    return answers.answer(asking, told)


async def _let_in(asking: Asking, session: Session, row: int) -> SessionToken:
    """Raises NotActive."""
    call, organisation = asking.call, asking.organisation.id
    ends = call.services.sessions.ends(call.now)
    store = call.services.store.sessions
    changed = await store.log_in(organisation, session.sid, row, call.now, ends, asking.client.id)
    if changed is None:
        return answers.not_found(asking)
    return answers.about(asking, changed, await answers.new_ticket(asking, row))


@operation(
    "/authenticatewithticket",
    "Authenticate with ticket",
    refusals=(problems.INVALID_SSO_TOKEN, problems.UNAVAILABLE),
)
async def authenticate_with_ticket(call: Call) -> SessionTokenAnswer:
    """Logs the reader in to a session who has the ticket in `at`, which must be this client's and works once.

    The answer says `loggedin` and has the next ticket in `at`. Else `err` is `invalid_credentials` or
    `account_not_active`; tickets freeze no login, so `raa` never falls.
    """
    asking = await asked(call, call.given[TOKEN])
    session = asking.live
    if session is None:
        return answers.answer(asking, answers.not_found(asking))
    try:
        return answers.answer(asking, await _spent(asking, session))
    except NotActive:
        return answers.answer(asking, answers.failed(asking, session, answers.ACCOUNT_NOT_ACTIVE))


async def _spent(asking: Asking, session: Session) -> SessionToken:
    """Raises NotActive."""
    call = asking.call
    ticket = token_hash((asking.claims.at or "").encode())
    ends = call.services.sessions.ends(call.now)
    done = await call.services.store.sessions.log_in_with_ticket(
        asking.organisation.id, session.sid, ticket, asking.client.id, call.now, ends
    )
    if done is None:
        return answers.not_found(asking)
    changed, spent = done
    if spent is None:
        most = call.services.logins.policy.most
        return answers.failed(asking, session, answers.INVALID_CREDENTIALS, raa=most)
    return answers.about(asking, changed, await answers.new_ticket(asking, spent.account))
