"""What the parser of the files gives to the import: steps, in the order of the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import msgspec

from stamkund.importing.report import BadRow
from stamkund.rules.organisation import Organisation
from stamkund.store import CustomerUpdate


class File(msgspec.Struct):
    """A file by the name that reports give it, and the path that it is opened by."""

    name: str
    path: str


class Job(msgspec.Struct):
    """What is to be read, and for whom. `batch_rows`: of the customer file, at most, in one step."""

    customers: File
    subscriptions: File | None
    organisation: Organisation
    now: int
    batch_rows: int


class Rejection(msgspec.Struct, array_like=True):
    """A rejected row: to be reported (None: that has been done), to be counted, or both."""

    row: BadRow | None
    counts: bool = True


class Row(CustomerUpdate, Protocol):
    """A checked row of the customer file, at this line."""

    @property
    def line(self) -> int: ...


R_co = TypeVar("R_co", bound=Row, covariant=True)


@dataclass(slots=True)
class Step(Generic[R_co]):
    """What was read up to some line: rows that were rejected on the way, then rows to be stored in one transaction.

    `size`: rows of the customer file, with those that were rejected. `bytes_read`: of all files, so far; None where
    there is no progress to show. `weak_hashes`: how many of the password hashes are weak, by their scheme.
    """

    rejections: list[Rejection]
    rows: Sequence[R_co] = ()
    size: int = 0
    bytes_read: int | None = None
    weak_hashes: Mapping[str, int] = field(default_factory=dict)
