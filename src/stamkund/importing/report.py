"""What an import says: of a row that it did not take, of the whole, or that it cannot run at all."""

from __future__ import annotations

from dataclasses import dataclass


class CannotRun(Exception):
    """The import cannot start, or not go on; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not taken. Says where and why, never what it holds: that is somebody's data."""

    file: str
    line: int
    column: str | None
    reason: str


@dataclass(slots=True)
class Summary:
    """How many customers were made, changed, found as they should be, and not taken.

    `rejected` also counts lines of a subscription file that belong to no customer of the customer file.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0


class Bad(Exception):
    """Why a row can't be taken, while it is being read. `customers`: whose it may have been, by customer number."""

    def __init__(self, column: str | None, reason: str, customers: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason
        self.customers = customers
