"""The results of an import: rejected rows, the totals, and the error that stops it."""

from __future__ import annotations

from dataclasses import dataclass, field


class CannotRun(Exception):
    """The import cannot start or cannot go on; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was rejected: where and why, never what it holds, because that is personal data."""

    file: str
    line: int
    column: str | None
    reason: str


@dataclass(slots=True)
class Summary:
    """How many customers were created, updated, left unchanged and rejected.

    `rejected` also counts lines of a subscription file whose customer is not in the customer file. `weak_hashes`: how
    many of the password hashes in the file are weak, by their scheme.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    weak_hashes: dict[str, int] = field(default_factory=dict)


class RowProblem(Exception):
    """Why a row is rejected, while it is being read. `customers`: customer numbers that the row may belong to."""

    def __init__(self, column: str | None, reason: str, customers: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason
        self.customers = customers
