"""The grants of the token endpoint: each a function from a token request to a response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from stamkund.endpoints.oauth.code_grants import authorization_code, ticket
from stamkund.endpoints.oauth.errors import OAuthError
from stamkund.endpoints.oauth.operation import LIMIT
from stamkund.endpoints.oauth.token_request import (
    TokenPair,
    TokenRequest,
    TokenResponse,
    available_scopes,
    issue_tokens,
)
from stamkund.identity.logins import LoginLocked, WrongPassword, parse_username
from stamkund.identity.tokens import token_digest
from stamkund.rules import emails, identifiers
from stamkund.rules.lockout import PASSWORD_GRANT
from stamkund.rules.timestamps import zone
from stamkund.store import NewToken, NotActive, Refresh

PASSWORD_SENTENCE = "Username/password do not match"  # noqa: S105
FROZEN_SENTENCE = "The account is frozen until {}, after too many failed logins"


async def client_credentials(request: TokenRequest) -> TokenResponse:
    """A token without identity. Raises OAuthError."""
    return await issue_tokens(request, None, refreshable=False)


async def password(request: TokenRequest) -> TokenResponse:
    """Tokens for a reader who has given e-mail and password to the client. Raises OAuthError."""
    call, own = request.call, request.organisation
    organisation, email = parse_username(request.field("username"), own.id)
    email, password = emails.pasted(email), request.field("password")
    request.scopes()
    call.services.limits.identifier(LIMIT, own.id, request.client.id, identifiers.email(email), call.now)
    context = call.login_context(own.id, PASSWORD_GRANT, request.client.id)
    try:
        account_row = await call.services.logins.log_in(context, organisation, email, password)
        return await issue_tokens(request, account_row, refreshable=request.client.gets_refresh_tokens)
    except (WrongPassword, NotActive):
        raise OAuthError("invalid_grant", PASSWORD_SENTENCE) from None
    except LoginLocked as locked:
        until = zone(own.timezone).format(locked.until)
        raise OAuthError("invalid_grant", FROZEN_SENTENCE.format(until)) from None


async def refresh_token(request: TokenRequest) -> TokenResponse:
    """A new access token; a client whose refresh tokens rotate gets the next one too. Raises OAuthError."""
    call, rotation = request.call, request.client.rotation
    digest = token_digest(request.field("refresh_token").encode(errors="replace"))
    pair, granted, used = TokenPair.new(refreshable=rotation), "", None

    def make(refresh: Refresh) -> list[NewToken]:
        nonlocal pair, granted, used
        if refresh.replaced and not rotation:  # it was replaced before rotation was switched off
            pair = TokenPair.new(refreshable=True)
        granted, used = _narrowed_scopes(request, refresh.scopes), refresh.used
        tokens = pair.stored(request, refresh.account, granted, refresh.family, refresh.session, refresh.valid_until)
        if pair.refresh_token is not None:  # the next refresh token may do whatever the last one might
            tokens[1] = replace(tokens[1], scopes=refresh.scopes)
        return tokens

    try:
        account_id = await call.services.store.tokens.use_refresh(
            digest, request.client.id, call.now, request.refresh_policy(), make, request.issue()
        )
    except NotActive:
        account_id = None
    if account_id is None:
        raise OAuthError("invalid_grant", "The refresh token is not valid")
    if used is not None:
        call.services.sessions.mark_used(used, call.now)
    return pair.response(request, granted)


GRANTS: dict[str, Callable[[TokenRequest], Awaitable[TokenResponse]]] = {
    "none": client_credentials,
    "client_credentials": client_credentials,
    "password": password,
    "authorization_code": authorization_code,
    "ticket": ticket,
    "refresh_token": refresh_token,
}


def _narrowed_scopes(request: TokenRequest, granted: str) -> str:
    """The scopes of a refreshed token: the requested ones of those that were granted and that the client still has."""
    available = [scope for scope in granted.split() if scope in request.client.scopes]
    return " ".join(available_scopes(available, request.call.form.get("scope", ""), "The refresh token"))
