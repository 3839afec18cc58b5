"""What dispatch is given: a request whose head has been read, whichever server read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from stamkund.wire.response import Header

Peer = tuple[str, int]
"""Address and port."""


class Disconnected(Exception):
    """The caller went away before its request was read."""


class BodyTooLarge(Exception):
    """The body is longer than the reader takes."""


class Request(Protocol):
    """A request; its body may still be on its way."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str:
        """Percent-decoded, without the query."""

    @property
    def query(self) -> bytes:
        """As it was sent, without the question mark."""

    @property
    def headers(self) -> Mapping[bytes, bytes]:
        """By name in lower case; of several of one name the last."""

    @property
    def header_lines(self) -> Sequence[Header]:
        """All of the head, in the order sent; no trailers."""

    @property
    def peer(self) -> Peer | None:
        """The other end of the connection: a caller, or a proxy."""

    async def read_body(self, at_most: int) -> bytes:
        """The whole body, in bytes. Raises BodyTooLarge as soon as there is more, and Disconnected."""

    def is_gone(self) -> bool:
        """Whether its caller has gone away, as far as the server can know."""
