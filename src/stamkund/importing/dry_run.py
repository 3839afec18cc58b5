"""Finds conflicts between the rows of a dry run: nothing is stored, so the store cannot see two new customers collide.

Such conflicts are what dry runs are mostly for, so the identifiers that belong to one customer alone are recorded here,
those that rows want and those that they give up, as keyed digests in a temporary database (see `spool`).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Sequence

from stamkund.importing.spool import temporary_database
from stamkund.rules.customer import Customer
from stamkund.store import BatchResult, CustomerChange, CustomerUpdate, Documents, RejectedRow

_SCHEMA = """
CREATE TABLE claims (key BLOB PRIMARY KEY, customer_number TEXT) WITHOUT ROWID;
CREATE TABLE freed (key BLOB PRIMARY KEY) WITHOUT ROWID;
"""
_CLAIM = "INSERT OR IGNORE INTO claims VALUES (?, ?)"
_OWNER = "SELECT customer_number FROM claims WHERE key = ?"
_FREE = "INSERT OR IGNORE INTO freed VALUES (?)"
_IS_FREE = "SELECT 1 FROM freed WHERE key = ?"


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

        return CustomerChange(watched.customer_number, change, watched.encoded, watched.previous_customer_number)

    def check(self, changes: Sequence[CustomerUpdate], result: BatchResult) -> None:
        """Corrects a result: conflicts with rows of earlier batches, and what such rows have given up."""
        rejected = {conflict.place: conflict for conflict in result.rejected}
        for place, change in enumerate(changes):
            before, after, keys = self._claimed(change)
            conflict = rejected.get(place)
            if conflict is not None and not (conflict.key is not None and self._is_free(conflict.key)):
                continue
            kind = self._conflict(change.customer_number, keys)
            if kind is not None and conflict is None:
                rejected[place] = RejectedRow(place, kind)
                result.created -= before is None
                result.updated -= before is not None
            elif kind is None:
                if conflict is not None:
                    del rejected[place]
                    result.created += before is None
                    result.updated += before is not None
                self._free(before, after)
        self._changes.clear()
        result.rejected = [rejected[place] for place in sorted(rejected)]

    def _claimed(self, change: CustomerUpdate) -> tuple[Customer | None, Customer | None, Sequence[tuple[str, str]]]:
        """The customer before and after a change, and the identifiers that it claims."""
        made = self._changes.get(change.customer_number)
        if made is None:  # the store had no such customer, and took the encoded one
            assert change.encoded is not None
            return None, None, change.encoded.contested
        before, after = made
        if after is before:
            return before, after, ()
        return before, after, self._documents.contested_identifiers(self._organisation, after)

    def _free(self, before: Customer | None, after: Customer | None) -> None:
        if before is None or after is None or after is before:
            return
        remaining = self._documents.contested_identifiers(self._organisation, after)
        before_keys = self._documents.contested_identifiers(self._organisation, before)
        freed = [key for key in before_keys if key not in remaining]
        self._connection.executemany(_FREE, [(self._digest(key),) for key in freed])

    def _is_free(self, key: tuple[str, str]) -> bool:
        return bool(self._connection.execute(_IS_FREE, (self._digest(key),)).fetchall())

    def _conflict(self, customer_number: str, keys: Sequence[tuple[str, str]]) -> str | None:
        for key in keys:
            for (owner,) in self._connection.execute(_OWNER, (self._digest(key),)):
                if owner != customer_number:
                    return key[0]
        self._connection.executemany(_CLAIM, [(self._digest(key), customer_number) for key in keys])
        return None

    def _digest(self, key: tuple[str, str]) -> bytes:
        return hashlib.blake2b("\0".join(key).encode(), key=self._secret, digest_size=16).digest()
