"""Errors as RFC 6749 section 5.2 has them: `error` and `error_description`."""

from __future__ import annotations

import msgspec

from stamkund.wire.endpoint import Call, Response

NO_STORE = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
BASIC = ((b"www-authenticate", b'Basic realm="stamkund"'),)


class OAuthError(Exception):
    """An error of OAuth's. `description` must be printable ASCII without quotes: quote what was sent with `quoted`."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


class TokenError(msgspec.Struct):
    """An error of the token endpoint (RFC 6749, section 5.2)."""

    error: str
    error_description: str


def invalid_client() -> OAuthError:
    """Whatever is wrong with a client is told alike."""
    return OAuthError("invalid_client", "The client id or secret is not valid", 401)


def quoted(text: str) -> str:
    """What was sent, as RFC 6749 lets a description quote it: printable ASCII without quotes, not too long."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text[:200])


def refusal(call: Call, error: OAuthError) -> Response:
    """The answer to a call that went wrong; a challenge only for those who came with a header (RFC 6749, 5.2)."""
    body = msgspec.json.encode(TokenError(error.error, error.description))
    headers: tuple[tuple[bytes, bytes], ...] = NO_STORE
    if error.status == 401 and call.headers.get(b"authorization"):
        headers = (*headers, *BASIC)
    return Response(error.status, body, headers=headers)
