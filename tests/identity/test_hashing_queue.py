"""The queue for hashing: its end, its time, what one source may have of it, and callers that have gone away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from stamkund.identity.hashing_queue import CallerGone, HashingQueue, HashingQueueFull
from stamkund.rules.requester import ANYBODY, Requester, address_source

FOREVER = 600
PLACES = 40
AT_ONCE = 2
"""One at work and one that waits for the thread."""


class BusyQueue:
    """A queue of one thread that is at work until `release`."""

    def __init__(self, places: int = PLACES, seconds: float = FOREVER) -> None:
        self.queue = HashingQueue(1, places, seconds)
        self.done: list[str] = []
        self._released = threading.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def add(self, name: str, requester: Requester = ANYBODY) -> asyncio.Task[None]:
        """Adds one that waits, or that is refused."""

        def work() -> None:
            assert self._released.wait(20)
            self.done.append(name)

        task = asyncio.create_task(self.queue.run(work, requester))
        self._tasks.append(task)
        await asyncio.sleep(0)
        return task

    def release(self) -> None:
        self._released.set()


@asynccontextmanager
async def busy_queue(places: int = PLACES, seconds: float = FOREVER) -> AsyncIterator[BusyQueue]:
    busy = BusyQueue(places, seconds)
    for number in range(AT_ONCE):
        await busy.add(f"first {number}")
    try:
        yield busy
    finally:
        busy.release()
        await asyncio.gather(*busy._tasks, return_exceptions=True)
        busy.queue.close()
        assert (busy.queue._count, busy.queue._counts, busy.queue._free) == (0, {}, AT_ONCE), (
            "all places are free again"
        )


class Visitor:
    """Somebody who may go away."""

    def __init__(self, *sources: str) -> None:
        self.gone = False
        self.requester = Requester(sources, lambda: self.gone)


async def test_the_queue_has_an_end() -> None:
    async with busy_queue() as busy:
        waiting = [await busy.add(str(number)) for number in range(PLACES - AT_ONCE)]
        with pytest.raises(HashingQueueFull):
            await (await busy.add("one too many"))
        busy.release()
        await asyncio.gather(*waiting)
        assert busy.done == ["first 0", "first 1", *map(str, range(PLACES - AT_ONCE))], "first come, first served"


async def test_one_source_has_a_quarter_and_the_others_the_rest() -> None:
    async with busy_queue() as busy:
        of_one = [await busy.add("one", Requester(("form x", f"email {n}"))) for n in range(PLACES // 4)]
        with pytest.raises(HashingQueueFull):
            await (await busy.add("one too many", Requester(("email 99", "form x"))))
        others = [await busy.add("other", Requester((f"form {n}", "email x"))) for n in range(PLACES // 4)]
        with pytest.raises(HashingQueueFull):
            await (await busy.add("one too many", Requester(("form 99", "email x"))))
        busy.release()
        await asyncio.gather(*of_one, *others)
        await (await busy.add("one", Requester(("form x",))))


async def test_a_caller_that_has_gone_away_is_dropped_when_its_turn_comes() -> None:
    async with busy_queue() as busy:
        gone, here = Visitor(), Visitor()
        dropped = [await busy.add("gone", gone.requester) for _ in range(10)]
        living = await busy.add("here", here.requester)
        gone.gone = True
        busy.release()
        await living
        assert busy.done == ["first 0", "first 1", "here"]
        assert {type(task.exception()) for task in dropped} == {CallerGone}


async def test_a_caller_that_has_gone_away_makes_room() -> None:
    """At once, and in the share of its source too: nobody waits for the dead."""
    async with busy_queue() as busy:
        gone = Visitor("form x")
        share = [await busy.add("gone", gone.requester) for _ in range(PLACES // 4)]
        rest = [await busy.add("rest") for _ in range(PLACES - AT_ONCE - len(share))]
        gone.gone = True
        late = [await busy.add("late", Visitor("form x").requester) for _ in share]
        with pytest.raises(HashingQueueFull):
            await (await busy.add("one too many"))
        assert {type(task.exception()) for task in share} == {CallerGone}
        busy.release()
        await asyncio.gather(*rest, *late)


async def test_a_caller_that_goes_away_meanwhile_costs_no_hash() -> None:
    """Between its turn and the work is a check of the database."""
    queue, visitor = HashingQueue(1, PLACES, FOREVER), Visitor()

    async def check() -> None:
        visitor.gone = True

    with pytest.raises(CallerGone):
        await queue.run(lambda: pytest.fail("hashed for nobody"), visitor.requester, check)
    assert queue._count == 0 and queue._free == AT_ONCE
    queue.close()


async def test_no_request_waits_for_longer_than_the_deadline() -> None:
    async with busy_queue(seconds=0.05) as busy:
        waiting = await busy.add("late")
        with pytest.raises(HashingQueueFull):
            await waiting
        assert busy.queue._count == AT_ONCE
        busy.release()
        await asyncio.gather(*busy._tasks, return_exceptions=True)
        await busy.add("next")
    assert busy.done == ["first 0", "first 1", "next"]


async def test_a_request_that_is_cancelled_leaves_its_place() -> None:
    async with busy_queue() as busy:
        waiting, other = await busy.add("cancelled"), await busy.add("other")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        busy.release()
        await other
    assert "cancelled" not in busy.done


async def test_what_the_work_raises_is_raised() -> None:
    queue = HashingQueue(1, PLACES, FOREVER)

    def fails() -> None:
        raise ValueError("a fault")

    for _ in range(2 * PLACES):
        with pytest.raises(ValueError, match="a fault"):
            await queue.run(fails, Requester(("form x",)))
    queue.close()


@pytest.mark.parametrize(
    ("address", "source"),
    [
        (None, ()),
        ("", ()),
        ("unknown", ()),
        ("192.0.2.1", ("address 192.0.2.1",)),
        ("2001:db8:0:1::1", ("address 2001:db8:0:1::/64",)),
        ("2001:db8:0:1:ffff::2", ("address 2001:db8:0:1::/64",)),
        ("2001:db8:0:2::1", ("address 2001:db8:0:2::/64",)),
    ],
)
def test_a_site_of_ipv6_addresses_is_one_source(address: str | None, source: tuple[str, ...]) -> None:
    assert address_source(address) == source
