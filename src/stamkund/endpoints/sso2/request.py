"""A request of a site's server: its token verified, and the session looked up, in one statement.

Whatever is wrong with the token, its signature or its client, the error is the same: 401.
"""

from __future__ import annotations

import re

import msgspec

from stamkund import problems
from stamkund.endpoints.sso2 import jwt
from stamkund.endpoints.sso2.jwt import InvalidToken, RequestClaims
from stamkund.problems import Refused
from stamkund.rules import values
from stamkund.rules.ids import parse_id
from stamkund.rules.lockout import SSO2, LoginContext
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.session import TERMINATED, Session
from stamkund.store import SessionLookup
from stamkund.wire.call import MAX_USER_AGENT_LENGTH, Call
from stamkund.wire.parameters import Parameter

AUDIENCE = "pw-sso"
"""Audience of requests, and issuer of responses."""
LEEWAY_SECONDS = 120
"""How far a site's clock may be off."""

TOKEN = Parameter("t", values.SSO_TOKEN, "The request: a JWT, HS256 with the client's secret.", required=True)

_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{1,39}")
_CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f]+")


class SsoRequest(msgspec.Struct, frozen=True):
    """A verified request. `session`: the one it is about, None where there is none that the client may know of.

    `secret`: the one of the client's secrets that it used, which the response is signed with.
    """

    call: Call
    client: Client
    organisation: Organisation
    claims: RequestClaims
    secret: str
    session: Session | None

    @property
    def sid(self) -> str:
        """The sid that was sent, whether there is such a session or not."""
        return self.claims.sid or ""

    @property
    def live_session(self) -> Session | None:
        """The session, unless it was ended."""
        return None if self.session is None or self.session.status == TERMINATED else self.session

    def login_context(self) -> LoginContext:
        """The reader's address and user agent, as the site reports them: the request comes from the site's server."""
        address, user_agent = self.claims.ipa, self.claims.uas
        return LoginContext(
            organisation=self.organisation.id,
            channel=SSO2,
            client=self.client.id,
            address=address if isinstance(address, str) and _ADDRESS.fullmatch(address) else None,
            user_agent=_printable(user_agent) if isinstance(user_agent, str) else None,
            at=self.call.now,
        )


async def authenticate_request(call: Call, token: str) -> SsoRequest:
    """Authenticates the call as that of the client that signed a token; returns the request that the token holds.

    The call then belongs to the client (`call.client`), and the session counts as used. Raises Refused.
    """
    try:
        unverified = jwt.parse(token)
    except InvalidToken:
        raise Refused(problems.INVALID_SSO_TOKEN) from None
    claims = unverified.claims
    client_id = parse_id(claims.cid)
    if client_id is None or not _is_current(claims, call.now):
        raise Refused(problems.INVALID_SSO_TOKEN)
    if claims.sid is not None and not _SID.fullmatch(claims.sid):
        claims.sid = None
    lookup = await call.services.store.sessions.of_client(client_id, claims.sid or "")
    if lookup is None or not _is_allowed(claims, lookup):
        raise Refused(problems.INVALID_SSO_TOKEN)
    secret = unverified.verifying_secret(call.services.client_secrets.valid(lookup.client, call.now))
    if secret is None:
        raise Refused(problems.INVALID_SSO_TOKEN)
    call.authenticate_client(lookup.client)
    return SsoRequest(call, lookup.client, lookup.organisation, claims, secret, _session(call, lookup))


def _is_current(claims: RequestClaims, now: int) -> bool:
    return claims.nbf - LEEWAY_SECONDS <= now < claims.exp + LEEWAY_SECONDS


def _is_allowed(claims: RequestClaims, lookup: SessionLookup) -> bool:
    client, audience = lookup.client, claims.aud
    for_us = audience == AUDIENCE or (isinstance(audience, list) and AUDIENCE in audience)
    return client.sso2 and not client.disabled and claims.iss == lookup.organisation.id and for_us


def _session(call: Call, lookup: SessionLookup) -> Session | None:
    """The session, marked as used; None where it has expired, or is another client's own."""
    session = lookup.session
    if session is None or session.expires <= call.now or not session.visible_to(lookup.client.id):
        return None
    if session.status != TERMINATED:
        call.services.sessions.mark_used(session, call.now)
    return session


def _printable(user_agent: str) -> str:
    return _CONTROL_CHARACTERS.sub(" ", user_agent[:MAX_USER_AGENT_LENGTH])
