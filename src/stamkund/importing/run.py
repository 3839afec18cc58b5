"""The import of customers: reads files, gives batches to the store, reports bad rows.

A batch is one transaction, so an import that stops in the middle has stored whole batches, and when it is run again it
finds those rows unchanged.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TypeVar

from stamkund.importing import csv_rows
from stamkund.importing.csv_rows import CsvRows, RowBuilder
from stamkund.importing.dry_run import DryRun
from stamkund.importing.json_lines import JsonLines
from stamkund.importing.raw import RawCustomer, RawSubscriptionLine
from stamkund.importing.report import BadRow, CannotRun, RowProblem, Summary
from stamkund.importing.rows import CustomerRow, RowParser
from stamkund.importing.source import Source
from stamkund.importing.spool import Spool
from stamkund.rules import identifiers
from stamkund.rules.organisation import Organisation
from stamkund.store import BatchResult, CustomerChange, Store, Unavailable

R = TypeVar("R")
OnBadRow = Callable[[BadRow], None]
OnProgress = Callable[[int, int], None]
RawRows = Iterable[tuple[int, R | RowProblem]]
"""Line numbers with raw rows, or with what is wrong with them."""

BATCH = 1000
PAUSES = (0.5, 1, 2, 4, 8, 15)
"""Seconds to wait before a batch is tried again: a database that restarts is back within them."""

_CONFLICTS = {
    identifiers.PERSON_NUMBER: ("social_security_number", "another customer has this social security number"),
    identifiers.EMAIL: ("email", "another customer with a password has this e-mail"),
    identifiers.EXTERNAL_ID: ("identity_mapping", "another customer has one of these external ids"),
}
_UNKNOWN_CUSTOMER = "; its customer is unknown, so this import ends no subscription that is missing from the file"


async def import_customers(
    store: Store,
    organisation: Organisation,
    path: Path,
    subscriptions: Path | None,
    *,
    now: int,
    dry_run: bool,
    report: OnBadRow,
    progress: OnProgress,
) -> Summary:
    """Imports a customer file, and optionally the subscriptions in a second file.

    `report` is called for every rejected row, `progress` after each batch with the bytes (of `total_bytes`) and rows
    that are done. Raises CannotRun; the batches before that stay imported.
    """
    with ExitStack() as resources:
        resources.enter_context(_fewer_collections())
        customers = resources.enter_context(Source(path))
        rows = _raw_rows(customers, RawCustomer, csv_rows.customer_builder)
        run = _CustomerImport(store, organisation, [customers], now=now, report=report, progress=progress)
        if dry_run:
            run.dry_run = resources.enter_context(closing(DryRun(store.documents.customer_identifiers)))
        if subscriptions is not None:
            source = resources.enter_context(Source(subscriptions))
            lines = _raw_rows(source, RawSubscriptionLine, csv_rows.subscription_builder)
            run.sources.append(source)
            run.spool = resources.enter_context(closing(Spool()))
            await run.read_subscriptions(lines, source.name, run.spool)
        await run.read_customers(rows)
        if subscriptions is not None:
            run.report_orphans(str(subscriptions))
        return run.summary


@contextmanager
def _fewer_collections() -> Iterator[None]:
    """A batch has many objects and no cycles: looking for cycles as often as Python does takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(50 * BATCH, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _raw_rows(source: Source, row: type[R], builder: Callable[[list[str], str], RowBuilder[R]]) -> RawRows[R]:
    return JsonLines(source, row) if source.is_json_lines else CsvRows(source, builder)


class _CustomerImport:
    """The state of one import."""

    def __init__(
        self,
        store: Store,
        organisation: Organisation,
        sources: list[Source],
        *,
        now: int,
        report: OnBadRow,
        progress: OnProgress,
    ) -> None:
        self.summary = Summary()
        self.sources = sources
        self.spool: Spool | None = None
        self.dry_run: DryRun | None = None
        self._store = store
        self._organisation = organisation.id
        self._parser = RowParser(organisation, now)
        self._now = now
        self._report = report
        self._progress = progress
        self._rows = 0

    async def read_subscriptions(self, lines: RawRows[RawSubscriptionLine], name: str, spool: Spool) -> None:
        """Spools every line of the subscription file, for `read_customers`."""
        for line, raw in lines:
            problem = raw if isinstance(raw, RowProblem) else self._spool_line(raw, line, spool)
            if problem is not None:
                self._reject_line(problem, line, name, spool)
            if line % (5 * BATCH) == 0:
                await self._show_progress()
        spool.finish()
        await self._show_progress()

    def _spool_line(self, raw: RawSubscriptionLine, line: int, spool: Spool) -> RowProblem | None:
        customers: tuple[str, ...] = ()
        try:
            number = self._parser.customer_number(raw.customer_number)
            customers = (number,)
            spool.add(number, line, self._parser.subscription(raw))
        except RowProblem as problem:
            return RowProblem(problem.column, problem.reason, customers)
        return None

    def _reject_line(self, problem: RowProblem, line: int, name: str, spool: Spool) -> None:
        """Reports a line, and makes sure that its customer loses no product because of it."""
        reason = problem.reason
        if problem.customers:
            spool.add_invalid(problem.customers, line)
        else:
            spool.complete = False
            self.summary.rejected += 1
            reason += _UNKNOWN_CUSTOMER
        self._report(BadRow(name, line, problem.column, reason))

    async def read_customers(self, rows: RawRows[RawCustomer]) -> None:
        """Stores the customer file in batches. A customer number that occurs twice begins a new batch."""
        batch: dict[str, CustomerRow] = {}
        size = 0
        for line, raw in rows:
            row = self._check(raw, line)
            size += 1
            if row is not None and row.customer_number in batch:
                await self._store_batch(batch, size - 1)
                batch, size = {}, 1
            if row is not None:
                batch[row.customer_number] = row
            if size >= BATCH:
                await self._store_batch(batch, size)
                batch, size = {}, 0
        await self._store_batch(batch, size)

    def _check(self, raw: RawCustomer | RowProblem, line: int) -> CustomerRow | None:
        """The checked row, or None for a bad one, which is reported."""
        if isinstance(raw, RowProblem):
            problem, customers = raw, raw.customers
        else:
            try:
                row = self._parser.row(raw, line)
                if row.subscriptions is not None and self.spool is not None:
                    raise RowProblem("subscriptions", "must not be given together with a subscription file")
                return row
            except RowProblem as error:
                problem, customers = error, (raw.customer_number or "",)
        if self.spool is not None:
            self.spool.add_customers(customers)
        self._reject(line, problem.column, problem.reason)
        return None

    def _reject(self, line: int, column: str | None, reason: str) -> None:
        self.summary.rejected += 1
        self._report(BadRow(self.sources[0].name, line, column, reason))

    async def _store_batch(self, batch: dict[str, CustomerRow], size: int) -> None:
        rows = list(batch.values()) if self.spool is None else self._with_subscriptions(batch, self.spool)
        if rows:
            result = await self._put(rows)
            for conflict in result.rejected:
                self._reject(rows[conflict.place].line, *_CONFLICTS[conflict.kind])
            for index, kind in self.dry_run.check(rows, result) if self.dry_run else ():
                self._reject(rows[index].line, *_CONFLICTS[kind])
            self.summary.created += result.created
            self.summary.updated += result.updated
            self.summary.unchanged += result.unchanged
        self._rows += size
        await self._show_progress()

    def _with_subscriptions(self, batch: dict[str, CustomerRow], spool: Spool) -> list[CustomerRow]:
        spooled = spool.of_customers(list(batch))
        rows = []
        for number, row in batch.items():
            if number in spooled.invalid:
                self._reject(row.line, "subscriptions", "the subscription file has a bad line for this customer")
                continue
            row.subscriptions = spooled.subscriptions.get(number, [])
            row.subscriptions_complete = spool.complete
            rows.append(row)
        return rows

    async def _put(self, rows: list[CustomerRow]) -> BatchResult:
        """One transaction, tried again while the database is out of reach. Raises CannotRun when it stays so."""
        dry_run = self.dry_run
        changes = [
            dry_run.change_for(row) if dry_run else CustomerChange(row.customer_number, row.change) for row in rows
        ]
        for pause in (*PAUSES, None):
            try:
                return await self._store.customers.put(
                    self._organisation, changes, self._now, dry_run=dry_run is not None
                )
            except Unavailable as error:
                if pause is None:
                    raise CannotRun(
                        f"The database is out of reach ({error}). What was imported so far stays: "
                        "the same import can simply be run again."
                    ) from None
                await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    async def _show_progress(self) -> None:
        """Yields to the event loop too, so that the import can be cancelled here."""
        self._progress(sum(source.bytes_read for source in self.sources), self._rows)
        await asyncio.sleep(0)

    def report_orphans(self, name: str) -> None:
        """Rejects lines whose customer is not in the customer file."""
        assert self.spool is not None
        for line, is_valid in self.spool.orphans():
            self.summary.rejected += 1
            if is_valid:  # the others were reported when they were read
                self._report(BadRow(name, line, "customer_number", "the customer file has no such customer"))
