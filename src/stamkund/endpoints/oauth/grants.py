"""The grants of the token endpoint: each a function from a client that asks to what it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from stamkund.endpoints.oauth.codes import authorization_code, ticket
from stamkund.endpoints.oauth.errors import OAuthError, quoted
from stamkund.endpoints.oauth.token_issuing import DAY, TokenPair, TokenRequest, TokenResponse, issue
from stamkund.identity.logins import LoginLocked, WrongPassword, parse_username
from stamkund.identity.tokens import token_digest
from stamkund.rules import identifiers, scopes
from stamkund.rules.lockout import PASSWORD_GRANT
from stamkund.rules.timestamps import zone
from stamkund.store import NewToken, NotActive, Refresh

LIMIT = "token"
PASSWORD_SENTENCE = "Username/password do not match"  # noqa: S105
FROZEN_SENTENCE = "The account is frozen until {}, after too many failed logins"


async def client_credentials(request: TokenRequest) -> TokenResponse:
    """A token without identity."""
    return await issue(request, None, refreshable=False)


async def password(request: TokenRequest) -> TokenResponse:
    """A token for a reader who has given e-mail and password to the client."""
    organisation, email = parse_username(request.field("username"), request.organisation.id)
    given = request.field("password")
    request.scopes()
    call, own = request.call, request.organisation
    call.services.limits.identifier(LIMIT, own.id, identifiers.email(email), call.now)
    context = call.context(own.id, PASSWORD_GRANT, request.client.id)
    try:
        row = await call.services.logins.log_in(context, organisation, email, given)
        return await issue(request, row, refreshable=True)
    except (WrongPassword, NotActive):
        raise OAuthError("invalid_grant", PASSWORD_SENTENCE) from None
    except LoginLocked as frozen:
        raise OAuthError("invalid_grant", FROZEN_SENTENCE.format(zone(own.timezone).format(frozen.until))) from None


async def refresh_token(request: TokenRequest) -> TokenResponse:
    """A new access token; a client whose refresh tokens rotate gets the next one too."""
    call, settings = request.call, request.call.services.settings
    held = token_digest(request.field("refresh_token").encode(errors="replace"))
    rotates = request.client.rotation
    pair = TokenPair.new(refreshable=rotates)
    granted = ""

    def make(known: Refresh) -> list[NewToken]:
        nonlocal granted
        granted = _narrowed(request, known.scopes)
        made = pair.kept(request, known.account, granted, known.family)
        if rotates:  # the next refresh token may do whatever the last one might
            made[1] = replace(made[1], scopes=known.scopes)
        return made

    slides_to = None if rotates else call.now + settings.refresh_token_days * DAY
    try:
        reader = await call.services.store.tokens.use_refresh(
            held, request.client.id, call.now, slides_to, make, request.issue()
        )
    except NotActive:
        reader = None
    if reader is None:
        raise OAuthError("invalid_grant", "The refresh token is not valid")
    return pair.answer(request, granted)


GRANTS: dict[str, Callable[[TokenRequest], Awaitable[TokenResponse]]] = {
    "none": client_credentials,
    "client_credentials": client_credentials,
    "password": password,
    "authorization_code": authorization_code,
    "ticket": ticket,
    "refresh_token": refresh_token,
}
FOR_PUBLIC_CLIENTS = ("authorization_code", "refresh_token")
"""What a client that can't prove itself may use: grants that begin with a secret of another kind."""


def _narrowed(request: TokenRequest, granted: str) -> str:
    """The scopes of a refreshed token: those asked for, of those that were granted and that the client still has."""
    held = [s for s in granted.split() if s in request.client.scopes]
    asked = scopes.split(request.call.form.get("scope", ""))
    for scope in asked:
        if scopes.documented(scope) not in held:
            raise OAuthError("invalid_scope", f"The refresh token does not have the scope {quoted(scope)}")
    return " ".join(map(scopes.documented, asked) if asked else held)
