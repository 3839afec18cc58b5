"""PostgreSQL goes away, stands still, crashes or throws us out: 503 that says when to try again, then on as before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from stamkund.rules.customer import Customer
from tests.support.installation import (
    ACCOUNTS,
    CANDIDATE,
    ME,
    Caller,
    Installation,
    ServerProcess,
    is_unavailable,
)
from tests.support.installation_fixtures import running
from tests.support.postgres_server import PostgresServer
from tests.support.rows import executed, halves, rows
from tests.support.waiting import until

EMAIL = "ove.ovesson@example.com"


@dataclass
class Scenario:
    """A running server with one account and some candidates, and every call about them."""

    server: ServerProcess
    caller: Caller
    reader_token: str
    first: Customer
    candidates: list[Customer]

    async def every_call(self) -> list[httpx.Response]:
        """The responses of all calls that need the database, made at the same time."""
        first, caller = self.first, self.caller
        return await asyncio.gather(
            caller.get(ACCOUNTS, email=EMAIL),
            caller.get(ME, self.reader_token),
            caller.get(CANDIDATE, customer_number=first.customer_number),
            caller.grant("none"),
            caller.login(EMAIL),
            caller.activate(first, "new@example.com"),
            self.server.http.get("/health/ready"),
            self.server.http.get("/health/ready", headers={"origin": "https://herald.example"}),
        )

    async def works(self) -> bool:
        return {response.status_code for response in await self.every_call()} <= {200, 201, 409}


@pytest.fixture
async def installed(own_postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Installation]:
    url = own_postgres.create_database("lost")
    yield Installation(tmp_path, url)
    own_postgres.start()
    own_postgres.resume()
    own_postgres.drop_database("lost")


@asynccontextmanager
async def prepared(installation: Installation, workers: int = 1) -> AsyncIterator[Scenario]:
    async with running(installation, workers=workers) as (server, caller):
        candidates = await installation.candidates(60)
        await caller.activate(candidates.pop(), EMAIL)
        token = (await caller.login(EMAIL)).json()["access_token"]
        yield Scenario(server, caller, token, candidates.pop(), candidates)


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_stopped_database(installed: Installation, own_postgres: PostgresServer, workers: int) -> None:
    async with prepared(installed, workers) as scenario:
        for mode in ("fast", "immediate"):
            own_postgres.stop(mode)
            assert [r.text for r in await scenario.every_call() if not is_unavailable(r)] == []
            assert (await scenario.server.http.get("/health/live")).status_code == 200
            own_postgres.start()
            await until(scenario.works)
    assert await halves(installed.database_url) == []


async def test_a_database_that_stands_still(installed: Installation, own_postgres: PostgresServer) -> None:
    """Connections stay open and nothing responds: the time-outs of our own end every request."""
    async with prepared(installed) as scenario:
        own_postgres.pause()
        assert [r.text for r in await scenario.every_call() if not is_unavailable(r)] == []
        assert (await scenario.server.http.get("/health/live")).status_code == 200
        own_postgres.resume()
        await until(scenario.works)
    assert await halves(installed.database_url) == []


async def test_a_database_that_throws_us_out(installed: Installation) -> None:
    async with prepared(installed) as scenario:
        await disturbed(scenario, lambda: thrown_out(installed.database_url), times=10)
        await until(scenario.works)
    assert await halves(installed.database_url) == []


async def test_a_database_that_crashes(installed: Installation, own_postgres: PostgresServer) -> None:
    """What got a 201 is there after the crash."""

    async def crash() -> None:
        await asyncio.to_thread(own_postgres.stop, "immediate")
        await asyncio.to_thread(own_postgres.start)

    async with prepared(installed) as scenario:
        made = await disturbed(scenario, crash, times=1)
        await until(scenario.works)
        for number, account_id in made.items():
            response = await scenario.caller.get(ACCOUNTS, customer_number=number)
            assert response.json()["item"]["id"] == account_id
    assert await halves(installed.database_url) == []


async def test_cleaning_goes_on_after_a_fault(installation: Installation) -> None:
    """What runs in the background for ever must outlive whatever happens to the database."""
    async with running(installation, workers=2, cleaning_seconds=1, access_token_seconds=1) as (server, caller):
        await executed(installation.database_url, "ALTER TABLE tokens RENAME TO tokens_away")
        await until(lambda: '"cleaning ' in server.log)
        await executed(installation.database_url, "ALTER TABLE tokens_away RENAME TO tokens")
        await caller.grant("none")
        await until(lambda: is_empty(installation.database_url))
        await until(lambda: "expired tokens removed" in server.log)


async def is_empty(url: str) -> bool:
    return await rows(url, "SELECT 1 FROM tokens") == []


async def disturbed(scenario: Scenario, disturb: Callable[[], Awaitable[None]], times: int) -> dict[str, str]:
    """Calls, several at once, while the database is disturbed: right responses and 503s alone. Gives what was made."""
    made: dict[str, str] = {}
    done = asyncio.Event()

    async def activate() -> None:
        while scenario.candidates:
            candidate = scenario.candidates.pop()
            response = await scenario.caller.activate(candidate, f"{candidate.customer_number}@example.com")
            if response.status_code == 201:
                made[candidate.customer_number] = response.json()["id"]
            else:
                assert is_unavailable(response), response.text

    async def read() -> None:
        while not done.is_set():
            response = await scenario.caller.get(ACCOUNTS, email=EMAIL)
            assert response.status_code == 200 or is_unavailable(response), response.text

    async def activate_all() -> None:
        async with asyncio.TaskGroup() as some:
            for _ in range(4):
                some.create_task(activate())
        done.set()

    async with asyncio.TaskGroup() as all_of_it:
        all_of_it.create_task(activate_all())
        for _ in range(4):
            all_of_it.create_task(read())
        for _ in range(times):
            await disturb()
    return made


async def thrown_out(url: str) -> None:
    await rows(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stamkund'")
