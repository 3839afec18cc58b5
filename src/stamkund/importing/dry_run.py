"""Finds conflicts between the rows of a dry run: nothing is stored, so the store cannot see two new customers collide.

Such conflicts are what dry runs are mostly for, so the identifiers that belong to one customer alone are recorded here,
as keyed digests in a temporary database (see `spool`).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable

from stamkund.importing.rows import CustomerRow
from stamkund.importing.spool import temporary_database
from stamkund.rules import identifiers
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier
from stamkund.store import BatchResult, CustomerChange

_SCHEMA = "CREATE TABLE claims (key BLOB PRIMARY KEY, customer_number TEXT) WITHOUT ROWID"
_CLAIM = "INSERT OR IGNORE INTO claims VALUES (?, ?)"
_OWNER = "SELECT customer_number FROM claims WHERE key = ?"
_NEVER_SHARED = (identifiers.ID, identifiers.CUSTOMER_NUMBER)


class DryRun:
    """The identifiers that customers of one dry run have claimed."""

    def __init__(self, identifiers_of: Callable[[Customer], Iterable[Identifier]]) -> None:
        self._identifiers_of = identifiers_of
        self._secret = os.urandom(16)
        self._changes: dict[str, tuple[Customer | None, Customer]] = {}
        self._connection: sqlite3.Connection = temporary_database(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def change_for(self, row: CustomerRow) -> CustomerChange:
        """The change to give to the store; remembers the customer before and after it for `check`."""

        def change(before: Customer | None) -> Customer:
            after = row.change(before)
            self._changes[row.customer_number] = before, after
            return after

        return CustomerChange(row.customer_number, change)

    def check(self, rows: list[CustomerRow], result: BatchResult) -> list[tuple[int, str]]:
        """Indexes of rows that conflict with one of an earlier batch, and the kind of identifier.

        They are subtracted from the counts in `result`.
        """
        rejected = {conflict.place for conflict in result.rejected}
        conflicts = []
        for index, row in enumerate(rows):
            before, after = self._changes[row.customer_number]
            if index not in rejected and after is not before and (kind := self._conflict(after)):
                conflicts.append((index, kind))
                result.created -= before is None
                result.updated -= before is not None
        self._changes.clear()
        return conflicts

    def _conflict(self, customer: Customer) -> str | None:
        keys = [key for key in self._identifiers_of(customer) if key.kind not in _NEVER_SHARED]
        for key in keys:
            for (owner,) in self._connection.execute(_OWNER, (self._digest(key),)):
                if owner != customer.customer_number:
                    return key.kind
        self._connection.executemany(_CLAIM, [(self._digest(key), customer.customer_number) for key in keys])
        return None

    def _digest(self, key: Identifier) -> bytes:
        return hashlib.blake2b("\0".join(key).encode(), key=self._secret, digest_size=16).digest()
