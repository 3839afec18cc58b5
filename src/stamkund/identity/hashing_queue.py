"""The queue for the threads that hash passwords: bounded in length, in time, and in what one source may have of it.

Argon2 is slow on purpose and would starve everything else, so a few threads of low priority do it. Without bounds
whoever sends many logins would have all other readers wait behind them. So the queue has an end (beyond it requests are
refused with 503), nobody waits in it for long, an e-mail, a form or an address takes at most a quarter of it, and a
caller that has gone away takes nothing: it is dropped when its turn comes, or when somebody else needs the place.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from stamkund.rules.requester import Requester

T = TypeVar("T")

_NICENESS = 15
_SHARES = 4
"""One source takes at most the fourth part."""

Check = Callable[[], Awaitable[None]]


class HashingQueueFull(Exception):
    """Too many passwords are waiting to be hashed, at all or from the same source, or one has waited too long."""


class CallerGone(Exception):
    """Whoever waited for a password to be hashed has gone away."""


class _Place:
    """A place in the queue. `turn`: what whoever has it waits for, None where it need not wait."""

    def __init__(self, requester: Requester) -> None:
        self.requester = requester
        self.turn: asyncio.Future[None] | None = None
        self.is_counted = True

    def begin(self) -> bool:
        """Lets it begin; returns whether it was still waiting."""
        if self.turn is None or self.turn.done():
            return False
        self.turn.set_result(None)
        return True

    def fail(self, error: Exception) -> None:
        if self.turn is not None and not self.turn.done():
            self.turn.set_exception(error)


class HashingQueue:
    """The queue and the threads of one process."""

    def __init__(self, threads: int, places: int, seconds: float) -> None:
        """`places`: how many may wait or be at work; `seconds`: how long one may wait."""
        self._pool = ThreadPoolExecutor(threads, "stamkund-hashing", initializer=_lower_priority)
        self._free = 2 * threads  # one job waits for each thread, so that none idles
        self._places = places
        self._share = max(1, places // _SHARES)
        self._seconds = seconds
        self._waiting: deque[_Place] = deque()
        self._count = 0
        self._counts: dict[str, int] = {}

    async def run(self, work: Callable[[], T], requester: Requester, check: Check | None = None) -> T:
        """What `work` returns, done by one of the threads when its turn comes.

        `check` runs just before, and what it raises is raised instead. Raises HashingQueueFull, CallerGone.
        """
        place = self._enter(requester)
        try:
            await self._wait(place)
            try:
                if check is not None:
                    await check()
                if requester.is_gone():
                    raise CallerGone
                return await asyncio.get_running_loop().run_in_executor(self._pool, work)
            finally:
                self._begin_next()
        finally:
            self._leave(place)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _enter(self, requester: Requester) -> _Place:
        """A place, counted. Raises HashingQueueFull."""
        if self._is_full(requester):
            self._drop_gone()
            if self._is_full(requester):
                raise HashingQueueFull
        self._count += 1
        for source in requester.sources:
            self._counts[source] = self._counts.get(source, 0) + 1
        return _Place(requester)

    def _is_full(self, requester: Requester) -> bool:
        counts = self._counts
        return self._count >= self._places or any(counts.get(source, 0) >= self._share for source in requester.sources)

    def _leave(self, place: _Place) -> None:
        if not place.is_counted:
            return
        place.is_counted = False
        self._count -= 1
        for source in place.requester.sources:
            self._counts[source] -= 1
            if not self._counts[source]:
                del self._counts[source]

    def _drop_gone(self) -> None:
        """Takes their places from callers that have gone away."""
        gone = [place for place in self._waiting if place.requester.is_gone()]
        for place in gone:
            self._waiting.remove(place)
            self._leave(place)
            place.fail(CallerGone())

    async def _wait(self, place: _Place) -> None:
        """Waits until one of the threads is free. Raises HashingQueueFull, CallerGone."""
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        place.turn = loop.create_future()
        self._waiting.append(place)
        # No `asyncio.timeout`: a request that has not waited for anything yet runs outside of any task.
        deadline = loop.call_later(self._seconds, place.fail, HashingQueueFull())
        try:
            await place.turn
        except BaseException:
            if place.turn.done() and not place.turn.cancelled() and place.turn.exception() is None:
                self._begin_next()  # cancelled when its turn had come
            raise
        finally:
            deadline.cancel()

    def _begin_next(self) -> None:
        """Gives a free thread to the next that waits."""
        while self._waiting:
            if self._waiting.popleft().begin():
                return
        self._free += 1


def _lower_priority() -> None:
    """Lowers the priority of the calling thread, on systems that have one for each thread (Linux)."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
