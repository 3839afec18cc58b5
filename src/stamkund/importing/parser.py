"""Reads and checks the files: a generator of steps, which the import stores as they come.

Whether it runs in the process of the import or in one beside it (`beside`), this is the one place where files are read.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TypeVar

from stamkund.importing import csv_rows
from stamkund.importing.csv_rows import CsvRows, RowBuilder
from stamkund.importing.json_lines import JsonLines
from stamkund.importing.raw import RawCustomer, RawSubscriptionLine
from stamkund.importing.report import BadRow, RowProblem
from stamkund.importing.rows import CustomerRow, RowParser
from stamkund.importing.source import Source
from stamkund.importing.spool import Spool
from stamkund.importing.steps import Job, Rejection, Step

R = TypeVar("R")
RawRows = Iterable[tuple[int, R | RowProblem]]
"""Line numbers with raw rows, or with what is wrong with them."""

BATCH_BYTES = 8 << 20
"""A step ends when so much of the customer file has been read, however few rows that is."""
_LINES = 5000
"""About how many lines of a subscription file are read in one step."""
_ORPHANS = 1000

_UNKNOWN_CUSTOMER = "; its customer is unknown, so this import ends no subscription that is missing from the file"


def parsed_steps(job: Job) -> Generator[Step[CustomerRow]]:
    """Reads the files of a job. Raises CannotRun."""
    with ExitStack() as resources:
        resources.enter_context(_fewer_collections(job.batch_rows))
        parser = _FileParser(job, resources.enter_context(Source(job.customers)))
        if job.subscriptions is None:
            yield from parser.customers()
            return
        source = resources.enter_context(Source(job.subscriptions))
        lines = _raw_rows(source, RawSubscriptionLine, csv_rows.subscription_builder)
        spool = resources.enter_context(closing(Spool()))
        yield from parser.subscriptions(lines, source, spool)
        yield from parser.customers()
        yield from parser.orphans(spool)


@contextmanager
def _fewer_collections(batch_rows: int) -> Iterator[None]:
    """A batch has many objects and no cycles: looking for cycles as often as Python does takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(50 * batch_rows, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _raw_rows(source: Source, row: type[R], builder: Callable[[list[str], str], RowBuilder[R]]) -> RawRows[R]:
    return JsonLines(source, row) if source.is_json_lines else CsvRows(source, builder)


class _FileParser:
    """The state of one reading."""

    def __init__(self, job: Job, source: Source) -> None:
        self._batch_rows = job.batch_rows
        self._parser = RowParser(job.organisation, job.now)
        self._source = source
        self._sources = [source]
        self._rows = _raw_rows(source, RawCustomer, csv_rows.customer_builder)
        self._spool: Spool | None = None
        self._rejections: list[Rejection] = []

    def subscriptions(
        self, lines: RawRows[RawSubscriptionLine], source: Source, spool: Spool
    ) -> Iterator[Step[CustomerRow]]:
        """Spools every line of the subscription file, for `customers`."""
        self._sources.append(source)
        self._spool = spool
        due = _LINES
        for line, raw in lines:
            problem = raw if isinstance(raw, RowProblem) else self._spool_line(raw, line, spool)
            if problem is not None:
                self._reject_line(problem, line, source.name, spool)
            if line >= due:  # not every line is there: blank ones are none, and a row may take several
                yield self._step()
                due = line + _LINES
        spool.finish()
        yield self._step()

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
        if problem.customers:  # counted with its customer, or as an orphan
            spool.add_invalid(problem.customers, line)
            self._rejections.append(Rejection(BadRow(name, line, problem.column, problem.reason), counts=False))
        else:
            spool.complete = False
            self._rejections.append(Rejection(BadRow(name, line, problem.column, problem.reason + _UNKNOWN_CUSTOMER)))

    def customers(self) -> Iterator[Step[CustomerRow]]:
        """Reads the customer file in batches. A customer number that occurs twice begins a new batch."""
        batch: dict[str, CustomerRow] = {}
        size = 0
        limit = self._source.bytes_read + BATCH_BYTES
        for line, raw in self._rows:
            row = self._check(raw, line)
            size += 1
            if row is not None:
                if row.new.customer_number in batch:
                    yield self._batch(batch, size - 1)
                    batch, size = {}, 1
                batch[row.new.customer_number] = row
            if size >= self._batch_rows or self._source.bytes_read >= limit:
                yield self._batch(batch, size)
                batch, size = {}, 0
                limit = self._source.bytes_read + BATCH_BYTES
        yield self._batch(batch, size)

    def _check(self, raw: RawCustomer | RowProblem, line: int) -> CustomerRow | None:
        """The checked row, or None for a bad one, which is reported."""
        if isinstance(raw, RowProblem):
            problem, customers = raw, raw.customers
        else:
            try:
                row = self._parser.row(raw, line)
                if self._spool is not None and row.has_subscriptions:
                    raise RowProblem("subscriptions", "must not be given together with a subscription file")
                return row
            except RowProblem as error:
                problem, customers = error, (raw.customer_number or "",)
        if self._spool is not None:
            self._spool.add_customers(customers)
        self._reject(line, problem.column, problem.reason)
        return None

    def _reject(self, line: int, column: str | None, reason: str) -> None:
        self._rejections.append(Rejection(BadRow(self._source.name, line, column, reason)))

    def _batch(self, batch: dict[str, CustomerRow], size: int) -> Step[CustomerRow]:
        rows = list(batch.values()) if self._spool is None else self._with_subscriptions(batch, self._spool)
        return self._step(rows, size)

    def _with_subscriptions(self, batch: dict[str, CustomerRow], spool: Spool) -> list[CustomerRow]:
        spooled = spool.of_customers(list(batch))
        rows = []
        for number, row in batch.items():
            if number in spooled.invalid:
                self._reject(row.line, "subscriptions", "the subscription file has a bad line for this customer")
                continue
            row.add_subscriptions(spooled.subscriptions.get(number, []), complete=spool.complete)
            rows.append(row)
        return rows

    def _step(self, rows: list[CustomerRow] | None = None, size: int = 0) -> Step[CustomerRow]:
        rejections, self._rejections = self._rejections, []
        weak, self._parser.weak_hashes = self._parser.weak_hashes, Counter()
        return Step(rejections, rows or [], size, sum(source.bytes_read for source in self._sources), weak)

    def orphans(self, spool: Spool) -> Iterator[Step[CustomerRow]]:
        """Rejects lines whose customer is not in the customer file."""
        name = self._sources[-1].name
        rejections: list[Rejection] = []
        for line, is_valid in spool.orphans():
            reason = "the customer file has no such customer"
            # The invalid ones were reported when they were read.
            rejections.append(Rejection(BadRow(name, line, "customer_number", reason) if is_valid else None))
            if len(rejections) == _ORPHANS:
                yield Step(rejections)
                rejections = []
        yield Step(rejections)
