"""Slow requests, of which a few are under way at any time: those that hash a password."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

from bench import processes

IN_FLIGHT = 16


def responses_per_second(
    server: processes.Server,
    requests: Iterator[bytes],
    status: int,
    seconds: float,
    stop: threading.Event | None = None,
) -> float:
    """Sends with a few requests in flight until `seconds` have passed or `stop` is set; returns responses per second.

    Each response must have `status`: a refusal is quicker than what is measured.
    """
    return asyncio.run(_responses_per_second(server, requests, status, seconds, stop or threading.Event()))


async def _responses_per_second(
    server: processes.Server, requests: Iterator[bytes], status: int, seconds: float, stop: threading.Event
) -> float:
    started = time.perf_counter()
    done = 0

    async def one_after_the_other() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection(processes.HOST, server.port)
        while time.perf_counter() - started < seconds and not stop.is_set():
            writer.write(next(requests))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 %d" % status), head
            await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
            done += 1
        writer.close()

    await asyncio.gather(*(one_after_the_other() for _ in range(IN_FLIGHT)))
    return done / (time.perf_counter() - started)
