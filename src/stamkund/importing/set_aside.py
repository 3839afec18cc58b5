"""Rows that contradict what is stored when they are read: set aside until the file is read, and then tried again.

A file is judged as a whole: what another row of it gives up is free, wherever that row stands. The rows wait in a
temporary database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial

import msgspec

from stamkund.importing.messages import PreparedRow
from stamkund.importing.rows import CustomerRow, RowColumns
from stamkund.importing.spool import cannot_run, temporary_database
from stamkund.importing.steps import Row
from stamkund.store import Documents, EncodedCustomer

_SCHEMA = "CREATE TABLE aside (round INTEGER, line INTEGER, row BLOB)"
_ADD = "INSERT INTO aside VALUES (?, ?, ?)"
_OF_ROUND = "SELECT row FROM aside WHERE round = ? ORDER BY line"
_FORGET = "DELETE FROM aside WHERE round = ?"


class _Aside(msgspec.Struct, array_like=True):
    line: int
    customer_number: str
    customer: EncodedCustomer
    columns: RowColumns
    previous_customer_number: str | None
    more_lines: tuple[int, ...]


class SetAside:
    """The rows that wait, by rounds. Every method raises CannotRun where the system has no room for them."""

    def __init__(self, organisation: str, documents: Documents, today: date) -> None:
        self._organisation = organisation
        self._documents = documents
        self._today = today
        self._decode_customer = partial(documents.customer, organisation)
        self._connection = temporary_database(_SCHEMA)
        self._decode = msgspec.msgpack.Decoder(_Aside).decode

    def close(self) -> None:
        self._connection.close()

    def add(self, row: Row, round_: int) -> None:
        assert isinstance(row, CustomerRow | PreparedRow)
        customer = row.encoded or self._documents.encoded_customer(self._organisation, row.change(None))
        aside = _Aside(
            row.line, row.customer_number, customer, row.columns, row.previous_customer_number, row.more_lines
        )
        with cannot_run():
            self._connection.execute(_ADD, (round_, row.line, msgspec.msgpack.encode(aside)))

    def batches(self, round_: int, size: int) -> Iterator[Sequence[PreparedRow]]:
        """The rows of a round, in the order of the file; they may be added again to a later round meanwhile."""
        with cannot_run():
            cursor = self._connection.execute(_OF_ROUND, (round_,))
            while rows := cursor.fetchmany(size):
                yield [self._row(row) for (row,) in rows]
            self._connection.execute(_FORGET, (round_,))

    def _row(self, content: bytes) -> PreparedRow:
        aside = self._decode(content)
        return PreparedRow(
            aside.line,
            aside.customer_number,
            aside.customer,
            aside.columns,
            self._today,
            self._decode_customer,
            aside.previous_customer_number,
            aside.more_lines,
        )
