"""Turns of the event loop: what arrived in one is handled together, and what it gave is written together at its end.

Nothing here knows HTTP; `protocol.py` says why it is done like this.
"""

from __future__ import annotations

import asyncio
import time
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol, TypeVar, cast

T = TypeVar("T")

MAX_HANDLED_TOGETHER = 64
"""How many requests are handled before their responses are written: the first must not wait for hundreds of others."""

MAX_HANDLING_SECONDS = 0.02
"""After which the others wait for the next turn: some requests take a hundred times as long as most."""


class Handled(Protocol):
    """A request and its response, as a turn sees them. None of its methods raises."""

    def handle(self) -> None: ...
    def write(self) -> None: ...
    def complete(self) -> None: ...


class Turn:
    """What arrived at a server in one turn of the event loop, and what is to be written at its end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrived: deque[Handled] = deque()
        self._outgoing: list[Handled] = []
        self._is_due = False

    def handle(self, exchange: Handled) -> None:
        """Has a request handled at the end of this turn."""
        self._arrived.append(exchange)
        self._wake()

    def send(self, exchange: Handled) -> None:
        """Has a response written, and the exchange completed, at the end of this turn."""
        self._outgoing.append(exchange)
        self._wake()

    def _wake(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        try:
            latest = time.monotonic() + MAX_HANDLING_SECONDS
            for _ in range(min(len(self._arrived), MAX_HANDLED_TOGETHER)):
                self._arrived.popleft().handle()
                if time.monotonic() > latest:
                    break
            outgoing, self._outgoing = self._outgoing, []
            for exchange in outgoing:
                exchange.write()
            for exchange in outgoing:
                exchange.complete()
        finally:
            self._is_due = False
            if self._arrived or self._outgoing:
                self._wake()


class Signal:
    """An event that one coroutine waits for. As `asyncio.Event`, but costs nothing where nobody waits."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: asyncio.Future[None] | None = None

    def set(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def wait(self) -> None:
        """Waits for the next `set`."""
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting


@types.coroutine
def continued(coroutine: Coroutine[Any, Any, T], waits_for: Any) -> Generator[Any, Any, T]:
    """Runs a coroutine to its end that was begun outside a task, and stopped waiting for `waits_for`."""
    while True:
        resume: Callable[[Any], Any]
        try:
            resume, value = coroutine.send, (yield waits_for)
        except BaseException as error:  # what it waited for failed, or the task is cancelled
            resume, value = coroutine.throw, error
        try:
            waits_for = resume(value)
        except StopIteration as finished:
            return cast(T, finished.value)
