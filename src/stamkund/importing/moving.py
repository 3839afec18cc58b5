"""Rows with a previous customer number: which of these numbers the file still names as somebody's own.

Such rows wait until the file is read, because another row may be the customer with the previous number, wherever it
stands. A number that is the own one of a row which moves itself does not count: its customer gives it up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from stamkund.importing.spool import cannot_run, temporary_database
from stamkund.importing.survey import Numbers

_SCHEMA = """
CREATE TABLE moving (customer_number TEXT PRIMARY KEY, previous TEXT) WITHOUT ROWID;
CREATE INDEX by_previous ON moving (previous);
CREATE TABLE named (previous TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_ADD = "INSERT OR REPLACE INTO moving VALUES (?, ?)"
_ANY = "SELECT EXISTS (SELECT 1 FROM moving)"
_NAME = (
    "INSERT OR IGNORE INTO named SELECT value FROM json_each(?) WHERE value IN (SELECT previous FROM moving) "
    "AND value NOT IN (SELECT customer_number FROM moving)"
)
_ARE_NAMED = "SELECT previous FROM named WHERE previous IN (SELECT value FROM json_each(?))"


class Moving:
    """The numbers of rows that wait. Every method raises CannotRun where the system has no room for them."""

    def __init__(self) -> None:
        self._connection = temporary_database(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Records customer numbers and previous ones."""
        with cannot_run():
            self._connection.execute("BEGIN")
            self._connection.executemany(_ADD, pairs)
            self._connection.execute("COMMIT")

    @property
    def is_empty(self) -> bool:
        with cannot_run():
            ((any_,),) = self._connection.execute(_ANY).fetchall()
        return not any_

    def look_through(self, blocks: Iterable[Numbers]) -> None:
        """Looks for the previous numbers among all customer numbers of the file."""
        with cannot_run():
            for numbers in blocks:
                texts = [number.decode() for number in numbers if number is not None]
                self._connection.execute(_NAME, (msgspec.json.encode(texts).decode(),))

    def named(self, previous: Sequence[str]) -> set[str]:
        """Those of the previous numbers that another row of the file has as its own."""
        with cannot_run():
            rows = self._connection.execute(_ARE_NAMED, (msgspec.json.encode(previous).decode(),))
            return {number for (number,) in rows}
