"""Closed loop and open loop: what sets the pace of a run, the responses or the clock."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Sequence

from bench.load.connections import Connection, PacedConnection
from bench.load.meter import Meter
from bench.load.plan import LOST, Plan, Result
from bench.load.timer import Ticker

DRAIN_SECONDS = 5.0


async def _sleep_until(when: float, meter: Meter) -> None:
    """Sleep, but no longer once the run has failed: there is nothing left to measure."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(when - time.perf_counter()):
            await meter.failed.wait()


async def drain(meter: Meter, links: Sequence[Connection], waiting: Collection[float] = ()) -> None:
    """Wait for what is under way; a response that never comes is an error, not a gap in the data."""
    deadline = time.perf_counter() + DRAIN_SECONDS
    while (waiting or any(link.busy for link in links)) and meter.failure is None:
        left = deadline - time.perf_counter()
        if left <= 0:
            meter.errors[LOST] += len(waiting) + sum(link.busy for link in links)
            break
        meter.changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(meter.changed.wait(), left)


async def closed_loop(meter: Meter, links: Sequence[Connection], plan: Plan) -> Result:
    start = time.perf_counter()
    for link in links:
        link.send(time.perf_counter())
    await _sleep_until(start + plan.warmup, meter)
    counted_from = time.perf_counter()
    meter.start_counting()
    await _sleep_until(counted_from + plan.seconds, meter)
    meter.sending = False
    result = meter.result(time.perf_counter() - counted_from, time.process_time() - meter.cpu_from)
    await drain(meter, links)
    return result


async def open_loop(meter: Meter, links: Sequence[PacedConnection], plan: Plan, pace: float) -> Result:
    pacer = links[0].pacer
    pacer.idle.extend(links)
    start = time.perf_counter() + 0.01
    first_counted, total = round(plan.warmup * pace), round((plan.warmup + plan.seconds) * pace)
    number = 0
    done = asyncio.Event()
    ticker = Ticker(start, 1 / pace)

    def tick() -> None:
        nonlocal number
        for _ in range(min(ticker.passed(), total - number)):
            if number == first_counted:
                meter.start_counting(start + number / pace)
            pacer.due(start + number / pace)
            number += 1
        if number >= total or meter.failure:
            meter.sending = False
            done.set()

    loop = asyncio.get_running_loop()
    loop.add_reader(ticker.fd, tick)
    try:
        await done.wait()
    finally:
        loop.remove_reader(ticker.fd)
        ticker.close()
    await drain(meter, links, pacer.waiting)
    elapsed = max(time.perf_counter() - meter.count_from, (total - first_counted) / pace)
    return meter.result(elapsed, time.process_time() - meter.cpu_from)
