"""Errors as RFC 6749 section 5.2 has them: `error` and `error_description`."""

from __future__ import annotations

import msgspec

from stamkund.wire.about import CustomError
from stamkund.wire.call import Call
from stamkund.wire.response import NO_STORE, Header, Response

NO_STORE_OR_CACHE: tuple[Header, ...] = (NO_STORE, (b"pragma", b"no-cache"))
_BASIC_CHALLENGE: tuple[Header, ...] = ((b"www-authenticate", b'Basic realm="stamkund"'),)
_INVALID_CLIENT = "The client id or secret is not valid"


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


INVALID_CLIENT_ERROR = CustomError(401, TokenError("invalid_client", _INVALID_CLIENT), _BASIC_CHALLENGE)
"""`invalid_client`, for the reference."""


def invalid_client() -> OAuthError:
    """The same error for every client failure."""
    return OAuthError("invalid_client", _INVALID_CLIENT, 401)


def required_field(name: str) -> OAuthError:
    return OAuthError("invalid_request", f"The field {name} is required")


def quoted(text: str) -> str:
    """What was sent, as RFC 6749 lets a description quote it: printable ASCII without quotes, not too long."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text[:200])


def error_response(call: Call, error: OAuthError) -> Response:
    """The response to a call that failed; a challenge only for those who sent a header (RFC 6749, 5.2)."""
    body = msgspec.json.encode(TokenError(error.error, error.description))
    headers = NO_STORE_OR_CACHE
    if error.status == 401 and call.headers.get(b"authorization"):
        headers = (*headers, *_BASIC_CHALLENGE)
    return Response(error.status, body, headers=headers)
