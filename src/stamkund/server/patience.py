"""How much a connection may send, how long it may take, and how many there may be: what keeps callers from filling us.

Nothing of it costs a request anything: connections that wait are looked at from time to time, all of them together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from stamkund import log

REQUEST, HEAD, BODY, TAKING, LINGERING = "request", "head", "body", "response", "end"
"""What a connection may wait for: a request, the rest of a head, the rest of a body, that its caller takes what it was
sent, or that a caller that was refused ends it."""
_LINGERING_SECONDS = 5
_LOOKS = 8
"""How often connections that wait are looked at within the shortest time that one may wait."""


@dataclass(frozen=True)
class ConnectionLimits:
    """The limits of the connections of one worker. Seconds are counted from when the waiting began."""

    connections: int = 1_000
    head_bytes: int = 64 * 1024
    head_seconds: float = 20
    body_seconds: float = 30


class Waiting(Protocol):
    """A connection as `Patience` sees it. `waits_since` by the event loop's clock."""

    waits_for: str | None
    waits_since: float

    @property
    def is_closing(self) -> bool: ...

    def give_up(self) -> None: ...
    def abandon(self) -> None: ...


W = TypeVar("W", bound=Waiting)


class Patience:
    """Closes the connections of a server that have waited too long for their callers: one timer for all of them."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, connections: set[Any], limits: ConnectionLimits, idle_seconds: float
    ) -> None:
        """`connections`: those of the server, as they come and go."""
        self._loop = loop
        self._connections = connections
        self._seconds = {
            REQUEST: idle_seconds,
            HEAD: min(limits.head_seconds, idle_seconds),
            BODY: min(limits.body_seconds, idle_seconds),
            TAKING: idle_seconds,
            LINGERING: min(_LINGERING_SECONDS, idle_seconds),
        }
        self._pause = min(self._seconds.values()) / _LOOKS
        self._is_due = False

    def watch(self) -> None:
        """Looks at the connections from time to time, for as long as there are any."""
        if not self._is_due:
            self._is_due = True
            self._loop.call_later(self._pause, self._look)

    def make_room(self) -> bool:
        """Ends the connection that has waited longest for its caller; returns whether there was one.

        One that is being closed waits too, for as long as its caller takes nothing.
        """
        longest = min(waiting(self._connections), key=lambda connection: connection.waits_since, default=None)
        if longest is not None:
            longest.abandon()
        return longest is not None

    def _look(self) -> None:
        self._is_due = False
        now, slow = self._loop.time(), 0
        for connection in waiting(self._connections):
            if now - connection.waits_since >= self._seconds[connection.waits_for]:
                slow += connection.waits_for in (HEAD, BODY) and not connection.is_closing
                connection.give_up()
        if slow:
            log.get().info("slow requests given up", count=slow)
        if self._connections:
            self.watch()


def waiting(connections: Iterable[W]) -> list[W]:
    """The connections that wait for their callers."""
    return [c for c in connections if c.waits_for is not None]
