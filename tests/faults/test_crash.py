"""`kill -9` in the middle of activations: what got a response stays, whole; what did not is whole or not there."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import psutil

from stamkund.rules.customer import Customer
from tests.support.installation import ACCOUNTS, CANDIDATE, Caller, Installation
from tests.support.installation_fixtures import running
from tests.support.rows import halves
from tests.support.waiting import until

AT_ONCE = 8


@dataclass
class Stream:
    """Activations, several at once, until something is done to the server."""

    caller: Caller
    left: list[Customer]
    made: dict[str, str] = field(default_factory=dict)
    lost: list[Customer] = field(default_factory=list)

    async def until(self, responses: int, blow: Callable[[], None]) -> None:
        """Activates until so many responses came, then strikes; the requests on their way get none."""
        goal = len(self.made) + responses
        await asyncio.gather(*(self._go_on(goal, blow) for _ in range(AT_ONCE)))

    async def _go_on(self, goal: int, blow: Callable[[], None]) -> None:
        while self.left and len(self.made) < goal:
            candidate = self.left.pop()
            try:
                response = await self.caller.activate(candidate, email_of(candidate))
            except httpx.TransportError:
                self.lost.append(candidate)
                return
            assert response.status_code == 201, response.text
            self.made[candidate.customer_number] = response.json()["id"]
            if len(self.made) == goal:
                blow()


async def test_kill_in_a_stream_of_activations(installation: Installation) -> None:
    async with running(installation, workers=2) as (server, caller):
        stream = Stream(caller, await installation.candidates(200))
        for responses, workers_after in ((1, 1), (20, 1), (60, 2)):
            await stream.until(responses, lambda: server.send_signal(signal.SIGKILL, everyone=True))
            await server.ended()
            assert await halves(installation.database_url) == []
            await server.start(workers=workers_after)
            for number, account_id in list(stream.made.items())[-responses - AT_ONCE :]:
                await is_whole(caller, number, account_id)
        assert stream.lost
        for candidate in [*stream.lost, *stream.left[:5]]:
            await is_whole_or_free(caller, candidate)
    assert await halves(installation.database_url) == []


async def test_another_worker_takes_over(installation: Installation) -> None:
    """One of two workers dies: callers of the other notice nothing, and a new one takes its place."""
    async with running(installation, workers=2) as (server, caller):
        stream = Stream(caller, await installation.candidates(60))
        before = server.workers()
        await stream.until(20, lambda: os.kill(before[0], signal.SIGKILL))
        await until(lambda: set(server.workers()) > {before[1]})
        for candidate in [*stream.lost, *stream.left]:
            await is_whole_or_free(caller, candidate)
        assert await server.stop() == 0
    assert await halves(installation.database_url) == []


async def test_no_worker_outlives_the_command(embedded: Installation) -> None:
    """`kill -9` of the command alone: its workers stop too, else they would hold the port and the database for ever."""
    async with running(embedded, workers=2) as (server, _):
        workers = [psutil.Process(pid) for pid in server.workers()]
        server.send_signal(signal.SIGKILL)
        _, alive = await asyncio.to_thread(psutil.wait_procs, workers, 30)
        assert alive == []
        await server.ended()
        await server.start()


async def is_whole(caller: Caller, number: str, account_id: str) -> None:
    response = await caller.get(ACCOUNTS, customer_number=number)
    assert response.status_code == 200, response.text
    item = response.json()["item"]
    assert (item["id"], len(item["user_products"])) == (account_id, 1)
    login = await caller.login(item["email"])
    assert login.status_code == 200, login.text


async def is_whole_or_free(caller: Caller, candidate: Customer) -> None:
    """No client learned what became of this candidate: it is an account, or can still become one."""
    second = await caller.get(CANDIDATE, customer_number=candidate.customer_number)
    response = await caller.activate(candidate, email_of(candidate))
    assert (second.status_code, response.status_code) in {(200, 201), (409, 409)}
    account = (await caller.get(ACCOUNTS, customer_number=candidate.customer_number)).json()["item"]
    await is_whole(caller, candidate.customer_number, account["id"])


def email_of(candidate: Customer) -> str:
    return f"{candidate.customer_number}@example.com"
