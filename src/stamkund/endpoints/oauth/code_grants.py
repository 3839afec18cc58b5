"""The grants that spend a one-time credential: authorization codes and tickets.

A code is made for a browser that comes back from the login page, a ticket for a site of a session (SSO2). Both work
once, for a minute, for the client that they were made for. RFC 9700 is the yardstick for codes: the redirect URI
must be the same again; a code that was requested with a PKCE challenge needs its verifier, and one that was requested
without is refused to somebody who sends a verifier (the downgrade).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable

import msgspec

from stamkund.endpoints.oauth.errors import OAuthError
from stamkund.endpoints.oauth.id_tokens import id_token
from stamkund.endpoints.oauth.token_request import TokenPair, TokenRequest, TokenResponse
from stamkund.identity.tokens import new_credential, token_digest
from stamkund.rules import scopes
from stamkund.rules.organisation import Client
from stamkund.store import CODE, TICKET, NewToken, NotActive, OneTimeCredential, Store

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""What a challenge of S256 and its verifier look like (RFC 7636, 4.1 and 4.2)."""

CheckCode = Callable[[OneTimeCredential], None]


class CodeBinding(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What a code is bound to; stored with it.

    `redirect_uri` as it was sent, None where it was left out. `authenticated`: when the reader's password was checked.
    `scope`: the scopes under the names that they were requested by, empty where none were.
    """

    redirect_uri: str | None = None
    challenge: str | None = None
    nonce: str | None = None
    authenticated: int | None = None
    scope: str = ""


async def new_code(
    store: Store,
    client: Client,
    account: int,
    granted: str,
    binding: CodeBinding,
    now: int,
    session: str | None = None,
) -> str:
    """A code for a reader who is logged in to a session (its sid), stored. Raises Unavailable."""
    detail, authenticated = msgspec.json.encode(binding).decode(), binding.authenticated or now
    code, credential = new_credential(CODE, client, account, granted, now, authenticated, detail, session)
    await store.one_time_credentials.add(credential)
    return code


async def authorization_code(request: TokenRequest) -> TokenResponse:
    """Tokens for the reader who came back from the login page. Raises OAuthError."""
    code, verifier = request.field("code"), request.call.form.get("code_verifier", "")
    if verifier and _VERIFIER.fullmatch(verifier) is None:
        raise OAuthError("invalid_request", "The code_verifier must have 43 to 128 letters, digits or -._~")
    binding = CodeBinding()

    def check(credential: OneTimeCredential) -> None:
        nonlocal binding
        binding = msgspec.json.decode(credential.detail, type=CodeBinding)
        if not _same_redirect_uri(request, binding) or not _verifies(verifier, binding.challenge):
            raise _invalid(CODE)

    pair, credential, account_id = await _exchange(request, CODE, code, check)
    response = pair.response(request, credential.scopes, binding.scope)
    if scopes.OPENID in credential.scopes.split():
        response.id_token = await id_token(
            request, account_id, response.access_token, binding.nonce, binding.authenticated
        )
    return response


async def ticket(request: TokenRequest) -> TokenResponse:
    """Tokens for the reader of a single sign-on session. Scopes are requested here. Raises OAuthError."""
    granted = " ".join(request.scopes())
    pair, _, _ = await _exchange(request, TICKET, request.field("ticket"), lambda _: None, granted)
    return pair.response(request, granted)


async def _exchange(
    request: TokenRequest, kind: str, text: str, check: CheckCode, granted: str | None = None
) -> tuple[TokenPair, OneTimeCredential, str]:
    """Spends a code or ticket for tokens with its scopes, or with those `granted`. Raises OAuthError.

    The tokens end with the session that it was made in, unless they give offline access.
    """
    pair = TokenPair.new(request.client.offline_access and request.client.gets_refresh_tokens)

    def make(credential: OneTimeCredential) -> list[NewToken]:
        scope = credential.scopes if granted is None else granted
        session = None if scopes.OFFLINE_ACCESS in scope.split() else credential.session
        return pair.stored(request, credential.account, scope, credential.family, session)

    digest = token_digest(text.encode(errors="replace"))
    credentials = request.call.services.store.one_time_credentials
    try:
        exchanged = await credentials.exchange(digest, kind, check, make, request.issue())
    except NotActive:
        exchanged = None
    if exchanged is None:
        raise _invalid(kind)
    return pair, *exchanged


def _same_redirect_uri(request: TokenRequest, binding: CodeBinding) -> bool:
    """Whether the redirect URI is the same as before; the client's only one may be named now where it was left out."""
    sent = request.call.form.get("redirect_uri")
    return sent == binding.redirect_uri or (binding.redirect_uri is None and sent in request.client.redirect_uris[:1])


def _verifies(verifier: str, challenge: str | None) -> bool:
    """Whether a verifier belongs to a challenge; without a challenge there must be none (RFC 9700, 2.1.1)."""
    if challenge is None or not verifier:
        return challenge is None and not verifier
    computed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=")
    return hmac.compare_digest(computed, challenge.encode("ascii"))


def _invalid(kind: str) -> OAuthError:
    return OAuthError("invalid_grant", f"The {kind} is not valid")
