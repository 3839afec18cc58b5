"""SQLite on a full disk, and with somebody else holding its lock: what can be done is done, the rest is 503."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from stamkund.rules.customer import Customer
from stamkund.store import sqlite
from tests.support.installation import ACCOUNTS, ACTIVATE, CANDIDATE, Caller, Installation, activation, is_unavailable
from tests.support.installation_fixtures import running
from tests.support.rows import database_file, halves
from tests.support.service import applications

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
async def test_a_lock_that_another_process_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """Reads go on, writers wait: no request fails because the database is locked."""
    monkeypatch.setattr(sqlite, "LOCK_WAIT_SECONDS", 600)  # however long the reads take, nobody gives up
    file = tmp_path / "stamkund.db"
    async with applications(f"sqlite:///{file}", tmp_path / "stamkund.key", workers) as services:
        publisher = await services[0].publisher()
        await publisher.activated(EMAIL)
        headers = await publisher.headers()
        candidates = [await publisher.customer(f"c{n}", social_security_number=None) for n in range(20)]
        for service in services:
            service.http.timeout = httpx.Timeout(600)
        with locked(file):
            waiting = [
                asyncio.create_task(
                    service.http.post(
                        ACTIVATE, json=activation(one, f"{one.customer_number}@example.com"), headers=headers
                    )
                )
                for one, service in zip(candidates, itertools.cycle(services))
            ]
            for service in services:
                for _ in range(300 // workers):
                    response = await service.http.get(ACCOUNTS, params={"email": EMAIL}, headers=headers)
                    assert response.status_code == 200
            assert not any(task.done() for task in waiting)
        assert [response.status_code for response in await asyncio.gather(*waiting)] == [201] * len(candidates)
    assert await halves(f"sqlite:///{file}") == []


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


_HOLD = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Holds the write lock of the database, as a backup script or somebody's console may."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", _HOLD, str(file)], stdin=pipe, stdout=pipe) as other:
        assert other.stdin is not None and other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        yield
        other.stdin.close()
