"""Listens to the statements that databases are really sent, so that a test can count them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from stamkund.server import jobs
from stamkund.store import sqlite
from tests.support.service import RunningService

_FRAMES = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA")


# asyncpg looks up the types of arrays' elements, once for each connection.
_INTROSPECTION = ("typeinfo_tree", "set_config('jit'")


class Statements:
    """What was sent since the last `take`, without what only begins and ends transactions."""

    def __init__(self) -> None:
        self._seen: list[str] = []

    def heard(self, statement: str) -> None:
        if not statement.startswith(_FRAMES) and not any(mark in statement for mark in _INTROSPECTION):
            self._seen.append(statement)

    def take(self) -> list[str]:
        take, self._seen = self._seen, []
        return take


def listened(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """From now on every connection that is opened, on either engine, is listened to. Rows that PostgreSQL takes by COPY
    are not heard."""
    statements = Statements()
    connect, create_pool = sqlite._connect, asyncpg.create_pool

    def connected(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_trace_callback(statements.heard)
        return connection

    async def listen(connection: Any) -> None:
        connection.add_query_logger(lambda record: statements.heard(record.query))

    monkeypatch.setattr(sqlite, "_connect", connected)
    monkeypatch.setattr(asyncpg, "create_pool", partial(create_pool, init=listen))
    return statements


@asynccontextmanager
async def listened_service(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[RunningService, Statements]]:
    """An application of its own, whose statements are listened to, without background jobs."""
    statements = listened(monkeypatch)
    monkeypatch.setattr(jobs, "_forever", _not_at_all)
    async with RunningService(url, folder / "a.key") as service:
        yield service, statements


async def _not_at_all(*_: object) -> None:
    """In place of a background job."""


async def cost(service: RunningService, statements: Statements, request: Awaitable[object]) -> int:
    """How many statements a request takes."""
    await service.http.get("/health/live")  # earlier statements have been counted by now
    statements.take()
    await request
    await service.http.get("/health/live")
    return len(statements.take())
