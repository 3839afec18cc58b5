"""The import of customers: has the files read, gives batches to the store, reports bad rows.

A batch is one transaction, so an import that stops in the middle has stored whole batches, and when it is run again it
finds those rows unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

import msgspec

from stamkund.importing import beside
from stamkund.importing.dry_run import DryRun
from stamkund.importing.full_export import FullExport
from stamkund.importing.messages import PreparedRow
from stamkund.importing.moving import Moving
from stamkund.importing.parser import customer_numbers, parsed_steps
from stamkund.importing.report import BadRow, CannotRun, Missing, Remark, Report, Summary
from stamkund.importing.set_aside import SetAside
from stamkund.importing.source import readable
from stamkund.importing.steps import DEFAULT_READING, Job, Reading, Row, Step
from stamkund.rules import identifiers
from stamkund.rules.customer import Customer
from stamkund.rules.organisation import Organisation
from stamkund.rules.timestamps import zone
from stamkund.store import (
    BatchResult,
    CustomerChange,
    CustomerUpdate,
    MoveRefused,
    RejectedRow,
    Store,
    Unavailable,
    UniqueConflict,
)

OnReport = Callable[[Report], None]
OnProgress = Callable[[int, int], None]

BATCH = 1000
LARGE_BATCH = 4000
"""Rows in a batch of a large file: fewer transactions, each of which writes the same pages of the indexes once."""
PAUSES = (0.5, 1, 2, 4, 8, 15)
"""Seconds to wait before a batch is tried again: a database that restarts is back within them."""

_CONFLICTS = {
    identifiers.PERSON_NUMBER: ("social_security_number", "has this social security number"),
    identifiers.EMAIL: ("email", "has this e-mail and a password"),
    identifiers.EXTERNAL_ID: ("identity_mapping", "has one of these external ids"),
}
_IF_THE_SAME = "; if it is the same person with a new number, name that number in previous_customer_number"

_IN_USE = "another customer or an account has this e-mail for its login: the customer was imported without one"
_NUMBER_KEPT = "another account has this number, so the account of this customer keeps its own"
ROUNDS = 4
"""How often rows that were set aside are tried, as long as some of them succeed."""


async def import_customers(
    store: Store,
    organisation: Organisation,
    path: Path,
    subscriptions: Path | None,
    *,
    now: int,
    dry_run: bool,
    report: OnReport,
    progress: OnProgress,
    reading: Reading = DEFAULT_READING,
    force: bool = False,
    summary: Summary | None = None,
) -> Summary:
    """Imports a customer file, and optionally the subscriptions in a second file.

    `report` is called for every rejected row and every value that is not imported as it stands, `progress` after each
    batch with the bytes (of `total_bytes`) and rows that are done. `force`: a complete file may end any number of
    subscriptions. `summary` is filled as the import goes on. Raises CannotRun; what was done before stays.
    """
    with ExitStack() as resources:
        files = [resources.enter_context(readable(file)) for file in (path, subscriptions) if file is not None]
        large = beside.are_large(files)
        batch_rows = LARGE_BATCH if large else BATCH
        job = Job(files[0], files[1] if subscriptions else None, organisation, now, batch_rows, reading)
        run = _CustomerImport(store, job, report, progress, Summary() if summary is None else summary)
        run.set_aside = resources.enter_context(closing(run.set_aside))
        run.moving = resources.enter_context(closing(run.moving))
        if dry_run:
            run.dry_run = resources.enter_context(closing(DryRun(organisation.id, store.documents)))
        if reading.full:
            run.full = resources.enter_context(closing(FullExport(store, organisation.id, now)))
        async with beside.steps(job, store.documents) if large and beside.usable_cores() > 1 else _steps(job) as steps:
            async for step in steps:
                await run.take(step)
        await run.finish(force=force)
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

    def __init__(self, store: Store, job: Job, report: OnReport, progress: OnProgress, summary: Summary) -> None:
        self.summary = summary
        self.dry_run: DryRun | None = None
        self.full: FullExport | None = None
        self._may_move = False
        self.set_aside = SetAside(job.organisation.id, store.documents, zone(job.organisation.timezone).today(job.now))
        self.moving = Moving()
        self._store = store
        self._job = job
        self._report = report
        self._progress = progress
        self._rows = 0
        self._longest = job.organisation.longest_customer_number

    async def take(self, step: Step[Row]) -> None:
        """Reports and stores a step. Raises CannotRun."""
        for rejection in step.rejections:
            self.summary.rejected += rejection.counts
            if rejection.row is not None:
                self._report(rejection.row)
        for scheme, count in step.weak_hashes.items():
            self.summary.weak_hashes[scheme] = self.summary.weak_hashes.get(scheme, 0) + count
        for remark in step.remarks:
            self._remark(remark)
        if step.rows:
            await self._store_first(step.rows)
        if self.full is not None:
            self.full.add(row.customer_number for row in step.rows)
            self.full.add(number for number in step.refused_numbers if number is not None)
            self.full.add_without(step.without)
            self.full.add_unknown(step.refused_numbers.count(None))
        self._rows += step.size
        if step.bytes_read is not None:
            self._progress(step.bytes_read, self._rows)
        await asyncio.sleep(0)  # the import can be cancelled here

    async def finish(self, *, force: bool) -> None:
        """What can only be done when the whole file has been read. Raises CannotRun."""
        if not self.moving.is_empty:
            self.moving.look_through(customer_numbers(self._job))
        for round_ in range(ROUNDS):  # what still contradicts is in the round after the last
            if not await self._try_again(round_):
                break
        refusal = None if self.full is None else await self._refusal(self.full, force=force)
        self._may_move = self.full is not None and refusal is None
        for rows in self.set_aside.batches(round_ + 1, self._job.batch_rows):
            await self._store_last(rows)
        if self.full is not None and (refusal is None or self.dry_run is not None):
            await self._end_missing(self.full)
        if refusal is not None:
            raise refusal

    async def _store_first(self, rows: Sequence[Row]) -> None:
        """Stores a batch; rows that contradict what is stored are set aside."""
        self.summary.long_numbers += sum(len(row.customer_number) > self._longest for row in rows)
        moving = [(row.customer_number, row.previous_customer_number) for row in rows if row.previous_customer_number]
        if moving:
            self.moving.add(moving)
            for row in rows:
                if row.previous_customer_number:
                    self.set_aside.add(row, 0)
            rows = [row for row in rows if not row.previous_customer_number]
        for conflict in await self._store_batch(rows, rows):
            self.set_aside.add(rows[conflict.place], 0)

    def _check_moves(self, rows: Sequence[PreparedRow]) -> None:
        """Takes away previous customer numbers that another row has as its own: those are two customers."""
        named = self.moving.named([row.previous_customer_number for row in rows if row.previous_customer_number])
        for row in rows:
            if row.previous_customer_number in named:
                row.previous_customer_number = None
                self._note(row, "previous_customer_number", MoveRefused.IN_USE.value)

    async def _try_again(self, round_: int) -> bool:
        """Tries the rows of a round again; returns whether some succeeded, and so free something for the others."""
        succeeded = False
        for rows in self.set_aside.batches(round_, self._job.batch_rows):
            self._check_moves(rows)
            rejected = await self._store_batch(rows, rows)
            succeeded = succeeded or len(rejected) < len(rows)
            for conflict in rejected:
                self.set_aside.add(rows[conflict.place], round_ + 1)
        return succeeded

    async def _store_last(self, rows: Sequence[PreparedRow]) -> None:
        """Stores as much of the rows as can be stored, and rejects the others."""
        changes: list[CustomerUpdate] = list(rows)
        loginless: set[int] = set()
        rejected = await self._store_batch(rows, changes)
        while rejected:
            again: list[int] = []
            for conflict in rejected:
                place = conflict.place
                if conflict.kind == identifiers.EMAIL and place not in loginless:
                    changes[place] = _without_login(changes[place])
                    loginless.add(place)
                elif self._has_moved(conflict) and rows[place].previous_customer_number is None:
                    rows[place].previous_customer_number = conflict.owner
                    changes[place] = _from(changes[place], conflict.owner)
                else:
                    self._reject(rows[place], conflict)
                    continue
                again.append(place)
            if not again:
                break
            more = await self._store_batch([rows[place] for place in again], [changes[place] for place in again])
            rejected = [_at(conflict, again) for conflict in more]
        for place in sorted(loginless):
            self._note(rows[place], "password_hash", _IN_USE)

    def _has_moved(self, conflict: RejectedRow) -> bool:
        """Whether the customer who has the number is one whom a complete file does not name any more."""
        if self.full is None or not self._may_move or conflict.owner is None:
            return False
        return conflict.kind == identifiers.PERSON_NUMBER and not self.full.is_named(conflict.owner)

    async def _store_batch(self, rows: Sequence[Row], changes: Sequence[CustomerUpdate]) -> list[RejectedRow]:
        """Stores changes by rows, and counts them; returns those that contradict what is stored."""
        result = await self._put(self.dry_run.watched(changes) if self.dry_run else changes)
        if self.dry_run is not None:
            self.dry_run.check(changes, result)
        self.summary.created += result.created
        self.summary.updated += result.updated
        self.summary.unchanged += result.unchanged
        for place in result.numbers_kept:
            self._note(rows[place], "social_security_number", _NUMBER_KEPT)
        rejected = {conflict.place for conflict in result.rejected}  # those are noted when they are tried again
        for place, reason in result.moves_refused.items():
            if place not in rejected:
                self._note(rows[place], "previous_customer_number", reason.value)
        return result.rejected

    async def _refusal(self, full: FullExport, *, force: bool) -> CannotRun | None:
        """Why a file can't be complete: then nothing ends, and nobody moves to another number because of it."""
        try:
            await full.find_missing()
            await full.check(force=force)
        except CannotRun as refusal:
            return refusal
        return None

    async def _end_missing(self, full: FullExport) -> None:
        """Ends the subscriptions of customers whom the file does not name; a dry run lists them, however many."""
        await full.find_missing()  # once more: some have another number by now
        async for changes in full.missing():
            for change in changes:
                number = change.customer_number
                self._report(Missing(self._job.customers.name, number, full.is_named(number)))
            if self.dry_run is None:
                await self._put(changes)
            self.summary.ended += len(changes)

    def _note(self, row: Row, column: str, reason: str) -> None:
        self._remark(Remark(self._job.customers.name, row.line, column, row.customer_number, reason))

    def _remark(self, remark: Remark) -> None:
        self.summary.remarks += 1
        self._report(remark)

    def _reject(self, row: Row, conflict: RejectedRow) -> None:
        lines = (row.line, *row.more_lines)
        self.summary.rejected += len(lines)
        column, has_it = _CONFLICTS[conflict.kind]
        if conflict.owner is None:
            reason = f"another customer {has_it}"
        else:
            reason = f"customer {conflict.owner} {has_it}"
            if conflict.kind == identifiers.PERSON_NUMBER:
                reason += _IF_THE_SAME
        for line in lines:
            self._report(BadRow(self._job.customers.name, line, column, reason))

    async def _put(self, changes: Sequence[CustomerUpdate]) -> BatchResult:
        """One transaction, tried again while the database is out of reach. Raises CannotRun when it stays so."""
        for pause in (*PAUSES, None):
            try:
                return await self._store.customers.put(
                    self._job.organisation.id, changes, self._job.now, dry_run=self.dry_run is not None
                )
            except UniqueConflict:  # an activation has just taken an identifier that was free
                if pause is None:
                    raise
            except Unavailable as error:
                if pause is None:
                    raise CannotRun(
                        f"The database is out of reach ({error}). What was imported so far stays: "
                        "the same import can simply be run again."
                    ) from None
                await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")


def _without_login(change: CustomerUpdate) -> CustomerChange:
    """The change without the imported password."""

    def without(before: Customer | None) -> Customer:
        after = change.change(before)
        if after.password_hash is None:
            return after
        after = msgspec.structs.replace(after, password_hash=None)
        return before if before is not None and _same(before, after) else after

    return CustomerChange(change.customer_number, without, None, change.previous_customer_number)


def _same(before: Customer, after: Customer) -> bool:
    return msgspec.structs.replace(after, updated=before.updated) == before


def _from(change: CustomerUpdate, previous: str | None) -> CustomerChange:
    """The change of a customer who had another number before."""
    return CustomerChange(change.customer_number, change.change, change.encoded, previous)


def _at(conflict: RejectedRow, places: Sequence[int]) -> RejectedRow:
    """A conflict of some rows of a batch, by its place in the batch."""
    return RejectedRow(places[conflict.place], conflict.kind, conflict.owner, conflict.key)
