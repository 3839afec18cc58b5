"""Fixtures for all tests: an engine, an application that runs on it, a fresh organisation for each test.

A test runs on PostgreSQL, the stricter engine, unless the engine can matter to what it tests: then it is marked
`both_engines`, or stands in one of the folders `ON_BOTH_ENGINES`, and runs on SQLite too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from stamkund.endpoints import declared_endpoints
from stamkund.reference.openapi import document
from stamkund.server import jobs
from tests.support import observed
from tests.support.postgres_server import PostgresServer
from tests.support.service import Publisher, RunningService

# How fast a machine is decides no test.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

observed.record_responses()

# What a job does comes as it does in a running service, only sooner.
jobs.EXTEND_SECONDS = 0.2

ENGINES = ("postgres", "sqlite")
ON_BOTH_ENGINES = ("contract", "faults", "flows", "store", "upgrades")
"""Folders whose tests all run on both engines."""
BOTH_ENGINES = "both_engines"

assert all(Path(__file__).with_name(folder).is_dir() for folder in ON_BOTH_ENGINES), ON_BOTH_ENGINES


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine_name" in metafunc.fixturenames:
        folder = metafunc.definition.path.relative_to(Path(__file__).parent).parts[0]
        both = folder in ON_BOTH_ENGINES or metafunc.definition.get_closest_marker(BOTH_ENGINES)
        metafunc.parametrize("engine_name", ENGINES if both else ENGINES[:1], indirect=True, scope="session")
    elif any(mark.name == BOTH_ENGINES for mark in metafunc.definition.own_markers):
        pytest.fail(f"{metafunc.definition.nodeid} is marked {BOTH_ENGINES} and uses no engine", pytrace=False)


@pytest.fixture(scope="session", autouse=True)
def documented_responses() -> Iterator[None]:
    """When all tests of this process have run: whether every status that was seen is in openapi.json.

    It is first to be set up and last to be taken down, so the servers that other fixtures run have stopped by then.
    """
    yield
    if observed.responses:
        problems = observed.undocumented(document(declared_endpoints()))
        assert not problems, "\n".join(["undocumented responses (an endpoint's `other_responses`):", *problems])


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server, started by the tests themselves."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine that a test runs on: `postgres` or `sqlite`."""
    return str(request.param)


@pytest.fixture(scope="session")
def database_url(engine_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database that all tests of the session share, one for each engine."""
    if engine_name == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('shared') / 'stamkund.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database("shared")


@pytest.fixture(scope="session")
async def service(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningService]:
    """The application, running on each engine in turn."""
    key_file: Path = tmp_path_factory.mktemp("keys") / "stamkund.key"
    async with RunningService(database_url, key_file) as running:
        yield running


@pytest.fixture
async def publisher(service: RunningService) -> Publisher:
    """A fresh organisation with a client."""
    return await service.publisher()


@pytest.fixture
def fresh_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of this test's own, on each engine."""
    if engine_name == "sqlite":
        return f"sqlite:///{tmp_path / 'fresh.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database(f"fresh_{abs(hash(request.node.nodeid))}")
