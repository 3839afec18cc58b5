"""Fixtures for tests of the real command: an empty database on each engine, and an installation on it.

A folder of tests that wants them names them in its conftest.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres_server import PostgresServer
from tests.support.served import Caller, Installation, Served

_databases = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, on each engine."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database(f"installed_{next(_databases)}")


@pytest.fixture
def installation(url: str, tmp_path: Path) -> Installation:
    """An empty installation, on each engine."""
    return Installation(tmp_path, url)


@pytest.fixture
def embedded(tmp_path: Path) -> Installation:
    """An empty installation on SQLite."""
    return Installation(tmp_path, sqlite_url(tmp_path))


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'stamkund.db'}"


@asynccontextmanager
async def running(installation: Installation, **settings: Any) -> AsyncIterator[tuple[Served, Caller]]:
    """A new installation with a running server, and a caller with a token."""
    client = installation.prepare()
    async with Served(installation, **settings) as served:
        yield served, await Caller(served, client)()
