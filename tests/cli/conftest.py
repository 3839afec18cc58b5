"""Fixtures for tests of the command line."""

from __future__ import annotations

from tests.support.installed import (
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
