"""Rows of customers who have rows in several places of a file: held in a temporary database until the file is read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from operator import itemgetter

import msgspec

from stamkund.importing.raw import CsvCustomer, RawCustomer, RepairedCustomer
from stamkund.importing.spool import cannot_run, temporary_database

Rows = list[tuple[int, RawCustomer | None]]
"""The rows of one customer, each with its line; None for one that could not be read."""

MAX_ROWS_OF_ONE = 10_000
"""How many rows one customer may have: they are in memory together."""
_SCHEMA = "CREATE TABLE held (customer_number TEXT, line INTEGER, kind INTEGER, row BLOB)"
_ADD = "INSERT INTO held VALUES (?, ?, ?, ?)"
_ALL = "SELECT customer_number, line, kind, row FROM held ORDER BY customer_number, line"
_KINDS: tuple[type[RawCustomer], ...] = (RawCustomer, CsvCustomer, RepairedCustomer)
_BROKEN = -1
_BATCH = 2_000


class HeldRows:
    """Every method raises CannotRun where the system has no room for the rows."""

    def __init__(self) -> None:
        self._pending: list[tuple[str, int, int, bytes]] = []
        self._connection = temporary_database(_SCHEMA)
        self._decoders = [msgspec.json.Decoder(kind).decode for kind in _KINDS]

    def close(self) -> None:
        self._connection.close()

    def add(self, customer_number: str, rows: Rows) -> None:
        for line, row in rows:
            kind = _BROKEN if row is None else _KINDS.index(type(row))
            self._pending.append((customer_number, line, kind, b"" if row is None else msgspec.json.encode(row)))
        if len(self._pending) >= _BATCH:
            self._flush()

    def customers(self) -> Iterator[tuple[str, Rows]]:
        """The rows of each customer, in the order of the file; of one with too many only one more than that."""
        self._flush()
        with cannot_run():
            for number, held in groupby(self._connection.execute(_ALL), key=itemgetter(0)):
                bounded = islice(held, MAX_ROWS_OF_ONE + 1)
                yield (
                    number,
                    [(line, None if kind == _BROKEN else self._decoders[kind](row)) for _, line, kind, row in bounded],
                )

    def _flush(self) -> None:
        with cannot_run():
            self._connection.execute("BEGIN")
            self._connection.executemany(_ADD, self._pending)
            self._connection.execute("COMMIT")
        self._pending.clear()
