"""What a handler returns: a struct that dispatch encodes, or a whole response; and the head that is sent for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from stamkund.wire.security_headers import with_security_headers

Header = tuple[bytes, bytes]


def _nothing() -> None: ...


JSON = "application/json"
HTML = "text/html; charset=utf-8"
NO_BODY = ""
"""The media type of a response without a body."""
NO_STORE: Header = (b"cache-control", b"no-store")
VARY_BY_ORIGIN: Header = (b"vary", b"origin")
"""For caches: the response to one origin is not another's."""
_NO_CONTENT = 204
_BREAKS_A_HEAD = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Item(msgspec.Struct):
    """`{"item": …}`: the envelope of one resource."""

    item: Any


class Created(msgspec.Struct):
    """`{"id": …}`: the response to a change."""

    id: str


class Response(msgspec.Struct):
    """A whole HTTP response; `body` is encoded. An empty one has no content type: some clients parse what has one.

    `request_id` and `when_sent` are set by dispatch, so no two requests share a response. The server calls `when_sent`
    once the response was sent, or could not be: what it does must not delay the response.
    """

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    headers: tuple[Header, ...] = ()
    request_id: str = ""
    when_sent: Callable[[], None] = _nothing


def redirect(location: str, *headers: Header, status: int = 302) -> Response:
    """Redirects a browser. `location` must be printable ASCII: encode whatever came from outside. Raises ValueError."""
    if not location.isascii() or not location.isprintable():
        raise ValueError("a location that can't be a header")
    sent = (b"location", location.encode("ascii")), NO_STORE, *headers
    return Response(status, b"", headers=sent)


def head_fields(response: Response) -> list[Header]:
    """The header fields of a response, in the order in which they are sent. Raises ValueError: a 204 has no body."""
    request_id = b"x-request-id", response.request_id.encode("ascii")
    if not _may_have_body(response):
        return [*with_security_headers(response.headers), request_id]
    content_type = [(b"content-type", response.content_type)] if response.body else []
    length = b"content-length", b"%d" % len(response.body)
    return [*content_type, *with_security_headers(response.headers), length, request_id]


def head_text(response: Response) -> bytes:
    """The lines of `head_fields`, each with its line end. Raises ValueError, also for a value that breaks the head."""
    request_id = response.request_id.encode("ascii")
    if not _may_have_body(response):
        return b"%bx-request-id: %b\r\n" % (_response_lines(response.headers), request_id)
    lines = _response_lines(response.headers, response.content_type if response.body else None)
    return b"%bcontent-length: %d\r\nx-request-id: %b\r\n" % (lines, len(response.body), request_id)


def _may_have_body(response: Response) -> bool:
    if response.status != _NO_CONTENT:
        return True
    if response.body:
        raise ValueError("a body where there is none: the caller would take it for the next response")
    return False


@lru_cache(maxsize=256)
def header_lines(fields: tuple[Header, ...]) -> bytes:
    """Header fields as they are sent. Raises ValueError for a value that breaks the head.

    Cached, because they are the same again and again.
    """
    return _lines(fields)


@lru_cache(maxsize=256)
def _response_lines(fields: tuple[Header, ...], content_type: bytes | None = None) -> bytes:
    """As `header_lines`, the content type first, with what all responses have. Most have the same few."""
    begin = () if content_type is None else ((b"content-type", content_type),)
    return _lines((*begin, *with_security_headers(fields)))


def _lines(fields: tuple[Header, ...]) -> bytes:
    if any(_BREAKS_A_HEAD.search(value) for _, value in fields):
        raise ValueError("a header value with a control character")
    return b"".join(b"%b: %b\r\n" % field for field in fields)
