"""Connections: each sends when its response has come, or at a pace."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import cast

from bench.load.meter import Meter
from bench.load.plan import LOST


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    __slots__ = ("busy", "length", "meter", "missing", "sent", "status", "tail", "transport")

    def __init__(self, meter: Meter) -> None:
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


class Pacer:
    """Hands out due times to whichever connection has been idle longest."""

    def __init__(self) -> None:
        self.idle: deque[PacedConnection] = deque()
        self.waiting: deque[float] = deque()

    def due(self, when: float) -> None:
        if self.idle:
            self.idle.popleft().send(when)
        else:
            self.waiting.append(when)


class PacedConnection(Connection):
    __slots__ = ("pacer",)

    def __init__(self, meter: Meter, pacer: Pacer) -> None:
        super().__init__(meter)
        self.pacer = pacer

    def next(self, now: float) -> None:
        """Open loop: take a request that is already late, or wait for the next one due."""
        if self.pacer.waiting:
            self.send(self.pacer.waiting.popleft())
        else:
            self.pacer.idle.append(self)
            self.meter.changed.set()
