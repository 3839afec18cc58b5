"""What the parser of the files gives to the import: steps, in the order of the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import msgspec

from stamkund.importing.report import BadRow, Remark
from stamkund.rules.organisation import Organisation
from stamkund.store import CustomerUpdate


class File(msgspec.Struct):
    """A file by the name that reports give it, and the path that it is opened by."""

    name: str
    path: str


class Reading(msgspec.Struct, frozen=True):
    """How files are to be read.

    `encoding`: the name of one, or None to find out. `columns`: names of columns of the files by ours.
    `exclusive_dates`: a date alone as an end means its beginning. `full`: the file names every customer.
    `firebase`: the settings have the key of the Firebase project that hashes come from.
    """

    encoding: str | None = None
    columns: dict[str, str] = {}
    exclusive_dates: bool = False
    full: bool = False
    firebase: bool = False


DEFAULT_READING = Reading()


class Job(msgspec.Struct):
    """What is to be read, and for whom. `batch_rows`: of the customer file, at most, in one step."""

    customers: File
    subscriptions: File | None
    organisation: Organisation
    now: int
    batch_rows: int
    reading: Reading = DEFAULT_READING


class Rejection(msgspec.Struct, array_like=True):
    """A rejected row: to be reported (None: that has been done), to be counted, or both."""

    row: BadRow | None
    counts: bool = True


class Row(CustomerUpdate, Protocol):
    """A checked row of the customer file, at this line. `more_lines`: others, if the customer has several rows."""

    @property
    def line(self) -> int: ...
    @property
    def more_lines(self) -> tuple[int, ...]: ...


R_co = TypeVar("R_co", bound=Row, covariant=True)


@dataclass(slots=True)
class Step(Generic[R_co]):
    """What was read up to some line: rows that were rejected on the way, then rows to be stored in one transaction.

    `size`: rows of the customer file, with those that were rejected. `bytes_read`: of all files, so far; None where
    there is no progress to show. `weak_hashes`: how many of the password hashes are weak, by their scheme.
    `refused_numbers`: customers that the file names in rows that were rejected; None among them: a row of nobody knows
    whom. `without`: customers whom a complete file names without any subscription.
    """

    rejections: list[Rejection]
    rows: Sequence[R_co] = ()
    size: int = 0
    bytes_read: int | None = None
    weak_hashes: Mapping[str, int] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    refused_numbers: list[str | None] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
