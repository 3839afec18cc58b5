"""A complete file (`--full`): whoever it does not name has no subscription any more.

Which customers it names is recorded in a temporary database. A file that was cut off would end what readers pay for, so
nothing ends where too many would.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec

from stamkund.importing.report import CannotRun
from stamkund.importing.spool import cannot_run, temporary_database
from stamkund.rules.customer import Customer
from stamkund.store import CustomerChange, Store

MOST = 0.1
"""The share of customers whose subscriptions a file ends without being asked twice."""
_PAGE = 2_000
_SCHEMA = """
CREATE TABLE named (customer_number TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE without (customer_number TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE missing (customer_number TEXT);
"""
_NAME = "INSERT OR IGNORE INTO named VALUES (?)"
_NAME_WITHOUT = "INSERT OR IGNORE INTO without VALUES (?)"
_ARE_NAMED = "SELECT customer_number FROM named WHERE customer_number IN (SELECT value FROM json_each(?))"
_ARE_WITHOUT = "SELECT customer_number FROM without WHERE customer_number IN (SELECT value FROM json_each(?))"
_FORGET = "DELETE FROM missing"
_MISS = "INSERT INTO missing VALUES (?)"
_MISSING = "SELECT customer_number FROM missing"
_COUNT = "SELECT count(*) FROM missing"


class FullExport:
    """The customers that a complete file names. Every method raises CannotRun where there is no room for them."""

    def __init__(self, store: Store, organisation: str, now: int) -> None:
        self._store = store
        self._organisation = organisation
        self._now = now
        self._unknown = 0
        self._connection = temporary_database(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def add(self, numbers: Iterable[str]) -> None:
        """Records customers that the file names."""
        self._insert(_NAME, numbers)

    def add_without(self, numbers: Iterable[str]) -> None:
        """Records those of them that the file gives no subscription."""
        self._insert(_NAME_WITHOUT, numbers)

    def _insert(self, statement: str, numbers: Iterable[str]) -> None:
        with cannot_run():
            self._connection.execute("BEGIN")
            self._connection.executemany(statement, [(number,) for number in numbers])
            self._connection.execute("COMMIT")

    def add_unknown(self, rows: int) -> None:
        """Counts rows that were rejected and of which nobody knows whose they are."""
        self._unknown += rows

    def is_named(self, number: str) -> bool:
        return number in self._among(_ARE_NAMED, [number])

    async def find_missing(self) -> None:
        """Finds the customers with subscriptions whom the file does not name, or names without one."""
        with cannot_run():
            self._connection.execute(_FORGET)
        number = ""
        while page := await self._store.customers.numbers_after(self._organisation, number, _PAGE):
            present = self._among(_ARE_NAMED, page) - self._among(_ARE_WITHOUT, page)
            others = [one for one in page if one not in present]
            if others:
                paying = await self._store.customers.with_subscriptions(self._organisation, others, self._now)
                with cannot_run():
                    self._connection.executemany(_MISS, [(one,) for one in paying])
            number = page[-1]

    async def check(self, *, force: bool) -> None:
        """Raises CannotRun where the file may not be complete: it may name anybody, or too few."""
        if self._unknown:
            raise CannotRun(
                "Subscriptions of customers who are not in the file stay as they are: "
                f"of rejected rows ({self._unknown}) nobody knows whose they are."
            )
        with cannot_run():
            ((missing,),) = self._connection.execute(_COUNT).fetchall()
        if force or not missing:
            return
        paying = await self._paying(at_most=round(missing / MOST))
        if missing > MOST * paying:
            raise CannotRun(
                f"The file does not name {missing} of {paying} customers with subscriptions, or names them without "
                f"any. More than {MOST:.0%} would lose what they have, so nobody does. Look whether a file was cut "
                "off; if it is complete, add --force."
            )

    async def _paying(self, at_most: int) -> int:
        """How many customers have subscriptions; counted no further than this."""
        count, number = 0, ""
        while count < at_most and (
            page := await self._store.customers.numbers_after(self._organisation, number, _PAGE)
        ):
            count += len(await self._store.customers.with_subscriptions(self._organisation, page, self._now))
            number = page[-1]
        return count

    async def missing(self) -> AsyncIterator[Sequence[CustomerChange]]:
        """The changes that end their subscriptions, in batches."""
        with cannot_run():
            cursor = self._connection.execute(_MISSING)
            while rows := cursor.fetchmany(_PAGE):
                yield [CustomerChange(number, self._ended) for (number,) in rows]

    def _among(self, query: str, numbers: Sequence[str]) -> set[str]:
        with cannot_run():
            rows = self._connection.execute(query, (msgspec.json.encode(numbers).decode(),))
            return {number for (number,) in rows}

    def _ended(self, customer: Customer | None) -> Customer:
        assert customer is not None
        subscriptions = [msgspec.structs.replace(one, state="deactivated") for one in customer.subscriptions]
        return msgspec.structs.replace(customer, subscriptions=subscriptions, updated=self._now)
