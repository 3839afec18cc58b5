"""The import of customers: has the files read, gives batches to the store, reports bad rows.

A batch is one transaction, so an import that stops in the middle has stored whole batches, and when it is run again it
finds those rows unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

from stamkund.importing import beside
from stamkund.importing.dry_run import DryRun
from stamkund.importing.parser import parsed_steps
from stamkund.importing.report import BadRow, CannotRun, Summary
from stamkund.importing.steps import File, Job, Row, Step
from stamkund.rules import identifiers
from stamkund.rules.organisation import Organisation
from stamkund.store import BatchResult, CustomerUpdate, Store, Unavailable

OnBadRow = Callable[[BadRow], None]
OnProgress = Callable[[int, int], None]

BATCH = 1000
LARGE_BATCH = 4000
"""Rows in a batch of a large file: fewer transactions, each of which writes the same pages of the indexes once."""
PAUSES = (0.5, 1, 2, 4, 8, 15)
"""Seconds to wait before a batch is tried again: a database that restarts is back within them."""

_CONFLICTS = {
    identifiers.PERSON_NUMBER: ("social_security_number", "another customer has this social security number"),
    identifiers.EMAIL: ("email", "another customer with a password has this e-mail"),
    identifiers.EXTERNAL_ID: ("identity_mapping", "another customer has one of these external ids"),
}


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
    files = [File(str(file), str(file)) for file in (path, subscriptions) if file is not None]
    large = beside.are_large(files)
    job = Job(files[0], files[1] if subscriptions else None, organisation, now, LARGE_BATCH if large else BATCH)
    with ExitStack() as resources:
        run = _CustomerImport(store, job, report, progress)
        if dry_run:
            run.dry_run = resources.enter_context(closing(DryRun(organisation.id, store.documents)))
        async with beside.steps(job, store.documents) if large and beside.usable_cores() > 1 else _steps(job) as steps:
            async for step in steps:
                await run.take(step)
    return run.summary


@asynccontextmanager
async def _steps(job: Job) -> AsyncIterator[AsyncIterator[Step[Row]]]:
    with closing(parsed_steps(job)) as steps:

        async def one_by_one() -> AsyncIterator[Step[Row]]:
            for step in steps:
                yield step

        yield one_by_one()


class _CustomerImport:
    """The state of one import."""

    def __init__(self, store: Store, job: Job, report: OnBadRow, progress: OnProgress) -> None:
        self.summary = Summary()
        self.dry_run: DryRun | None = None
        self._store = store
        self._job = job
        self._report = report
        self._progress = progress
        self._rows = 0

    async def take(self, step: Step[Row]) -> None:
        """Reports and stores a step. Raises CannotRun."""
        for rejection in step.rejections:
            self.summary.rejected += rejection.counts
            if rejection.row is not None:
                self._report(rejection.row)
        for scheme, count in step.weak_hashes.items():
            self.summary.weak_hashes[scheme] = self.summary.weak_hashes.get(scheme, 0) + count
        if step.rows:
            await self._store_batch(step.rows)
        self._rows += step.size
        if step.bytes_read is not None:
            self._progress(step.bytes_read, self._rows)
        await asyncio.sleep(0)  # the import can be cancelled here

    async def _store_batch(self, rows: Sequence[Row]) -> None:
        result = await self._put(self.dry_run.watched(rows) if self.dry_run else rows)
        for conflict in result.rejected:
            self._reject(rows[conflict.place], conflict.kind)
        for index, kind in self.dry_run.check(rows, result) if self.dry_run else ():
            self._reject(rows[index], kind)
        self.summary.created += result.created
        self.summary.updated += result.updated
        self.summary.unchanged += result.unchanged

    def _reject(self, row: Row, kind: str) -> None:
        self.summary.rejected += 1
        self._report(BadRow(self._job.customers.name, row.line, *_CONFLICTS[kind]))

    async def _put(self, changes: Sequence[CustomerUpdate]) -> BatchResult:
        """One transaction, tried again while the database is out of reach. Raises CannotRun when it stays so."""
        for pause in (*PAUSES, None):
            try:
                return await self._store.customers.put(
                    self._job.organisation.id, changes, self._job.now, dry_run=self.dry_run is not None
                )
            except Unavailable as error:
                if pause is None:
                    raise CannotRun(
                        f"The database is out of reach ({error}). What was imported so far stays: "
                        "the same import can simply be run again."
                    ) from None
                await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")
