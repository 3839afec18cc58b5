"""What sites are answered: a token about the session, and tickets that say who is logged in."""

from __future__ import annotations

import secrets

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.caller import token_hash
from stamkund.rules.ids import new_id
from stamkund.rules.session import TERMINATED, Session
from stamkund.sso import tokens
from stamkund.sso.asking import AUDIENCE, Asking
from stamkund.store import TICKET, OneTime

LIFE_SECONDS = 60
"""How long an answer holds, and a ticket."""

SESSION_NOT_FOUND = "session_not_found"
INVALID_CREDENTIALS = "invalid_credentials"
ACCOUNT_FROZEN = "account_frozen"
ACCOUNT_NOT_ACTIVE = "account_not_active"


class SessionTokenAnswer(msgspec.Struct):
    """`t`: a JWT, HS256 with the secret that the request was signed with."""

    t: str


class SessionToken(msgspec.Struct):
    """The claims of an answer. `at`: a ticket, empty where there is none; `err`: null where nothing went wrong.

    `raa`: how many more failures freeze the login; `frf`: for how many seconds it stays frozen.
    """

    sid: str
    sts: str
    at: str
    err: str | None
    iss: str
    aud: str
    iat: int
    nbf: int
    exp: int
    raa: int | UnsetType = UNSET
    frf: int | UnsetType = UNSET


def about(asking: Asking, session: Session, ticket: str = "") -> SessionToken:
    """What is told of a session."""
    return _claims(asking, session.sid, session.status, ticket, None)


def failed(asking: Asking, session: Session, err: str, raa: int | UnsetType = UNSET) -> SessionToken:
    """That something went wrong; the session is as it was."""
    told = _claims(asking, session.sid, session.status, "", err)
    told.raa = raa
    return told


def not_found(asking: Asking) -> SessionToken:
    """That there is no such session: to the site it is over."""
    return _claims(asking, asking.sid, TERMINATED, "", SESSION_NOT_FOUND)


def _claims(asking: Asking, sid: str, status: str, ticket: str, err: str | None) -> SessionToken:
    now = asking.call.now
    return SessionToken(sid, status, ticket, err, AUDIENCE, asking.client.id, now, now, now + LIFE_SECONDS)


def text(asking: Asking, told: SessionToken) -> str:
    """An answer as its token."""
    return tokens.signed(told, asking.secret)


def answer(asking: Asking, told: SessionToken) -> SessionTokenAnswer:
    return SessionTokenAnswer(text(asking, told))


async def new_ticket(asking: Asking, account: int) -> str:
    """A ticket that lets this client, once, know who is logged in. Raises Unavailable."""
    ticket, now = secrets.token_urlsafe(32), asking.call.now
    kept = OneTime(
        hash=token_hash(ticket.encode()),
        kind=TICKET,
        client=asking.client.id,
        account=account,
        scopes=" ".join(asking.client.scopes),
        created=now,
        expires=now + LIFE_SECONDS,
        family=new_id(now),
    )
    await asking.call.services.store.tokens.add_one_time(kept)
    return ticket
