"""What sites are answered: a token about the session, and tickets that say who is logged in."""

from __future__ import annotations

import secrets

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.endpoints.sso2 import jwt as tokens
from stamkund.endpoints.sso2.request import AUDIENCE, SsoRequest
from stamkund.identity.tokens import token_digest
from stamkund.rules.ids import new_id
from stamkund.rules.session import TERMINATED, Session
from stamkund.store import TICKET, OneTimeCredential

LIFE_SECONDS = 60
"""How long an answer holds, and a ticket."""

SESSION_NOT_FOUND = "session_not_found"
INVALID_CREDENTIALS = "invalid_credentials"
ACCOUNT_FROZEN = "account_frozen"
ACCOUNT_NOT_ACTIVE = "account_not_active"


class SessionTokenResponse(msgspec.Struct):
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


def about(request: SsoRequest, session: Session, ticket: str = "") -> SessionToken:
    """What is told of a session."""
    return _claims(request, session.sid, session.status, ticket, None)


def failed(request: SsoRequest, session: Session, err: str, raa: int | UnsetType = UNSET) -> SessionToken:
    """That something went wrong; the session is as it was."""
    told = _claims(request, session.sid, session.status, "", err)
    told.raa = raa
    return told


def not_found(request: SsoRequest) -> SessionToken:
    """That there is no such session: to the site it is over."""
    return _claims(request, request.sid, TERMINATED, "", SESSION_NOT_FOUND)


def _claims(request: SsoRequest, sid: str, status: str, ticket: str, err: str | None) -> SessionToken:
    now = request.call.now
    return SessionToken(sid, status, ticket, err, AUDIENCE, request.client.id, now, now, now + LIFE_SECONDS)


def text(request: SsoRequest, told: SessionToken) -> str:
    """An answer as its token."""
    return tokens.signed(told, request.secret)


def answer(request: SsoRequest, told: SessionToken) -> SessionTokenResponse:
    return SessionTokenResponse(text(request, told))


async def new_ticket(request: SsoRequest, account: int) -> str:
    """A ticket that lets this client, once, know who is logged in. Raises Unavailable."""
    ticket, now = secrets.token_urlsafe(32), request.call.now
    kept = OneTimeCredential(
        organisation=request.organisation.id,
        digest=token_digest(ticket.encode()),
        kind=TICKET,
        client=request.client.id,
        account=account,
        scopes=" ".join(request.client.scopes),
        created=now,
        expires=now + LIFE_SECONDS,
        family=new_id(now),
    )
    await request.call.services.store.one_time_credentials.add(kept)
    return ticket
