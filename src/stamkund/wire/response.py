"""What a handler returns: a struct that dispatch encodes, or a whole response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

Header = tuple[bytes, bytes]

JSON = "application/json"
HTML = "text/html; charset=utf-8"
PLAIN_TEXT = "text/plain; charset=utf-8"
NO_STORE: Header = (b"cache-control", b"no-store")


class Item(msgspec.Struct):
    """`{"item": …}`: the envelope of one resource."""

    item: Any


class Created(msgspec.Struct):
    """`{"id": …}`: the response to a change."""

    id: str


@dataclass(slots=True)
class Response:
    """A whole HTTP response; `body` is encoded."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    headers: tuple[Header, ...] = ()


def redirect(location: str, *headers: Header, status: int = 302) -> Response:
    """Redirects a browser. `location` must be printable ASCII: encode whatever came from outside. Raises ValueError."""
    if not location.isascii() or not location.isprintable():
        raise ValueError("a location that can't be a header")
    sent = (b"location", location.encode("ascii")), NO_STORE, *headers
    return Response(status, b"", PLAIN_TEXT.encode("ascii"), sent)
