"""How a verb talks to an engine: it yields the statements that it wants executed and is sent their rows.

A verb is a generator, so the same verb runs on SQLite (a writer thread, synchronous) and on PostgreSQL (asyncio)
without being written twice. SQL is written once, with `$1`, `$2` … for values; where the engines differ, `Sql` holds
both texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


_PLACEHOLDER = re.compile(r"\$(?=[0-9])")  # `$1`, and not the `$` of a JSON path


class Row(Protocol):
    """A row of a result: its values by the names of its columns, or unpacked in their order."""

    def __getitem__(self, column: str, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


class UniqueConflict(Exception):
    """An identifier that must be unique within the organisation belongs to another account.

    `kind`: see `rules.identifiers`; `candidate` for an account candidate that has an account already.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Unavailable(Exception):
    """The database is out of reach, full or too busy. Nothing was changed, unless only the result was lost."""


class Sql:
    """One statement for both engines."""

    __slots__ = ("postgres", "sqlite")

    def __init__(self, text: str, sqlite: str | None = None) -> None:
        self.postgres = text
        self.sqlite = _PLACEHOLDER.sub("?", text if sqlite is None else sqlite)


def for_update(text: str, of: str = "") -> Sql:
    """A query whose rows stay locked until the transaction ends. SQLite has one writer at a time and needs no lock."""
    return Sql(f"{text} FOR UPDATE{f' OF {of}' if of else ''}", sqlite=text)


def for_share(text: str) -> Sql:
    """A query whose rows stay as they are until the transaction ends; others may share the lock."""
    return Sql(f"{text} FOR SHARE", sqlite=text)


def delete_batch(table: str, key: str, condition: str, order: str) -> Sql:
    """Deletes at most `$2` rows of `table` that match `condition` on `$1`, and returns a row for each.

    A batch is bounded, so that neither a lock nor a writer's turn lasts; rows that are locked are left for the next.
    """
    chosen = f"SELECT {key} FROM {table} WHERE {condition} ORDER BY {order} LIMIT $2"
    where = f"({key})" if "," in key else key
    return Sql(
        f"DELETE FROM {table} WHERE {where} IN ({chosen} FOR UPDATE SKIP LOCKED) RETURNING 1",
        sqlite=f"DELETE FROM {table} WHERE {where} IN ({chosen}) RETURNING 1",
    )


def delete_oldest(table: str) -> Sql:
    """Deletes rows from before `$1` among the `$2` oldest of a table whose rows are numbered in order of time.

    It reads no more rows than that, so the table needs no index by time. Returns a row for each.
    """
    chosen = f"SELECT row FROM {table} ORDER BY row LIMIT $2"
    where = f"at < $1 AND row IN ({chosen}"
    return Sql(
        f"DELETE FROM {table} WHERE {where} FOR UPDATE SKIP LOCKED) RETURNING 1",
        sqlite=f"DELETE FROM {table} WHERE {where}) RETURNING 1",
    )


@dataclass(frozen=True, slots=True)
class Execute:
    """One statement with its values; the verb is sent its rows."""

    sql: Sql
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class ExecuteMany:
    """One statement for each of many tuples of values; gives no rows."""

    sql: Sql
    values: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class BulkInsert:
    """Rows into a table, the fastest way that the engine has; gives no rows. A row that is there already fails."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    @property
    def insert(self) -> str:
        marks = ", ".join("?" * len(self.columns))
        return f"INSERT INTO {self.table} ({', '.join(self.columns)}) VALUES ({marks})"


Statement = Execute | ExecuteMany | BulkInsert
Work = Generator[Statement, list[Row], T]
"""What a verb is: steps out, rows in, and at the end its result."""
MakeWork = Callable[[], Work[T]]
"""Starts the verb afresh: an engine may have to run it again (deadlock, lost connection before anything was done)."""


def first(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None
