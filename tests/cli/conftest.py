"""Fixtures for tests of the command line."""

from __future__ import annotations

from tests.support.installation_fixtures import (
    embedded,
    empty,
    empty_embedded,
    installation,
    prepared_postgres,
    prepared_sqlite,
)

__all__ = [
    "embedded",
    "empty",
    "empty_embedded",
    "installation",
    "prepared_postgres",
    "prepared_sqlite",
]
