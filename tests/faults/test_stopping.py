"""Stopping and being full: what was taken on is finished, what can't be taken on is refused at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import msgspec
import pytest

from tests.support.installation import (
    ACTIVATE,
    HOST,
    Caller,
    Installation,
    ServerProcess,
    activation,
    is_problem,
    is_unavailable,
)
from tests.support.installation_fixtures import running
from tests.support.rows import counts, halves, made

SLOW = {"argon2_memory_kib": 32_768, "argon2_passes": 6, "hashing_threads": 1}
"""A few tenths of a second for each password."""


@dataclass
class PendingRequest:
    """A request that the server has begun to handle: it has sent `100 Continue`."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send_body(self, body: bytes) -> None:
        self.writer.write(body)
        await self.writer.drain()

    async def status(self) -> int:
        response = await self.reader.read()
        self.writer.close()
        return int(response.split()[1])


async def start_request(server: ServerProcess, caller: Caller, body: bytes) -> PendingRequest:
    reader, writer = await asyncio.open_connection(HOST, server.port)
    head = f"POST {ACTIVATE} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {caller.token}\r\nconnection: close\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\nexpect: 100-continue\r\n\r\n"
    writer.write(head.encode())
    assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
    return PendingRequest(reader, writer)


@pytest.mark.parametrize(("workers", "everyone"), [(1, False), (2, False), (2, True)])
async def test_requests_in_flight_get_their_response(installation: Installation, workers: int, everyone: bool) -> None:
    """The signal goes to the command alone (Docker) or to all of its processes (systemd, Ctrl-C)."""
    async with running(installation, workers=workers, **SLOW) as (server, caller):
        candidates = await installation.candidates(4)
        bodies = [msgspec.json.encode(activation(c, f"{c.customer_number}@example.com")) for c in candidates]
        requests = [await start_request(server, caller, body) for body in bodies]
        for request, body in zip(requests[:-1], bodies, strict=False):
            await request.send_body(body)
        server.send_signal(signal.SIGTERM, everyone=everyone)
        await requests[-1].send_body(bodies[-1])
        assert [await request.status() for request in requests] == [201] * 4
        assert await server.ended() == 0
    assert await counts(installation.database_url) == made(4)
    assert await halves(installation.database_url) == []


@pytest.mark.parametrize("workers", [1, 2])
async def test_ctrl_c_stops_in_order(embedded: Installation, workers: int) -> None:
    async with running(embedded, workers=workers) as (server, _):
        server.send_signal(signal.SIGINT, everyone=True)
        assert await server.ended() == 0
        assert "Traceback" not in server.log


async def test_a_request_that_takes_too_long_does_not_keep_the_server(embedded: Installation) -> None:
    """A caller who never sends its body is left after STAMKUND_STOP_SECONDS."""
    async with running(embedded, stop_seconds=1) as (server, caller):
        request = await start_request(server, caller, b"{}")
        assert await server.stop() == 0
        request.writer.close()


async def test_a_full_queue_is_503_with_retry_after(installation: Installation) -> None:
    """One password is hashed at a time: who comes meanwhile is refused at once, and reading goes on."""
    async with full_queue(installation) as (server, caller, waiting):
        [candidate] = await installation.candidates(1, first=100)
        responses = [await caller.activate(candidate, "late@example.com"), await caller.login("nobody@example.com")]
        assert [is_unavailable(response) for response in responses] == [True, True]
        assert (await server.http.get("/health/ready")).status_code == 200
        assert is_problem(await caller.get("/external/api/v1/accounts", email="a@example.com"), 404, "not_found")
        assert not waiting.done()
        assert (await waiting).status_code == 201
        assert (await caller.activate(candidate, "late@example.com")).status_code == 201
    assert await halves(installation.database_url) == []


@asynccontextmanager
async def full_queue(
    installation: Installation,
) -> AsyncIterator[tuple[ServerProcess, Caller, asyncio.Task[httpx.Response]]]:
    """A server whose queue of one is taken, by the one of two activations that was not refused."""
    endless = {**SLOW, "argon2_passes": 32}
    async with running(installation, hashing_queue=1, **endless) as (server, caller):
        candidates = await installation.candidates(2)
        both = [asyncio.create_task(caller.activate(c, f"{c.customer_number}@example.com")) for c in candidates]
        done, [waiting] = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        assert [is_unavailable(task.result()) for task in done] == [True]
        yield server, caller, waiting
