"""Where the lines of a subscription file wait for their customers: a temporary database that the system removes.

Neither file is sorted, and two million subscriptions are no one's memory. SQLite keeps a database without a name in its
cache while it is small and in a file that is already unlinked when it grows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec

from stamkund.importing.report import CannotRun
from stamkund.rules.customer import Subscription

_FIELDS = Subscription.__struct_fields__
_TOGETHER = 5000
_SCHEMA = f"""
CREATE TABLE lines (customer_number TEXT, line INTEGER, is_good INTEGER, {", ".join(_FIELDS)});
CREATE TABLE seen (customer_number TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_ADD = f"INSERT INTO lines VALUES (?, ?, ?, {', '.join('?' * len(_FIELDS))})"  # noqa: S608
_INDEX = "CREATE INDEX by_customer ON lines (customer_number)"
_SEE = "INSERT OR IGNORE INTO seen VALUES (?)"
_TAKE = (
    f"SELECT customer_number, is_good, {', '.join(_FIELDS)} FROM lines "  # noqa: S608
    "WHERE customer_number IN (SELECT value FROM json_each(?)) ORDER BY line"
)
_ORPHANS = (
    "SELECT DISTINCT line, is_good FROM lines "
    "WHERE customer_number NOT IN (SELECT customer_number FROM seen) ORDER BY line"
)
_NOTHING = (None,) * len(_FIELDS)


@dataclass
class SpooledSubscriptions:
    """The subscriptions of some customers, and those customers that have a line that is not right."""

    subscriptions: dict[str, list[Subscription]] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)


class Spool:
    """The lines of one subscription file. Raises CannotRun where the system has no room for them."""

    def __init__(self) -> None:
        self.all_known = True
        """False when there was a line that nobody knows whose it is: then no list is sure to be full."""
        self._new: list[tuple[object, ...]] = []
        self._connection = temporary_database(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def add(self, customer_number: str, line: int, subscription: Subscription) -> None:
        self._append((customer_number, line, 1, *msgspec.structs.astuple(subscription)))

    def leave_out(self, customer_numbers: Iterable[str], line: int) -> None:
        """A line that is not right: these may be the customers that it is about."""
        for number in customer_numbers:
            self._append((number, line, 0, *_NOTHING))

    def _append(self, row: tuple[object, ...]) -> None:
        self._new.append(row)
        if len(self._new) >= _TOGETHER:
            self._flush()

    def finish(self) -> None:
        """All lines are in."""
        self._flush()
        with _room():
            self._connection.execute(_INDEX)

    def take(self, customer_numbers: list[str]) -> SpooledSubscriptions:
        """What these customers have. They count as seen from now on."""
        self.see(customer_numbers)
        taken = SpooledSubscriptions()
        with _room():
            for number, is_good, *fields in self._connection.execute(_TAKE, (_json(customer_numbers),)):
                if is_good:
                    taken.subscriptions.setdefault(number, []).append(Subscription(*fields))
                else:
                    taken.left_out.add(number)
        return taken

    def see(self, customer_numbers: Iterable[str]) -> None:
        """The customer file has these numbers."""
        with _room():
            self._together(_SEE, [(number,) for number in customer_numbers])

    def orphans(self) -> Iterator[tuple[int, bool]]:
        """Lines whose customer the customer file does not have; False: one that was not right either."""
        with _room():
            for line, is_good in self._connection.execute(_ORPHANS):
                yield line, bool(is_good)

    def _flush(self) -> None:
        with _room():
            self._together(_ADD, self._new)
        self._new.clear()

    def _together(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany(statement, rows)
        self._connection.execute("COMMIT")


def temporary_database(schema: str) -> sqlite3.Connection:
    """A database that nobody else sees and that is gone when it is closed. Raises CannotRun."""
    with _room():
        connection = sqlite3.connect("", isolation_level=None)
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA cache_size = -16000")
        connection.executescript(schema)
        return connection


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CannotRun(f"There is no room for the temporary database of the import: {error}.") from None


def _json(numbers: list[str]) -> str:
    return msgspec.json.encode(numbers).decode()
