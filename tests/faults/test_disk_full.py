"""SQLite on a full disk, and with somebody else holding its lock: what can be done is done, the rest is 503."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from stamkund.rules.customer import Customer
from tests.support.installation import ACCOUNTS, CANDIDATE, Caller, Installation, is_unavailable
from tests.support.installation_fixtures import running
from tests.support.rows import database_file, halves

EMAIL = "ove.ovesson@example.com"
ROOM = 256 * 1024
"""Bytes that the write-ahead log may still grow by: enough for some activations, not for all."""

both_sizes = pytest.mark.parametrize("workers", [1, 2])


@both_sizes
async def test_a_full_disk(embedded: Installation, workers: int) -> None:
    async with running(embedded, workers=workers) as (server, caller):
        candidates = await embedded.candidates(400)
        assert (await caller.activate(candidates.pop(), EMAIL)).status_code == 201
        server.limit_files(log_bytes(embedded) + ROOM)
        made, failed = await until_full(caller, candidates)
        assert made
        server.limit_files(0)  # what did not suffice for an account may have for a token
        assert is_unavailable(await caller.grant("none"))
        assert await reading_works(caller, made, failed)
        assert (await server.http.get("/health/ready")).status_code == 200
        assert await halves(embedded.database_url) == []
        assert "SQLITE_" in server.log  # the log says what is wrong

        server.limit_files()
        assert (await caller.activate(failed, "again@example.com")).status_code == 201
        assert await server.stop() == 0
    assert await halves(embedded.database_url) == []


async def test_a_restart_after_a_full_disk(embedded: Installation) -> None:
    async with running(embedded) as (server, caller):
        candidates = await embedded.candidates(400)
        server.limit_files(log_bytes(embedded) + ROOM)
        made, failed = await until_full(caller, candidates)
        assert await server.stop() == 0
        await server.start()
        for number, account_id in made.items():
            response = await caller.get(ACCOUNTS, customer_number=number)
            assert response.json()["item"]["id"] == account_id
        assert (await caller.activate(failed, "again@example.com")).status_code == 201
    assert await halves(embedded.database_url) == []


@both_sizes
async def test_a_lock_that_another_process_holds(embedded: Installation, workers: int) -> None:
    """Reads go on, writers wait: no request fails because the database is locked."""
    async with running(embedded, workers=workers) as (_, caller):
        candidates = await embedded.candidates(20)
        assert (await caller.activate(candidates.pop(), EMAIL)).status_code == 201
        with locked(embedded):
            waiting = [asyncio.create_task(caller.activate(c, f"{c.customer_number}@example.com")) for c in candidates]
            for _ in range(300):
                assert (await caller.get(ACCOUNTS, email=EMAIL)).status_code == 200
            assert not any(task.done() for task in waiting)
        assert [response.status_code for response in await asyncio.gather(*waiting)] == [201] * len(candidates)
    assert await halves(embedded.database_url) == []


async def test_a_log_on_a_full_disk(embedded: Installation) -> None:
    """A log that can't be written costs no response."""
    async with running(embedded) as (server, caller):
        candidates = await embedded.candidates(3)
        await server.stop()
        await server.start(errors=Path("/dev/full"))
        responses = [await caller.get(CANDIDATE, customer_number="c1") for _ in range(1000)]
        assert {response.status_code for response in responses} == {200}
        server.limit_files(0)
        assert is_unavailable(await caller.activate(candidates[0], EMAIL))  # whose warning is written at once
        server.limit_files()
        assert (await caller.activate(candidates[0], EMAIL)).status_code == 201
        assert await server.stop() == 0


async def until_full(caller: Caller, candidates: list[Customer]) -> tuple[dict[str, str], Customer]:
    """Activates one after the other until the disk is full; gives what was made and the one who was refused."""
    made: dict[str, str] = {}
    for candidate in candidates:
        response = await caller.activate(candidate, f"{candidate.customer_number}@example.com")
        if response.status_code != 201:
            assert is_unavailable(response), response.text
            return made, candidate
        made[candidate.customer_number] = response.json()["id"]
    raise AssertionError("the disk never got full")


async def reading_works(caller: Caller, made: dict[str, str], failed: Customer) -> bool:
    responses = [await caller.get(ACCOUNTS, customer_number=number) for number in made]
    free = await caller.get(CANDIDATE, customer_number=failed.customer_number)
    return [r.json()["item"]["id"] for r in responses] == list(made.values()) and free.status_code == 200


def log_bytes(installation: Installation) -> int:
    file = database_file(installation.database_url)
    return file.with_name(f"{file.name}-wal").stat().st_size


@contextmanager
def locked(installation: Installation) -> Iterator[None]:
    """Holds the write lock of the database, as a backup script or somebody's console may."""
    with closing(sqlite3.connect(database_file(installation.database_url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
