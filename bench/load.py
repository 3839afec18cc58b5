"""An HTTP/1.1 keep-alive load generator that stays cheaper than the servers it drives.

Requests are ready-made bytes and a response is read only as far as its status and length, because
every microsecond spent here is taken from the server on a small machine. Linux only: the paced
mode needs a timer finer than the event loop's millisecond.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import itertools
import json
import multiprocessing
import os
import time
from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import cast

import uvloop

DRAIN_SECONDS = 5.0
LOST = 0
"""The "status" under which a lost connection or a request without response is counted."""

_CLOCK_MONOTONIC = 1
_TIMER_ABSOLUTE = 1


@dataclass(frozen=True)
class Result:
    """What one run measured; latencies are in milliseconds."""

    requests_per_second: float
    p50: float
    p99: float
    max_ms: float
    count: int
    errors: dict[int, int]
    client_cpu_seconds: float
    mean_body_bytes: float
    seconds: float

    @property
    def client_cpu_share(self) -> float:
        """How much of one core the generator used: near 1.0 it was the bottleneck itself."""
        return self.client_cpu_seconds / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class _Plan:
    host: str
    port: int
    connections: int
    seconds: float
    warmup: float
    pace: float | None
    awake: bool = False


class LoadError(Exception):
    """The run met responses that it did not expect, so its speed means nothing."""

    def __init__(self, reason: str, result: Result) -> None:
        super().__init__(reason, result)
        self.reason = reason
        self.result = result

    def __str__(self) -> str:
        return f"{self.reason}: {self.result}"


def request(
    path: str, *, method: str = "GET", headers: dict[str, str] | None = None, body: bytes | None = None
) -> bytes:
    """Build one ready-made request."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", "accept: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class _Meter:
    """What the connections share: the requests to send and the tally of what came back."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self.requests: Iterator[bytes] = itertools.cycle(requests)
        self.latencies: list[float] = []
        self.body_bytes = 0
        self.errors: Counter[int] = Counter()
        self.sending = True
        self.failure: str | None = None
        self.count_from = 0.0
        self.cpu_from = 0.0
        self.changed = asyncio.Event()
        self.failed = asyncio.Event()

    def start_counting(self, sent_from: float = 0.0) -> None:
        """Forget the warm-up; from here on only requests sent since `sent_from` count."""
        self.latencies.clear()
        self.body_bytes = 0
        self.count_from = sent_from
        self.cpu_from = time.process_time()

    def fail(self, reason: str) -> None:
        self.failure = self.failure or reason
        self.sending = False
        self.changed.set()
        self.failed.set()

    def result(self, seconds: float, cpu_seconds: float) -> Result:
        ordered = sorted(self.latencies)
        count = len(ordered)

        def at(share: float) -> float:
            return ordered[min(count - 1, int(count * share))] * 1000 if count else 0.0

        return Result(
            requests_per_second=count / seconds,
            p50=at(0.5),
            p99=at(0.99),
            max_ms=at(1.0),
            count=count,
            errors=dict(self.errors),
            client_cpu_seconds=cpu_seconds,
            mean_body_bytes=self.body_bytes / count if count else 0.0,
            seconds=seconds,
        )


class _Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    __slots__ = ("busy", "length", "meter", "missing", "sent", "status", "tail", "transport")

    def __init__(self, meter: _Meter) -> None:
        self.meter = meter
        self.transport: asyncio.Transport | None = None
        self.busy = False
        self.sent = 0.0
        self.tail = b""
        self.missing = 0
        self.length = 0
        self.status = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        # A closed connection is not reopened: the comparison is about keep-alive traffic.
        if self.meter.sending or self.busy:
            self.busy = False
            self.meter.errors[LOST] += 1
            self.meter.fail("the server closed a connection")

    def send(self, since: float) -> None:
        """Send the next request; its latency counts from `since`."""
        self.sent = since
        self.busy = True
        assert self.transport is not None
        self.transport.write(next(self.meter.requests))

    def data_received(self, data: bytes) -> None:
        if self.missing:
            self.missing -= len(data)
        else:
            if self.tail:
                data = self.tail + data
                self.tail = b""
            head_end = data.find(b"\r\n\r\n")
            if head_end < 0:
                self.tail = data
                return
            self.status = data[9:12]
            self.length = self._body_length(data, head_end)
            self.missing = head_end + 4 + self.length - len(data)
        if self.missing > 0:
            return
        if self.missing < 0:
            self.meter.fail("more bytes than the content-length said")
            return
        self._complete()

    def _body_length(self, data: bytes, head_end: int) -> int:
        at = data.find(b"\r\ncontent-length: ", 0, head_end)
        if at < 0:
            return self._body_length_slowly(data[:head_end])
        return int(data[at + 18 : data.find(b"\r", at + 18)])

    def _body_length_slowly(self, head: bytes) -> int:
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                return int(value)
        if self.status not in (b"204", b"304"):
            self.meter.fail("a response without content-length, which this generator cannot read")
        return 0

    def _complete(self) -> None:
        now = time.perf_counter()
        meter = self.meter
        self.busy = False
        if self.status[:1] != b"2":
            meter.errors[int(self.status)] += 1
        if self.sent >= meter.count_from:
            meter.latencies.append(now - self.sent)
            meter.body_bytes += self.length
        self.next(now)

    def next(self, now: float) -> None:
        """Closed loop: the response to one request is the start of the next."""
        if self.meter.sending:
            self.send(now)
        else:
            self.meter.changed.set()


class _Pacer:
    """Hands out due times to whichever connection has been idle longest."""

    def __init__(self) -> None:
        self.idle: deque[_PacedConnection] = deque()
        self.waiting: deque[float] = deque()

    def due(self, when: float) -> None:
        if self.idle:
            self.idle.popleft().send(when)
        else:
            self.waiting.append(when)


class _PacedConnection(_Connection):
    __slots__ = ("pacer",)

    def __init__(self, meter: _Meter, pacer: _Pacer) -> None:
        super().__init__(meter)
        self.pacer = pacer

    def next(self, now: float) -> None:
        """Open loop: take a request that is already late, or wait for the next one due."""
        if self.pacer.waiting:
            self.send(self.pacer.waiting.popleft())
        else:
            self.pacer.idle.append(self)
            self.meter.changed.set()


class _TimerSpec(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("every_s", "every_ns", "first_s", "first_ns")]


class _Ticker:
    """A kernel timer as a file; reading it returns how many ticks have passed since the last read."""

    def __init__(self, first: float, every: float) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        spec = _TimerSpec(*_split(every), *_split(first))
        if libc.timerfd_settime(self.fd, _TIMER_ABSOLUTE, ctypes.byref(spec), None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def passed(self) -> int:
        try:
            return int.from_bytes(os.read(self.fd, 8), "little")
        except BlockingIOError:
            return 0

    def close(self) -> None:
        os.close(self.fd)


def _split(seconds: float) -> tuple[int, int]:
    return divmod(round(seconds * 1e9), 1_000_000_000)


async def _sleep_until(when: float, meter: _Meter) -> None:
    """Sleep, but no longer once the run has failed: there is nothing left to measure."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(when - time.perf_counter()):
            await meter.failed.wait()


async def _drain(meter: _Meter, links: Sequence[_Connection], waiting: Collection[float] = ()) -> None:
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


async def _closed_loop(meter: _Meter, links: Sequence[_Connection], plan: _Plan) -> Result:
    start = time.perf_counter()
    for link in links:
        link.send(time.perf_counter())
    await _sleep_until(start + plan.warmup, meter)
    counted_from = time.perf_counter()
    meter.start_counting()
    await _sleep_until(counted_from + plan.seconds, meter)
    meter.sending = False
    result = meter.result(time.perf_counter() - counted_from, time.process_time() - meter.cpu_from)
    await _drain(meter, links)
    return result


async def _open_loop(meter: _Meter, links: Sequence[_PacedConnection], plan: _Plan, pace: float) -> Result:
    pacer = links[0].pacer
    pacer.idle.extend(links)
    start = time.perf_counter() + 0.01
    first_counted, total = round(plan.warmup * pace), round((plan.warmup + plan.seconds) * pace)
    number = 0
    done = asyncio.Event()
    ticker = _Ticker(start, 1 / pace)

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
    await _drain(meter, links, pacer.waiting)
    elapsed = max(time.perf_counter() - meter.count_from, (total - first_counted) / pace)
    return meter.result(elapsed, time.process_time() - meter.cpu_from)


async def _run(plan: _Plan, requests: Sequence[bytes]) -> tuple[Result, _Meter]:
    meter = _Meter(requests)
    pacer = _Pacer()
    links: list[_Connection] = []

    def protocol() -> _Connection:
        links.append(_Connection(meter) if plan.pace is None else _PacedConnection(meter, pacer))
        return links[-1]

    if plan.awake:
        _stay_awake(asyncio.get_running_loop())
    try:
        for _ in range(plan.connections):
            await asyncio.get_running_loop().create_connection(protocol, plan.host, plan.port)
        if plan.pace is None:
            result = await _closed_loop(meter, links, plan)
        else:
            paced = [link for link in links if isinstance(link, _PacedConnection)]
            result = await _open_loop(meter, paced, plan, plan.pace)
    finally:
        _hang_up(meter, links)
    return result, meter


def _stay_awake(loop: asyncio.AbstractEventLoop) -> None:
    """Keep the event loop from ever sleeping.

    On a virtual machine waking a sleeping core costs the one who wakes it, here the server under test, several
    microseconds for each response: a slow server, whose client sleeps, would pay for it and a fast one would not.
    """
    loop.call_soon(_stay_awake, loop)


def _hang_up(meter: _Meter, links: Sequence[_Connection]) -> None:
    meter.sending = False
    for link in links:
        link.busy = False
        if link.transport is not None:
            link.transport.abort()


def run(
    host: str,
    port: int,
    requests: Sequence[bytes],
    connections: int = 64,
    seconds: float = 5.0,
    warmup: float = 1.0,
    pace: float | None = None,
    *,
    allow: Collection[int] = (),
    awake: bool = False,
) -> Result:
    """Drive the server, in this very process, and return what was measured after the warm-up.

    Without `pace` every connection sends as soon as it has its response. With it, `pace` requests a
    second fall due evenly, whether or not the server keeps up, and a latency counts from when the
    request was due: a slow server cannot hide its slowness by slowing the client down too.
    A status outside 2xx raises LoadError unless it stands in `allow`, in the warm-up as well.
    """
    plan = _Plan(host, port, connections, seconds, warmup, pace, awake)
    if not requests:
        raise ValueError("no requests to send")
    gc.collect()
    gc.disable()  # a collection pause in the client would be read as the server's latency
    try:
        result, meter = uvloop.run(_run(plan, requests))
    finally:
        gc.enable()
    result = replace(result, errors=dict(meter.errors))  # the drain may have added some
    unexpected = {status for status in meter.errors if status not in allow}
    if meter.failure or unexpected:
        raise LoadError(meter.failure or f"unexpected statuses {dict(meter.errors)}", result)
    return result


def run_in_process(
    host: str,
    port: int,
    requests: Sequence[bytes],
    connections: int = 64,
    seconds: float = 5.0,
    warmup: float = 1.0,
    pace: float | None = None,
    *,
    allow: Collection[int] = (),
    awake: bool = False,
) -> Result:
    """Do run() in a fresh interpreter, so that the caller's own work cannot disturb it."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(
            run, host, port, list(requests), connections, seconds, warmup, pace, allow=tuple(allow), awake=awake
        ).result()


def main() -> None:
    """Drive one path from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("port", type=int)
    parser.add_argument("path", nargs="?", default="/")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warmup", type=float, default=1.0)
    parser.add_argument("--pace", type=float, help="requests a second; as fast as possible without it")
    options = parser.parse_args()
    headers = dict(header.split(":", 1) for header in options.header)
    result = run(
        options.host,
        options.port,
        [request(options.path, headers=headers)],
        options.connections,
        options.seconds,
        options.warmup,
        options.pace,
    )
    print(json.dumps(asdict(result) | {"client_cpu_share": result.client_cpu_share}, indent=2))


if __name__ == "__main__":
    main()
