"""Finds conflicts between the rows of a dry run: nothing is stored, so the store cannot see two new customers collide.

Such conflicts are what dry runs are mostly for, so the identifiers that belong to one customer alone are recorded here,
as keyed digests in a temporary database (see `spool`).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Sequence

from stamkund.importing.spool import temporary_database
from stamkund.rules.customer import Customer
from stamkund.store import BatchResult, CustomerChange, CustomerUpdate, Documents

_SCHEMA = "CREATE TABLE claims (key BLOB PRIMARY KEY, customer_number TEXT) WITHOUT ROWID"
_CLAIM = "INSERT OR IGNORE INTO claims VALUES (?, ?)"
_OWNER = "SELECT customer_number FROM claims WHERE key = ?"


class DryRun:
    """The identifiers that customers of one dry run have claimed."""

    def __init__(self, organisation: str, documents: Documents) -> None:
        self._organisation = organisation
        self._documents = documents
        self._secret = os.urandom(16)
        self._changes: dict[str, tuple[Customer | None, Customer]] = {}
        self._connection: sqlite3.Connection = temporary_database(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def watched(self, changes: Sequence[CustomerUpdate]) -> list[CustomerChange]:
        """The changes to give to the store, which remember the customer before and after each for `check`."""
        return [self._watched(change) for change in changes]

    def _watched(self, watched: CustomerUpdate) -> CustomerChange:
        def change(before: Customer | None) -> Customer:
            after = watched.change(before)
            self._changes[watched.customer_number] = before, after
            return after

        return CustomerChange(watched.customer_number, change, watched.encoded)

    def check(self, changes: Sequence[CustomerUpdate], result: BatchResult) -> list[tuple[int, str]]:
        """Indexes of changes that conflict with one of an earlier batch, and the kind of identifier.

        They are subtracted from the counts in `result`.
        """
        rejected = {conflict.place for conflict in result.rejected}
        conflicts = []
        for index, change in enumerate(changes):
            before, keys = self._claimed(change)
            if index not in rejected and (kind := self._conflict(change.customer_number, keys)):
                conflicts.append((index, kind))
                result.created -= before is None
                result.updated -= before is not None
        self._changes.clear()
        return conflicts

    def _claimed(self, change: CustomerUpdate) -> tuple[Customer | None, Sequence[tuple[str, str]]]:
        """The customer before a change, and the identifiers that it claims."""
        made = self._changes.get(change.customer_number)
        if made is None:  # the store had no such customer, and took the encoded one
            assert change.encoded is not None
            return None, change.encoded.contested
        before, after = made
        return before, () if after is before else self._documents.contested_identifiers(self._organisation, after)

    def _conflict(self, customer_number: str, keys: Sequence[tuple[str, str]]) -> str | None:
        for key in keys:
            for (owner,) in self._connection.execute(_OWNER, (self._digest(key),)):
                if owner != customer_number:
                    return key[0]
        self._connection.executemany(_CLAIM, [(self._digest(key), customer_number) for key in keys])
        return None

    def _digest(self, key: tuple[str, str]) -> bytes:
        return hashlib.blake2b("\0".join(key).encode(), key=self._secret, digest_size=16).digest()
