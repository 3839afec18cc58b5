"""The import itself: files in, batches to the store, reports out.

A batch is one transaction, so an import that stops in the middle has done whole batches, and running it again finds
those rows unchanged.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TypeVar

from stamkund.importing import csv_rows
from stamkund.importing.csv_rows import Build, CsvRows
from stamkund.importing.dry_run import DryRun
from stamkund.importing.json_lines import JsonLines
from stamkund.importing.raw import RawCustomer, RawSubscriptionLine
from stamkund.importing.report import Bad, BadRow, CannotRun, Summary
from stamkund.importing.rows import Row, RowParser
from stamkund.importing.source import Source
from stamkund.importing.spool import Spool
from stamkund.rules import identifiers
from stamkund.rules.organisation import Organisation
from stamkund.store import BatchResult, CustomerChange, Store, Unavailable

R = TypeVar("R")
Report = Callable[[BadRow], None]
Progress = Callable[[int, int], None]
Read = Iterable[tuple[int, R | Bad]]
"""Raw rows, or why they are none, with their line numbers."""

BATCH = 1000
PAUSES = (0.5, 1, 2, 4, 8, 15)
"""Seconds to wait before a batch is tried again: a database that restarts is back within them."""

_TAKEN = {
    identifiers.PERSON_NUMBER: ("social_security_number", "another customer has this social security number"),
    identifiers.EMAIL: ("email", "another customer with a password has this e-mail"),
    identifiers.EXTERNAL_ID: ("identity_mapping", "another customer has one of these external ids"),
}
_NOT_KNOWN_WHOSE = (
    "; as nobody knows which customer it is about, this import ends no subscription that has no line in the file"
)


async def import_customers(
    store: Store,
    organisation: Organisation,
    path: Path,
    subscriptions: Path | None,
    *,
    now: int,
    dry_run: bool,
    report: Report,
    progress: Progress,
) -> Summary:
    """Imports a customer file, with the subscriptions of a second file where there is one.

    `report` is told of every row that is not taken, `progress` after each batch how many bytes and rows are done
    (`total_bytes` says of how many bytes). Raises CannotRun; what was imported until then stays.
    """
    with ExitStack() as opened:
        opened.enter_context(_fewer_collections())
        customers = opened.enter_context(Source(path))
        rows = _rows(customers, RawCustomer, csv_rows.customers)
        run = _Run(store, organisation, [customers], now=now, report=report, progress=progress)
        if dry_run:
            run.dry_run = opened.enter_context(closing(DryRun(store.documents.customer_identifiers)))
        if subscriptions is not None:
            source = opened.enter_context(Source(subscriptions))
            lines = _rows(source, RawSubscriptionLine, csv_rows.subscription_lines)
            run.sources.append(source)
            run.spool = opened.enter_context(closing(Spool()))
            await run.read_subscriptions(lines, source.name, run.spool)
        await run.read_customers(rows)
        if subscriptions is not None:
            run.report_orphans(str(subscriptions))
        return run.summary


@contextmanager
def _fewer_collections() -> Iterator[None]:
    """A batch is many objects and no cycles: looking for cycles as often as Python does takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(50 * BATCH, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _rows(source: Source, row: type[R], build: Callable[[list[str], str], Build[R]]) -> Read[R]:
    return JsonLines(source, row) if source.is_json_lines else CsvRows(source, build)


class _Run:
    """One import: what it works with, and how far it has come."""

    def __init__(
        self,
        store: Store,
        organisation: Organisation,
        sources: list[Source],
        *,
        now: int,
        report: Report,
        progress: Progress,
    ) -> None:
        self.summary = Summary()
        self.sources = sources
        self.spool: Spool | None = None
        self.dry_run: DryRun | None = None
        self._store = store
        self._organisation = organisation.id
        self._reader = RowParser(organisation, now)
        self._now = now
        self._report = report
        self._progress = progress
        self._rows = 0

    async def read_subscriptions(self, lines: Read[RawSubscriptionLine], name: str, spool: Spool) -> None:
        """Puts every line of the subscription file where its customer will find it."""
        for line, raw in lines:
            bad = raw if isinstance(raw, Bad) else self._spooled(raw, line, spool)
            if bad is not None:
                self._leave_out(bad, line, name, spool)
            if line % (5 * BATCH) == 0:
                await self._tell()
        spool.finish()
        await self._tell()

    def _spooled(self, raw: RawSubscriptionLine, line: int, spool: Spool) -> Bad | None:
        customers: tuple[str, ...] = ()
        try:
            number = self._reader.customer_number(raw.customer_number)
            customers = (number,)
            spool.add(number, line, self._reader.subscription(raw))
        except Bad as bad:
            return Bad(bad.column, bad.reason, customers)
        return None

    def _leave_out(self, bad: Bad, line: int, name: str, spool: Spool) -> None:
        """A line that is not right: no product is taken from a reader because of it."""
        reason = bad.reason
        if bad.customers:
            spool.leave_out(bad.customers, line)
        else:
            spool.all_known = False
            self.summary.rejected += 1
            reason += _NOT_KNOWN_WHOSE
        self._report(BadRow(name, line, bad.column, reason))

    async def read_customers(self, rows: Read[RawCustomer]) -> None:
        batch: dict[str, Row] = {}
        read = 0
        for line, raw in rows:
            row = self._checked(raw, line)
            read += 1
            if row is not None and row.customer_number in batch:
                await self._put(batch, read - 1)
                batch, read = {}, 1
            if row is not None:
                batch[row.customer_number] = row
            if read >= BATCH:
                await self._put(batch, read)
                batch, read = {}, 0
        await self._put(batch, read)

    def _checked(self, raw: RawCustomer | Bad, line: int) -> Row | None:
        """The row, or None for one that is not right, which is reported."""
        if isinstance(raw, Bad):
            bad, customers = raw, raw.customers
        else:
            try:
                row = self._reader.row(raw, line)
                if row.subscriptions is not None and self.spool is not None:
                    raise Bad("subscriptions", "must not be given where a file of subscriptions is")
                return row
            except Bad as error:
                bad, customers = error, (raw.customer_number or "",)
        if self.spool is not None:
            self.spool.see(customers)
        self._reject(line, bad.column, bad.reason)
        return None

    def _reject(self, line: int, column: str | None, reason: str) -> None:
        self.summary.rejected += 1
        self._report(BadRow(self.sources[0].name, line, column, reason))

    async def _put(self, batch: dict[str, Row], read: int) -> None:
        rows = list(batch.values()) if self.spool is None else self._with_subscriptions(batch, self.spool)
        if rows:
            outcome = await self._stored(rows)
            for taken in outcome.rejected:
                self._reject(rows[taken.place].line, *_TAKEN[taken.kind])
            for place, kind in self.dry_run.check(rows, outcome) if self.dry_run else ():
                self._reject(rows[place].line, *_TAKEN[kind])
            self.summary.created += outcome.created
            self.summary.updated += outcome.updated
            self.summary.unchanged += outcome.unchanged
        self._rows += read
        await self._tell()

    def _with_subscriptions(self, batch: dict[str, Row], spool: Spool) -> list[Row]:
        taken = spool.take(list(batch))
        rows = []
        for number, row in batch.items():
            if number in taken.left_out:
                self._reject(row.line, "subscriptions", "a line of the subscription file is not right (see there)")
                continue
            row.subscriptions = taken.subscriptions.get(number, [])
            row.all_named = spool.all_known
            rows.append(row)
        return rows

    async def _stored(self, rows: list[Row]) -> BatchResult:
        """One transaction, tried again while the database is out of reach. Raises CannotRun when it stays so."""
        dry_run = self.dry_run
        wanted = [dry_run.wanted(row) if dry_run else CustomerChange(row.customer_number, row.change) for row in rows]
        for pause in (*PAUSES, None):
            try:
                return await self._store.customers.put(
                    self._organisation, wanted, self._now, dry_run=dry_run is not None
                )
            except Unavailable as error:
                if pause is None:
                    raise CannotRun(
                        f"The database is out of reach ({error}). What was imported until now is kept: "
                        "the same import can simply be run again."
                    ) from None
                await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _tell(self) -> None:
        """Tells how far it has come, and lets the event loop have its turn: a cancellation comes through here."""
        self._progress(sum(source.done for source in self.sources), self._rows)
        await asyncio.sleep(0)

    def report_orphans(self, name: str) -> None:
        """Lines whose customer the customer file does not have."""
        assert self.spool is not None
        for line, is_good in self.spool.orphans():
            self.summary.rejected += 1
            if is_good:  # the others were reported when they were read
                self._report(BadRow(name, line, "customer_number", "the customer file has no such customer"))
