"""How steps travel between the parser's process and the import: MessagePack, cheap to make rows of.

The parser has prepared all that does not depend on what is stored: a new customer is stored as it comes. Only where one
is stored already is its document decoded again, to see what the row changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

import msgspec

from stamkund.importing.report import Remark
from stamkund.importing.rows import CustomerRow, RowColumns, merged
from stamkund.importing.steps import Job, Rejection, Step
from stamkund.rules.customer import Customer
from stamkund.store import Documents, EncodedCustomer

LENGTH_BYTES = 4
"""Each message is preceded by its length, most significant byte first."""


class Start(msgspec.Struct, array_like=True):
    """What a parser's process is started with. `key_file`: its path, as the file system has it."""

    job: Job
    key_file: bytes


class Rows(msgspec.Struct, array_like=True, tag=True):
    """A step, with a list for each attribute of its rows. `columns` are indexes of `kinds`, of which a file has few.

    `previous`: the previous customer numbers, by the index of the row; `more_lines`: as in the row, likewise.
    """

    rejections: list[Rejection]
    size: int
    bytes_read: int | None
    weak_hashes: dict[str, int]
    lines: list[int]
    numbers: list[str]
    customers: list[EncodedCustomer]
    columns: list[int]
    kinds: list[RowColumns]
    previous: dict[int, str] = {}
    remarks: list[Remark] = []
    refused_numbers: list[str | None] = []
    more_lines: dict[int, tuple[int, ...]] = {}
    without: list[str] = []


class End(msgspec.Struct, array_like=True, tag=True):
    """The last message. `cannot_run`: the sentence that says why, where the files could not be read to their end."""

    cannot_run: str | None = None


Message = Rows | End
_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)

encode = _ENCODER.encode
decode = _DECODER.decode


def packed(step: Step[CustomerRow], job: Job, documents: Documents) -> Rows:
    """A step as a message."""
    kinds: dict[RowColumns, int] = {}
    rows, organisation = step.rows, job.organisation.id
    return Rows(
        step.rejections,
        step.size,
        step.bytes_read,
        dict(step.weak_hashes),
        [row.line for row in rows],
        [row.new.customer_number for row in rows],
        [documents.encoded_customer(organisation, row.new) for row in rows],
        [kinds.setdefault(row.columns, len(kinds)) for row in rows],
        list(kinds),
        {
            index: row.previous_customer_number
            for index, row in enumerate(rows)
            if row.previous_customer_number is not None
        },
        step.remarks,
        step.refused_numbers,
        {index: row.more_lines for index, row in enumerate(rows) if row.more_lines},
        step.without,
    )


@dataclass(slots=True)
class PreparedRow:
    """A row from a message."""

    line: int
    customer_number: str
    encoded: EncodedCustomer
    columns: RowColumns
    today: date
    decode: Callable[[bytes], Customer]
    previous_customer_number: str | None = None
    more_lines: tuple[int, ...] = ()

    def change(self, before: Customer | None) -> Customer:
        """The customer after this row; the same object where the row changes nothing."""
        new = self.decode(self.encoded.document)
        return new if before is None else merged(before, new, self.columns, self.today)


def unpacked(message: Rows, job: Job, documents: Documents, today: date) -> Step[PreparedRow]:
    """The step of a message. `today`: as the parser counts it."""
    decode = partial(documents.customer, job.organisation.id)
    rows = zip(message.lines, message.numbers, message.customers, message.columns, strict=True)
    prepared = [
        PreparedRow(line, number, encoded, message.kinds[columns], today, decode)
        for line, number, encoded, columns in rows
    ]
    for index, previous in message.previous.items():
        prepared[index].previous_customer_number = previous
    for index, lines in message.more_lines.items():
        prepared[index].more_lines = lines
    return Step(
        message.rejections,
        prepared,
        message.size,
        message.bytes_read,
        message.weak_hashes,
        message.remarks,
        message.refused_numbers,
        message.without,
    )
