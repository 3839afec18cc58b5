"""Who asks about which session: a request's token checked, and its session found, in one statement.

Whatever is wrong with the token, its signature or its client is told alike: 401, and not what.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stamkund import problems
from stamkund.endpoints.sso2 import jwt as tokens
from stamkund.endpoints.sso2.jwt import Claims, NotValid
from stamkund.problems import Refused
from stamkund.rules import values
from stamkund.rules.ids import is_id
from stamkund.rules.lockout import SSO2, LoginContext
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.session import TERMINATED, Session
from stamkund.store import SessionLookup
from stamkund.wire.endpoint import Call
from stamkund.wire.parameters import Parameter

AUDIENCE = "pw-sso"
"""What requests are for, and who answers them."""
LEEWAY_SECONDS = 120
"""How far a site's clock may be off."""

TOKEN = Parameter("t", values.SSO_TOKEN, "The request: a JWT, HS256 with the client's secret.", required=True)

_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{1,39}")
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f]+")
_LONGEST_AGENT = 4096


@dataclass(frozen=True, slots=True)
class SsoRequest:
    """A client that proved who it is. `session`: the one it asks about, None where there is none that it may know of.

    `secret`: the one of its secrets that it used, which is the one that it can read an answer with.
    """

    call: Call
    client: Client
    organisation: Organisation
    claims: Claims
    secret: str
    session: Session | None

    @property
    def sid(self) -> str:
        """The session that was asked about, whether there is one or not."""
        return self.claims.sid or ""

    @property
    def live(self) -> Session | None:
        """The session, unless it was ended."""
        return None if self.session is None or self.session.status == TERMINATED else self.session

    def context(self) -> LoginContext:
        """The reader at the channel, as the site tells: the call itself comes from the site's server."""
        address, agent = self.claims.ipa, self.claims.uas
        return LoginContext(
            self.organisation.id,
            SSO2,
            self.client.id,
            address if isinstance(address, str) and _ADDRESS.fullmatch(address) else None,
            _UNFIT.sub(" ", agent[:_LONGEST_AGENT]) if isinstance(agent, str) else None,
            self.call.now,
        )


async def asked(call: Call, text: str) -> SsoRequest:
    """Who asks with the token `text`, and about which session. Raises Refused for a token that doesn't hold."""
    try:
        token = tokens.read(text)
    except NotValid:
        raise Refused(problems.INVALID_SSO_TOKEN) from None
    claims = token.claims
    if not is_id(claims.cid) or not _in_time(claims, call.now):
        raise Refused(problems.INVALID_SSO_TOKEN)
    if claims.sid is not None and not _SID.fullmatch(claims.sid):
        claims.sid = None
    found = await call.services.store.sessions.of_client(claims.cid.lower(), claims.sid or "")
    if found is None or not _may_ask(claims, found):
        raise Refused(problems.INVALID_SSO_TOKEN)
    secret = token.proven_by(call.services.client_secrets.valid(found.client, call.now))
    if secret is None:
        raise Refused(problems.INVALID_SSO_TOKEN)
    call.client = found.client
    return SsoRequest(call, found.client, found.organisation, claims, secret, _session(call, found))


def _in_time(claims: Claims, now: int) -> bool:
    return claims.nbf - LEEWAY_SECONDS <= now < claims.exp + LEEWAY_SECONDS


def _may_ask(claims: Claims, found: SessionLookup) -> bool:
    client, audience = found.client, claims.aud
    meant = audience == AUDIENCE or (isinstance(audience, list) and AUDIENCE in audience)
    return client.sso2 and not client.disabled and claims.iss == found.organisation.id and meant


def _session(call: Call, found: SessionLookup) -> Session | None:
    """The session asked about, seen now; None where it is over, or another client's own."""
    session = found.session
    if session is None or session.expires <= call.now or not session.visible_to(found.client.id):
        return None
    if session.status != TERMINATED:
        call.services.sessions.mark_used(session, call.now)
    return session
