"""What a database must be able to do for the store, whichever it is."""

from __future__ import annotations

from typing import Protocol, TypeVar

from stamkund.store.work import MakeWork, Row, Sql

T = TypeVar("T")


class Engine(Protocol):
    """Runs verbs. Every method but `close` raises Unavailable when the database is out of reach."""

    name: str
    errors: tuple[type[Exception], ...]
    """What the driver raises for a statement that fails, such as a broken constraint."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...

    async def look_up(self, single: Sql, batch: Sql, values: tuple[object, ...]) -> Row | None:
        """The row of a hot-path query. `batch` is the same over arrays of values; its column `place` counts from 1."""

    async def read(self, make: MakeWork[T]) -> T:
        """Runs a verb that only reads, in one snapshot."""

    async def write(self, make: MakeWork[T]) -> T:
        """Runs a verb in a transaction of its own; it is durable when this returns."""
