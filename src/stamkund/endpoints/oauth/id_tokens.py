"""ID tokens (OpenID Connect Core, section 2): who logged in, for one client, signed."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from stamkund.endpoints.oauth.token_request import TokenRequest


async def id_token(
    request: TokenRequest, account_id: str, access_token: str, nonce: str | None, authenticated: int | None
) -> str:
    """The ID token that goes with an access token. Raises Unavailable.

    `nonce` is what the client sent along to the login page, `authenticated` when the reader last gave a password. What
    else is known of the reader is in `/userinfo`.
    """
    services, now = request.call.services, request.call.now
    claims: dict[str, Any] = {
        "iss": services.settings.issuer,
        "sub": account_id,
        "aud": request.client.id,
        "exp": now + services.settings.access_token_seconds,
        "iat": now,
        "auth_time": authenticated,
        "nonce": nonce,
        "at_hash": _left_half(access_token),
    }
    present = {name: value for name, value in claims.items() if value is not None}
    return await services.id_token_keys.sign(present, request.client.id_token_signed_response_alg)


def _left_half(access_token: str) -> str:
    """What ties the two tokens together: the left half of the access token's SHA-256."""
    digest = hashlib.sha256(access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
