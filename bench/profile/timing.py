"""Timers for what takes microseconds: many different inputs, in loops, warm or with the caches evicted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import TypeVar

T = TypeVar("T")

ROUNDS = 5
AT_ONCE = 64
"""How many calls are under way at a time, as many as the load generator has connections."""
COLD_SAMPLES = 400
_OTHER_MEMORY = b"\1" * (4 << 20)
"""Larger than the first and second level caches of a core. Not of zeros: Linux maps those to one page."""


def warm(step: Callable[[T], object], inputs: Sequence[T]) -> float:
    """Microseconds of CPU that `step` takes for one input: the median of some rounds."""

    def once() -> None:
        for one in inputs:
            step(one)

    return median(_cpu_seconds(once) for _ in range(ROUNDS)) / len(inputs) * 1e6


def cold(step: Callable[[T], object], inputs: Sequence[T]) -> float:
    """The same where other memory was read before each input, so that code and data come from further away."""
    return median(_cold_seconds(step, one) for one in inputs[:COLD_SAMPLES]) * 1e6


async def warm_async(step: Callable[[T], Awaitable[object]], inputs: Sequence[T]) -> float:
    """Microseconds of this process's CPU for one input, `AT_ONCE` under way. What a task costs is taken off."""
    seconds = [await _at_once(step, inputs) for _ in range(ROUNDS)]
    tasks = [await _at_once(_nothing, inputs) for _ in range(ROUNDS)]
    return (median(seconds) - median(tasks)) / len(inputs) * 1e6


async def cold_async(step: Callable[[T], Awaitable[object]], inputs: Sequence[T]) -> float:
    """As `cold`, for what never waits: each turn of the event loop has `AT_ONCE` of them, one after the other."""
    seconds: list[float] = []

    async def once(one: T) -> None:
        evict_caches()
        started = time.perf_counter()
        await step(one)
        seconds.append(time.perf_counter() - started)

    await _at_once(once, inputs[:COLD_SAMPLES])
    return median(seconds) * 1e6


def evict_caches() -> None:
    _OTHER_MEMORY.count(2)


def _cpu_seconds(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _cold_seconds(step: Callable[[T], object], one: T) -> float:
    evict_caches()
    started = time.perf_counter()
    step(one)
    return time.perf_counter() - started


async def _at_once(step: Callable[[T], Awaitable[object]], inputs: Sequence[T]) -> float:
    started = time.process_time()
    for first in range(0, len(inputs), AT_ONCE):
        await asyncio.gather(*(step(one) for one in inputs[first : first + AT_ONCE]))
    return time.process_time() - started


async def _nothing(_: object) -> None:
    pass
