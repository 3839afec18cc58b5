"""The results of an import: rejected rows, the totals, and the error that stops it."""

from __future__ import annotations

from dataclasses import dataclass, field


class CannotRun(Exception):
    """The import cannot start or cannot go on; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row or a subscription that was rejected: where and why, never what it holds, because that is personal data."""

    file: str
    line: int
    column: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Remark:
    """A value that was not imported as it stands, though its row was. `value`: masked, so that its form can be seen."""

    file: str
    line: int
    column: str
    customer_number: str
    reason: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A customer whom a complete file does not name, or names without a subscription (`is_named`).

    The subscriptions end, or would end in a dry run.
    """

    file: str
    customer_number: str
    is_named: bool = False


Report = BadRow | Remark | Missing


@dataclass(slots=True)
class Summary:
    """How many customers were created, updated, left unchanged and rejected.

    `rejected` counts rows, and single subscriptions that were rejected while their customer was imported. `remarks`:
    values that were not imported as they stand. `ended`: customers that a complete file does not name and whose
    subscriptions ended. `long_numbers`: customers whose number is longer than look-ups of this organisation accept.
    `weak_hashes`: how many of the password hashes in the file are weak, by their scheme.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    remarks: int = 0
    ended: int = 0
    long_numbers: int = 0
    weak_hashes: dict[str, int] = field(default_factory=dict)


class RowProblem(Exception):
    """Why a row is rejected, while it is being read. `customers`: customer numbers that the row may belong to."""

    def __init__(self, column: str | None, reason: str, customers: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason
        self.customers = customers
