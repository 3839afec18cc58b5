"""Buffers the lines of a subscription file until their customers are read: a temporary database.

Neither file is sorted, and two million subscriptions do not fit in memory. SQLite keeps a database without a name in
its cache while it is small, and in an unlinked file when it grows, which the system removes whatever happens.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec

from stamkund.importing.report import CannotRun
from stamkund.rules.customer import Subscription

TemporaryDatabase = sqlite3.Connection

_FIELDS = Subscription.__struct_fields__
_BATCH = 5000
_SCHEMA = f"""
CREATE TABLE lines (customer_number TEXT, line INTEGER, is_valid INTEGER, {", ".join(_FIELDS)});
CREATE TABLE customers (customer_number TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_ADD = f"INSERT INTO lines VALUES (?, ?, ?, {', '.join('?' * len(_FIELDS))})"  # noqa: S608
_INDEX = "CREATE INDEX by_customer ON lines (customer_number)"
_ADD_CUSTOMER = "INSERT OR IGNORE INTO customers VALUES (?)"
_OF_CUSTOMERS = (
    f"SELECT customer_number, is_valid, {', '.join(_FIELDS)} FROM lines "  # noqa: S608
    "WHERE customer_number IN (SELECT value FROM json_each(?)) ORDER BY line"
)
_ORPHANS = (
    "SELECT line FROM lines "
    "WHERE is_valid AND customer_number NOT IN (SELECT customer_number FROM customers) ORDER BY line"
)
_NO_SUBSCRIPTION = (None,) * len(_FIELDS)


@dataclass
class SpooledSubscriptions:
    """The subscriptions of some customers, and the numbers of those that a rejected line may belong to."""

    subscriptions: dict[str, list[Subscription]] = field(default_factory=dict)
    incomplete: set[str] = field(default_factory=set)


class Spool:
    """The lines of one subscription file. Every method raises CannotRun where the system has no room for them."""

    def __init__(self) -> None:
        self.complete = True
        """False after an invalid line of an unknown customer: then no customer's list is sure to be complete."""
        self._pending: list[tuple[object, ...]] = []
        self._connection = temporary_database(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def add(self, customer_number: str, line: int, subscription: Subscription) -> None:
        self._append((customer_number, line, 1, *msgspec.structs.astuple(subscription)))

    def add_invalid(self, customer_numbers: Iterable[str], line: int) -> None:
        """Records an invalid line, which may belong to any of these customers."""
        for number in customer_numbers:
            self._append((number, line, 0, *_NO_SUBSCRIPTION))

    def _append(self, row: tuple[object, ...]) -> None:
        self._pending.append(row)
        if len(self._pending) >= _BATCH:
            self._flush()

    def finish(self) -> None:
        """To be called after the last line, before `of_customers`."""
        self._flush()
        with cannot_run():
            self._connection.execute(_INDEX)

    def of_customers(self, customer_numbers: list[str]) -> SpooledSubscriptions:
        """The subscriptions of these customers, which are added as by `add_customers`."""
        self.add_customers(customer_numbers)
        spooled = SpooledSubscriptions()
        with cannot_run():
            for number, is_valid, *fields in self._connection.execute(_OF_CUSTOMERS, (_json(customer_numbers),)):
                if is_valid:
                    spooled.subscriptions.setdefault(number, []).append(Subscription(*fields))
                else:
                    spooled.incomplete.add(number)
        return spooled

    def add_customers(self, customer_numbers: Iterable[str]) -> None:
        """Records that the customer file has these numbers."""
        with cannot_run():
            self._insert(_ADD_CUSTOMER, [(number,) for number in customer_numbers])

    def orphans(self) -> Iterator[int]:
        """The lines whose customer is not in the customer file; rejected ones have been reported."""
        with cannot_run():
            for (line,) in self._connection.execute(_ORPHANS):
                yield line

    def _flush(self) -> None:
        with cannot_run():
            self._insert(_ADD, self._pending)
        self._pending.clear()

    def _insert(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany(statement, rows)
        self._connection.execute("COMMIT")


def temporary_database(schema: str) -> TemporaryDatabase:
    """A private database that is gone when it is closed. Raises CannotRun."""
    with cannot_run():
        connection = sqlite3.connect("", isolation_level=None)
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA cache_size = -16000")
        connection.executescript(schema)
        return connection


@contextmanager
def cannot_run() -> Iterator[None]:
    """Turns errors of the temporary database into CannotRun."""
    try:
        yield
    except sqlite3.Error as error:
        raise CannotRun(f"There is no room for the temporary database of the import: {error}.") from None


def _json(numbers: list[str]) -> str:
    return msgspec.json.encode(numbers).decode()
