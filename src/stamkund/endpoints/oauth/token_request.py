"""A request of an authenticated client for tokens, and the tokens that it gets."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.endpoints.oauth.errors import OAuthError, quoted, required_field
from stamkund.identity.tokens import new_token, token_digest
from stamkund.rules import scopes
from stamkund.rules.ids import made_at, new_id
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.session import Lifetime
from stamkund.rules.timestamps import DAY
from stamkund.store import ACCESS, REFRESH, Issue, NewToken, RefreshPolicy
from stamkund.wire.call import Call


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
    """A request of an authenticated client for tokens, with the grant type `grant`."""

    call: Call
    client: Client
    organisation: Organisation
    grant: str

    def field(self, name: str) -> str:
        """A field that the grant requires. Raises OAuthError."""
        value = self.call.form.get(name, "")
        if not value:
            raise required_field(name)
        return value

    def scopes(self) -> list[str]:
        """The requested scopes, all of the client's when none are requested. Raises OAuthError."""
        return requested_scopes(self.client, self.call.form.get("scope", ""))

    def refresh_policy(self) -> RefreshPolicy:
        settings = self.call.services.settings
        lifetime = Lifetime(settings.refresh_token_days * DAY, settings.refresh_token_max_days * DAY)
        return RefreshPolicy(self.client.rotation, lifetime)

    def issue(self) -> Issue:
        admit = self.call.services.audit_budget.admit
        return Issue(self.organisation.id, self.client.id, self.grant, self.call.now, admit)


def requested_scopes(client: Client, text: str) -> list[str]:
    """The scopes of a space-separated list, by their documented names; all of the client's when there are none.

    Raises OAuthError for one that the client lacks.
    """
    return available_scopes(client.scopes, text, "The client")


def available_scopes(available: list[str], text: str, owner: str) -> list[str]:
    """The scopes of a list that are `available` to `owner`; all of them when none are requested.

    Ordinary OpenID Connect libraries always request `profile`, `email` and the like: those that are not available are
    left out. Raises OAuthError for any other.
    """
    requested = scopes.split(text)
    if not requested:
        return available
    documented_scopes = list(dict.fromkeys(map(scopes.documented, requested)))
    for scope in documented_scopes:
        if scope not in available and scope not in scopes.LEFT_OUT:
            raise OAuthError("invalid_scope", f"{owner} does not have the scope {quoted(scope)}")
    return [scope for scope in documented_scopes if scope in available]


@dataclass(frozen=True)
class TokenPair:
    """An access token and, where there is one, a refresh token: as the client gets them, and as they are stored."""

    access_token: str
    refresh_token: str | None

    @classmethod
    def new(cls, refreshable: bool) -> TokenPair:
        return cls(new_token(), new_token() if refreshable else None)

    def stored(
        self,
        request: TokenRequest,
        account: int | None,
        granted: str,
        family: str,
        session: str | None = None,
        refresh_until: int | None = None,
    ) -> list[NewToken]:
        """What the store gets: the access token and, where there is one, the refresh token.

        `session`: the sid that they end with. `refresh_until`: the expiry time of a refresh token that follows another.
        """
        now = request.call.now
        expiry = [(self.access_token, ACCESS, now + request.call.services.settings.access_token_seconds)]
        if self.refresh_token is not None:
            login = made_at(family) or now
            until = request.refresh_policy().lifetime.expiry(now, login) if refresh_until is None else refresh_until
            expiry.append((self.refresh_token, REFRESH, until))
        return [
            NewToken(
                digest=token_digest(text.encode()),
                kind=kind,
                client=request.client.id,
                account=account,
                scopes=granted,
                created=now,
                expires=expires,
                family=family,
                session=session,
            )
            for text, kind, expires in expiry
        ]

    def response(self, request: TokenRequest, granted: str, requested: str | None = None) -> TokenResponse:
        """What the client gets. Scopes have the names that it used, in the form or earlier (`requested`)."""
        if requested is None:
            requested = request.call.form.get("scope", "")
        return TokenResponse(
            access_token=self.access_token,
            token_type="Bearer",  # noqa: S106
            expires_in=request.call.services.settings.access_token_seconds,
            scope=scopes.as_requested(granted, requested),
            refresh_token=UNSET if self.refresh_token is None else self.refresh_token,
        )


async def issue_tokens(request: TokenRequest, account: int | None, *, refreshable: bool) -> TokenResponse:
    """Issues tokens that begin a family of their own. Raises OAuthError, NotActive."""
    granted = " ".join(request.scopes())
    pair = TokenPair.new(refreshable)
    tokens = pair.stored(request, account, granted, new_id(request.call.now))
    await request.call.services.store.tokens.add(tokens, request.issue())
    return pair.response(request, granted)
