"""Who is calling: from an access token to a `Caller`, and whether that caller may make a call."""

from __future__ import annotations

import re

import msgspec

from stamkund import problems
from stamkund.problems import Problem
from stamkund.rules.organisation import Client, Organisation
from stamkund.store import ACCESS, AuthenticatedToken

_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/=-]{1,512})")


class Caller(msgspec.Struct, frozen=True):
    """A client, the organisation it belongs to, what its token may do and the account (its row) it stands for."""

    client: Client
    organisation: Organisation
    scopes: frozenset[str]
    account_row: int | None

    def __repr__(self) -> str:
        return f"<Caller {self.client.id}>"


ANONYMOUS = Caller(
    Client(id="", organisation="", name="", created=0, scopes=[], secrets=[], disabled=True),
    Organisation(id="", name=""),
    frozenset(),
    None,
)
"""The caller of a public call."""


def bearer_token(header: bytes | None) -> bytes | None:
    """The token of an Authorization header, None when there is none or it is malformed."""
    match = None if header is None else _BEARER.fullmatch(header)
    return None if match is None else match[1]


def caller_of(token: AuthenticatedToken | None, now: int) -> Caller | None:
    """The caller that a token stands for; None when it is unknown or expired, or its client or account is blocked."""
    if token is None or token.expires <= now or token.kind != ACCESS or token.client.disabled or not token.usable:
        return None
    return Caller(token.client, token.organisation, token.scopes, token.account_row)


def access_problem(caller: Caller, scope: str | None, identity: bool) -> Problem | None:
    """Why `caller` may not make a call that needs `scope`, and an identity; None when it may."""
    if scope is not None and scope not in caller.scopes:
        return problems.insufficient_scope(scope)
    if identity and caller.account_row is None:
        return problems.IDENTITY_REQUIRED
    return None
