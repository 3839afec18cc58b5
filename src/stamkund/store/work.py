"""How a verb talks to an engine: it yields what it wants done and is sent the rows.

A verb is a generator, so the same verb runs on SQLite (a writer thread, synchronous) and on PostgreSQL (asyncio)
without being written twice. SQL is written once, with `$1`, `$2` … for values; where the engines differ, `Sql` holds
both texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


_PLACE = re.compile(r"\$(?=[0-9])")  # `$1`, and not the `$` of a JSON path


class Row(Protocol):
    """A row of an answer: its values by place."""

    def __getitem__(self, place: Any, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


class Taken(Exception):
    """An identifier that must be unique within the organisation is another account's. `kind`: see rules.identifiers."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Unavailable(Exception):
    """The database is out of reach, full or too busy. Nothing was changed, unless the answer itself was lost."""


class Sql:
    """One statement for both engines."""

    __slots__ = ("postgres", "sqlite")

    def __init__(self, text: str, sqlite: str | None = None) -> None:
        self.postgres = text
        self.sqlite = _PLACE.sub("?", text if sqlite is None else sqlite)


@dataclass(frozen=True, slots=True)
class Ask:
    """One statement with its values; the verb is sent its rows."""

    sql: Sql
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Each:
    """One statement for each of many tuples of values; gives no rows."""

    sql: Sql
    values: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Load:
    """Rows into a table, the fastest way that the engine has; gives no rows. A row that is there already fails."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    @property
    def insert(self) -> str:
        marks = ", ".join("?" * len(self.columns))
        return f"INSERT INTO {self.table} ({', '.join(self.columns)}) VALUES ({marks})"  # noqa: S608


Step = Ask | Each | Load
Work = Generator[Step, list[Row], T]
"""What a verb is: steps out, rows in, and in the end its answer."""
MakeWork = Callable[[], Work[T]]
"""Starts the verb afresh: an engine may have to run it again (deadlock, lost connection before anything was done)."""


def one(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None


def values(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(items)
