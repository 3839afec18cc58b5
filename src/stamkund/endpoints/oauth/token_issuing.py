"""Making tokens: what a client that proved who it is asks for, and what it is given."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.endpoints.oauth.errors import OAuthError, quoted
from stamkund.identity.tokens import token_digest
from stamkund.rules import scopes
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client, Organisation
from stamkund.store import ACCESS, REFRESH, Issue, NewToken
from stamkund.wire.endpoint import Call

DAY = 86_400
LONGEST_TEXT = 1024


class TokenResponse(msgspec.Struct):
    """`expires_in` in seconds; `refresh_token` only where one is issued, `id_token` only with the scope `openid`."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | UnsetType = UNSET
    id_token: str | UnsetType = UNSET


@dataclass(frozen=True)
class TokenRequest:
    """A client that proved who it is, request for a token with the grant `grant`."""

    call: Call
    client: Client
    organisation: Organisation
    grant: str

    def field(self, name: str) -> str:
        """A field that the grant can't do without."""
        value = self.call.form.get(name, "")
        if not value:
            raise OAuthError("invalid_request", f"The field {name} is required")
        return value

    def scopes(self) -> list[str]:
        """The scopes asked for, all of the client's when none are. Raises OAuthError for one that the client lacks."""
        return asked_scopes(self.client, self.call.form.get("scope", ""))

    def issue(self) -> Issue:
        return Issue(self.organisation.id, self.client.id, self.grant, self.call.now)


def asked_scopes(client: Client, text: str) -> list[str]:
    """The scopes of a space-separated list, by their documented names; all of the client's when there are none."""
    asked = scopes.split(text)
    for scope in asked:
        if scopes.documented(scope) not in client.scopes:
            raise OAuthError("invalid_scope", f"The client does not have the scope {quoted(scope)}")
    return list(dict.fromkeys(map(scopes.documented, asked))) if asked else client.scopes


@dataclass(frozen=True)
class TokenPair:
    """An access token and, where there is one, a refresh token: what is told, and what is kept of them."""

    texts: tuple[str, ...]
    refreshable: bool

    @classmethod
    def new(cls, refreshable: bool) -> TokenPair:
        return cls(tuple(secrets.token_urlsafe(32) for _ in range(2 if refreshable else 1)), refreshable)

    def kept(self, request: TokenRequest, account: int | None, granted: str, family: str) -> list[NewToken]:
        """What the store is given of them."""
        kinds = (ACCESS, REFRESH) if self.refreshable else (ACCESS,)
        return [
            _kept(request, text, kind, account, granted, family) for text, kind in zip(self.texts, kinds, strict=True)
        ]

    def answer(self, request: TokenRequest, granted: str, asked: str | None = None) -> TokenResponse:
        """What the client is told. Scopes have the names that the client used, in the form or earlier (`asked`)."""
        seconds = request.call.services.settings.access_token_seconds
        shown = scopes.as_requested(granted, request.call.form.get("scope", "") if asked is None else asked)
        answer = TokenResponse(self.texts[0], "Bearer", seconds, shown)
        if self.refreshable:
            answer.refresh_token = self.texts[1]
        return answer


async def issue(request: TokenRequest, account: int | None, *, refreshable: bool) -> TokenResponse:
    """Issues tokens that begin a family of their own. Raises NotActive."""
    granted = " ".join(request.scopes())
    pair = TokenPair.new(refreshable)
    kept = pair.kept(request, account, granted, new_id(request.call.now))
    await request.call.services.store.tokens.add(kept, request.issue())
    return pair.answer(request, granted)


def _kept(request: TokenRequest, text: str, kind: str, account: int | None, granted: str, family: str) -> NewToken:
    settings, now = request.call.services.settings, request.call.now
    seconds = settings.access_token_seconds if kind == ACCESS else settings.refresh_token_days * DAY
    return NewToken(token_digest(text.encode()), kind, request.client.id, account, granted, now, now + seconds, family)
