"""Fixtures for tests of faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.installed import embedded, installation, url
from tests.support.postgres_server import PostgresServer

__all__ = ["embedded", "installation", "own_postgres", "url"]


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that the tests of a module may stop, pause and crash."""
    with PostgresServer() as server:
        yield server
