"""Fixtures for tests of faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.installation_fixtures import (
    embedded,
    empty,
    empty_embedded,
    installation,
    prepared_postgres,
    prepared_sqlite,
)
from tests.support.postgres_server import PostgresServer

__all__ = [
    "embedded",
    "empty",
    "empty_embedded",
    "installation",
    "own_postgres",
    "prepared_postgres",
    "prepared_sqlite",
]


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that the tests of a module may stop, pause and crash."""
    with PostgresServer() as server:
        yield server
