"""What sites get back: a token about the session, and tickets that say who is logged in."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.endpoints.sso2 import jwt
from stamkund.endpoints.sso2.request import AUDIENCE, SsoRequest
from stamkund.identity.tokens import CREDENTIAL_SECONDS, new_credential
from stamkund.rules.session import ANONYMOUS, TERMINATED, Session
from stamkund.store import TICKET

VALID_SECONDS = CREDENTIAL_SECONDS
"""How long a session token is valid: as long as the ticket in it."""

SESSION_NOT_FOUND = "session_not_found"
INVALID_CREDENTIALS = "invalid_credentials"
ACCOUNT_FROZEN = "account_frozen"
ACCOUNT_NOT_ACTIVE = "account_not_active"


class SessionTokenResponse(msgspec.Struct):
    """`t`: a JWT, HS256 with the secret that the request was signed with."""

    t: str


class SessionToken(msgspec.Struct):
    """Response claims for a session. `at`: a ticket, empty where there is none; `err`: null where nothing went wrong.

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


def session_token(request: SsoRequest, session: Session, ticket: str = "") -> SessionToken:
    return _token(request, session.sid, session.status, ticket, None)


def error_token(request: SsoRequest, err: str, raa: int | UnsetType = UNSET) -> SessionToken:
    """Something went wrong; the session is unchanged. For one that is unknown nobody is logged in."""
    status = ANONYMOUS if request.session is None else request.session.status
    token = _token(request, request.sid, status, "", err)
    token.raa = raa
    return token


def not_found_token(request: SsoRequest) -> SessionToken:
    """There is no such session: for the site it is terminated."""
    return _token(request, request.sid, TERMINATED, "", SESSION_NOT_FOUND)


def _token(request: SsoRequest, sid: str, status: str, ticket: str, err: str | None) -> SessionToken:
    now = request.call.now
    return SessionToken(
        sid=sid,
        sts=status,
        at=ticket,
        err=err,
        iss=AUDIENCE,
        aud=request.client.id,
        iat=now,
        nbf=now,
        exp=now + VALID_SECONDS,
    )


def signed(request: SsoRequest, token: SessionToken) -> str:
    """The token as a JWT that the client can verify."""
    return jwt.sign(token, request.secret)


async def new_ticket(request: SsoRequest, session: Session) -> str:
    """A ticket that lets this client, once, know who is logged in to a session. Raises Unavailable."""
    account, scopes, now = session.logged_in_account, " ".join(request.client.scopes), request.call.now
    assert account is not None
    authenticated = session.authenticated or now
    ticket, credential = new_credential(
        TICKET, request.client, account, scopes, now, authenticated, session=session.sid
    )
    await request.call.services.store.one_time_credentials.add(credential)
    return ticket
