"""Fixtures for tests of the real command: installations, empty ones and prepared ones.

A folder of tests that uses them names them in its conftest. A prepared installation has an organisation and a client;
it is made by the real command once, and copied for each test, because starting Python takes its time.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.installation import Caller, Installation, ServerProcess
from tests.support.postgres_server import PostgresServer
from tests.support.rows import database_file

_databases = itertools.count(1)


@pytest.fixture
def empty(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Installation:
    """A folder and an empty database, on the engine of the test."""
    if engine_name == "sqlite":
        return Installation(tmp_path, _sqlite_url(tmp_path))
    server: PostgresServer = request.getfixturevalue("postgres")
    return Installation(tmp_path, server.create_database(f"installed_{next(_databases)}"))


@pytest.fixture
def empty_embedded(tmp_path: Path) -> Installation:
    """A folder and no database, on SQLite."""
    return Installation(tmp_path, _sqlite_url(tmp_path))


@pytest.fixture
def installation(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Installation:
    """A prepared installation, on the engine of the test."""
    return _copy(request, engine_name, tmp_path)


@pytest.fixture
def embedded(request: pytest.FixtureRequest, tmp_path: Path) -> Installation:
    """A prepared installation on SQLite."""
    return _copy(request, "sqlite", tmp_path)


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("prepared")
    return _prepared(Installation(folder, _sqlite_url(folder)))


@pytest.fixture(scope="session")
def prepared_postgres(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("prepared")
    return _prepared(Installation(folder, postgres.create_database(f"prepared_{next(_databases)}")))


def _prepared(installation: Installation) -> Installation:
    installation.prepare()
    return installation


def _copy(request: pytest.FixtureRequest, engine: str, folder: Path) -> Installation:
    original: Installation = request.getfixturevalue(f"prepared_{engine}")
    shutil.copy(original.key_file, folder)
    if engine == "sqlite":
        url = _sqlite_url(folder)
        shutil.copy(database_file(original.database_url), database_file(url))
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.create_database(f"installed_{next(_databases)}", template=original.database_url.split("/")[-1])
    return replace(original, folder=folder, database_url=url)


def _sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'stamkund.db'}"


@asynccontextmanager
async def running(installation: Installation, **settings: Any) -> AsyncIterator[tuple[ServerProcess, Caller]]:
    """A running server on an installation, and a caller with a token."""
    client = installation.client or installation.prepare()
    async with ServerProcess(installation, **settings) as server:
        yield server, await Caller(server, client)()
