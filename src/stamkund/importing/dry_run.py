"""What the rows of a dry run would have taken: nothing is stored, so the store cannot see two new customers collide.

That is the commonest thing a dry run is for, so what must be one customer's only is remembered here, as keyed digests
in a temporary database (see `spool`).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable

from stamkund.importing.rows import Row
from stamkund.importing.spool import temporary_database
from stamkund.rules import identifiers
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier
from stamkund.store import BatchResult, CustomerChange

_SCHEMA = "CREATE TABLE claims (key BLOB PRIMARY KEY, customer_number TEXT) WITHOUT ROWID"
_CLAIM = "INSERT OR IGNORE INTO claims VALUES (?, ?)"
_OWNER = "SELECT customer_number FROM claims WHERE key = ?"
_ALWAYS_OWN = (identifiers.ID, identifiers.CUSTOMER_NUMBER)


class DryRun:
    """The claims of one dry run."""

    def __init__(self, identifiers_of: Callable[[Customer], Iterable[Identifier]]) -> None:
        self._identifiers_of = identifiers_of
        self._secret = os.urandom(16)
        self._made: dict[str, tuple[Customer | None, Customer]] = {}
        self._connection: sqlite3.Connection = temporary_database(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def wanted(self, row: Row) -> CustomerChange:
        """As for the store, and what became of the customer is remembered for `check`."""

        def change(before: Customer | None) -> Customer:
            after = row.change(before)
            self._made[row.customer_number] = before, after
            return after

        return CustomerChange(row.customer_number, change)

    def check(self, rows: list[Row], outcome: BatchResult) -> list[tuple[int, str]]:
        """Places of rows that one of an earlier batch stands against, with the kind of key; `outcome` loses them."""
        refused = {taken.place for taken in outcome.rejected}
        found = []
        for place, row in enumerate(rows):
            before, after = self._made[row.customer_number]
            if place not in refused and after is not before and (kind := self._conflict(after)):
                found.append((place, kind))
                outcome.created -= before is None
                outcome.updated -= before is not None
        self._made.clear()
        return found

    def _conflict(self, customer: Customer) -> str | None:
        keys = [key for key in self._identifiers_of(customer) if key.kind not in _ALWAYS_OWN]
        for key in keys:
            owner = self._connection.execute(_OWNER, (self._digest(key),)).fetchone()
            if owner is not None and owner[0] != customer.customer_number:
                return key.kind
        self._connection.executemany(_CLAIM, [(self._digest(key), customer.customer_number) for key in keys])
        return None

    def _digest(self, key: Identifier) -> bytes:
        return hashlib.blake2b("\0".join(key).encode(), key=self._secret, digest_size=16).digest()
