"""A request of a site's server: its token verified, and the session looked up, in one statement.

Whatever is wrong with the token, its signature or its client, the error is the same: 401.
"""

from __future__ import annotations

import re

import msgspec

from stamkund import problems
from stamkund.endpoints.sso2 import jwt
from stamkund.endpoints.sso2.jwt import InvalidToken, RequestClaims
from stamkund.identity.sessions import new_sid
from stamkund.identity.visitors import site_visitor
from stamkund.problems import Refused
from stamkund.rules import user_agents, values
from stamkund.rules.addresses import sent_address
from stamkund.rules.ids import parse_id
from stamkund.rules.lockout import SSO2, LoginContext
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.session import TERMINATED, Session
from stamkund.store import SessionLookup, SiteVisitor
from stamkund.wire.call import Call
from stamkund.wire.parameters import Parameter

AUDIENCE = "pw-sso"
"""Audience of requests, and issuer of responses."""
LEEWAY_SECONDS = 120
"""How far a site's clock may be off."""
VALID_SECONDS = 600
"""How far ahead a request may expire: one that leaks must not be good for long."""
CREATE_SESSION_VALID_SECONDS = 86_400
"""The same for "Create session", whose documented sample is valid for a day."""
_OLDEST_SECONDS = 86_400
"""How long ago a request may have become valid."""

TOKEN = Parameter("t", values.SSO_TOKEN, "The request: a JWT, HS256 with the client's secret.", required=True)

_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")


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
    def was_ended(self) -> bool:
        """Whether there is such a session, which was ended."""
        return self.session is not None and self.session.status == TERMINATED

    def site_visitor(self) -> SiteVisitor:
        """Who logs in at the site, and the sid for a session of their own, should they need one."""
        claims, vault = self.claims, self.call.services.vault
        visitor = site_visitor(vault, self.organisation.id, claims.uas, sent_address(claims.ipa))
        return SiteVisitor(visitor, new_sid(), self.client.visitor_address)

    def login_context(self) -> LoginContext:
        """The reader's address and user agent, as the site reports them: the request comes from the site's server."""
        return LoginContext(
            organisation=self.organisation.id,
            channel=SSO2,
            client=self.client.id,
            address=sent_address(self.claims.ipa),
            user_agent=user_agents.printable(self.claims.uas),
            at=self.call.now,
            requester=self.call.requester(),
            from_visitor=self.client.visitor_address,
        )


async def authenticate_request(call: Call, token: str, valid_seconds: int = VALID_SECONDS) -> SsoRequest:
    """Authenticates the call as that of the client that signed a token; returns the request that the token holds.

    It may expire at most `valid_seconds` from now.

    The call then belongs to the client (`call.client`), and the session counts as used. Raises Refused.
    """
    try:
        unverified = jwt.parse(token)
    except InvalidToken:
        raise Refused(problems.INVALID_SSO_TOKEN) from None
    claims = unverified.claims
    client_id = parse_id(claims.cid)
    if client_id is None or not _is_current(claims, call.now, valid_seconds):
        raise Refused(problems.INVALID_SSO_TOKEN)
    if claims.sid is not None and not _SID.fullmatch(claims.sid):
        claims.sid = None
    lookup = await call.services.store.sessions.of_client(client_id, claims.sid or "")
    if lookup is None or not _is_allowed(claims, lookup):
        raise Refused(problems.INVALID_SSO_TOKEN)
    secret = unverified.verifying_secret(call.services.client_secrets.valid(lookup.client, call.now))
    if secret is None:
        call.services.audit_budget.count_wrong_secret(lookup.client, call.now)
        raise Refused(problems.INVALID_SSO_TOKEN)
    call.authenticate_client(lookup.client)
    return SsoRequest(call, lookup.client, lookup.organisation, claims, secret, _session(call, lookup))


def _is_current(claims: RequestClaims, now: int, valid_seconds: int) -> bool:
    """Whether a request is valid now, and neither was for long nor will be. NaN compares false with everything."""
    oldest, latest = now - _OLDEST_SECONDS - LEEWAY_SECONDS, now + valid_seconds + LEEWAY_SECONDS
    return oldest <= claims.nbf <= now + LEEWAY_SECONDS and now - LEEWAY_SECONDS < claims.exp <= latest


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
