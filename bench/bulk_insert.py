"""Bare bulk insert: the ceiling for the product's own import into the same engine.

Time spent making the rows is part of the measurement if they come from a generator; give lists
to measure the engine alone.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import asyncpg

BATCH = 10_000

Row = Sequence[object]
SqliteTable = tuple[str, str, Iterable[Row]]
"""CREATE statements, INSERT statement, rows."""
PostgresTable = tuple[str, str, Sequence[str], Iterable[Row]]
"""CREATE statements, table name, column names, rows."""


@dataclass(frozen=True)
class Result:
    """How much was inserted, and how fast."""

    rows: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds if self.seconds else 0.0


def sqlite(path: str, tables: Sequence[SqliteTable]) -> Result:
    """Create the tables and fill them in transactions of BATCH rows; creating is not timed."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        for create, _, _ in tables:
            connection.executescript(create)
        start = time.perf_counter()
        rows = sum(_insert(connection, statement, rows) for _, statement, rows in tables)
        return Result(rows, time.perf_counter() - start)
    finally:
        connection.close()


def _insert(connection: sqlite3.Connection, statement: str, rows: Iterable[Row]) -> int:
    count = 0
    source = iter(rows)
    while batch := list(itertools.islice(source, BATCH)):
        connection.execute("BEGIN")
        connection.executemany(statement, batch)
        connection.execute("COMMIT")
        count += len(batch)
    return count


def postgres(url: str, tables: Sequence[PostgresTable]) -> Result:
    """Create the tables and fill each with one binary COPY; creating is not timed."""
    return asyncio.run(_postgres(url, tables))


async def _postgres(url: str, tables: Sequence[PostgresTable]) -> Result:
    connection = await asyncpg.connect(url)
    try:
        for create, _, _, _ in tables:
            if create:
                await connection.execute(create)
        count = 0
        start = time.perf_counter()
        for _, table, columns, rows in tables:
            status = await connection.copy_records_to_table(table, columns=list(columns), records=rows)
            count += int(status.split()[-1])  # "COPY 1000"
        return Result(count, time.perf_counter() - start)
    finally:
        await connection.close()
