"""Reads and checks the files: a generator of steps, which the import stores as they come.

Whether it runs in the process of the import or in one beside it (`beside`), this is the one place where files are read.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Protocol, TypeVar

import msgspec

from stamkund.importing import csv_rows, held, together
from stamkund.importing.checks import weak_scheme
from stamkund.importing.columns import CUSTOMER_COLUMNS, LINE_COLUMNS, REASON, ColumnNames
from stamkund.importing.csv_rows import CsvRows, RowBuilder
from stamkund.importing.held import HeldRows, Rows
from stamkund.importing.json_lines import JsonLines
from stamkund.importing.raw import (
    Note,
    RawCustomer,
    RawSubscriptionLine,
    RepairedLine,
)
from stamkund.importing.report import BadRow, CannotRun, Remark, RowProblem
from stamkund.importing.rows import CustomerRow, RowParser
from stamkund.importing.source import Source
from stamkund.importing.spool import Spool
from stamkund.importing.steps import Job, Rejection, Step
from stamkund.importing.survey import Numbers, Survey, surveyed

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class RawRows(Protocol[R_co]):
    """The rows of a file: line numbers with raw rows, or with what is wrong with them."""

    def __iter__(self) -> Iterator[tuple[int, R_co | RowProblem]]: ...
    def number_blocks(self) -> Iterator[Numbers]: ...
    @property
    def are_rejects(self) -> bool: ...
    @property
    def are_joined(self) -> bool:
        """Whether the file is a join: one row for each subscription."""


BATCH_BYTES = 8 << 20
"""A step ends when so much of the customer file has been read, however few rows that is."""
_LINES = 5000
"""About how many lines of a subscription file are read in one step."""
_ORPHANS = 1000
_TOO_MANY_ROWS = (
    "The file {} has thousands of rows of one customer up to line {}: is the column customer_number the right one?"
)
_HOLDS_REJECTS = "--rejects writes this column, so the file ends no subscription that is missing from it"
_REJECTS_ARE_NOT_ALL = (
    "The file {} has the column reason, which --rejects writes: such a file does not name every customer, so it can't "
    "be imported with --full."
)
_UNKNOWN_CUSTOMER = "; its customer is unknown, so this import ends no subscription that is missing from the file"


def parsed_steps(job: Job) -> Generator[Step[CustomerRow]]:
    """Reads the files of a job. Raises CannotRun."""
    with ExitStack() as resources:
        resources.enter_context(_fewer_collections(job.batch_rows))
        source = resources.enter_context(Source(job.customers, job.reading.encoding))
        names = ColumnNames(job.reading.columns, CUSTOMER_COLUMNS)
        rows = _raw_rows(source, RawCustomer, csv_rows.customer_builder, names)

        def number_blocks() -> Iterator[Numbers]:
            with source.again() as again:
                yield from _raw_rows(again, RawCustomer, csv_rows.customer_builder, names).number_blocks()

        lines = None
        if job.subscriptions is not None:
            second = resources.enter_context(Source(job.subscriptions, job.reading.encoding))
            line_names = ColumnNames(job.reading.columns, LINE_COLUMNS)
            lines = _raw_rows(second, RawSubscriptionLine, csv_rows.subscription_builder, line_names)
        survey = resources.enter_context(surveyed(number_blocks))
        parser = _FileParser(job, source, rows, survey, resources.enter_context(closing(HeldRows())))
        if lines is None:
            yield from parser.customers()
            return
        spool = resources.enter_context(closing(Spool()))
        yield from parser.subscriptions(lines, second, spool)
        yield from parser.customers()
        yield from parser.orphans(spool)


def customer_numbers(job: Job) -> Iterator[Numbers]:
    """All customer numbers of the customer file, read once more. Raises CannotRun."""
    with Source(job.customers, job.reading.encoding) as source:
        names = ColumnNames(job.reading.columns, CUSTOMER_COLUMNS)
        yield from _raw_rows(source, RawCustomer, csv_rows.customer_builder, names).number_blocks()


@contextmanager
def _fewer_collections(batch_rows: int) -> Iterator[None]:
    """A batch has many objects and no cycles: looking for cycles as often as Python does takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(100 * batch_rows, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _raw_rows(
    source: Source, row: type[R], builder: Callable[[list[str], str], RowBuilder[R]], names: ColumnNames
) -> RawRows[R]:
    return JsonLines(source, row, names) if source.is_json_lines else CsvRows(source, builder, names)


def _weak_hashes(rows: Iterable[CustomerRow]) -> Counter[str]:
    """How many weak password hashes customers bring, by their scheme: each once, however many rows it has."""
    schemes = (weak_scheme(one) for row in rows if (one := row.new.password_hash) is not None)
    return Counter(scheme for scheme in schemes if scheme is not None)


class _FileParser:
    """The state of one reading."""

    def __init__(
        self, job: Job, source: Source, rows: RawRows[RawCustomer], survey: Survey, rows_held: HeldRows
    ) -> None:
        self._job = job
        self._parser = RowParser(job.organisation, job.now, job.reading)
        self._source = source
        self._sources = [source]
        self._rows = rows
        self._survey = survey
        self._held = rows_held
        # A row that may be anybody's is one that any of several rows of a customer may lack.
        self._complete = not ((survey.repeats or rows.are_joined) and survey.unknown)
        self._spool: Spool | None = None
        self._rejections: list[Rejection] = []
        self._remarks: list[Remark] = []
        self._refused_numbers: list[str | None] = []
        self._without: list[str] = []
        self._batch: list[CustomerRow] = []
        self._size = 0
        self._byte_limit = 0
        self._number = ""
        self._open: Rows = []
        if rows.are_rejects:
            self._end_nothing(source)

    def subscriptions(
        self, lines: RawRows[RawSubscriptionLine], source: Source, spool: Spool
    ) -> Iterator[Step[CustomerRow]]:
        """Spools every line of the subscription file, for `customers`."""
        self._sources.append(source)
        self._spool = spool
        if lines.are_rejects:
            spool.complete = False
            self._end_nothing(source)
        due = _LINES
        for line, raw in lines:
            problem = raw if isinstance(raw, RowProblem) else self._spool_line(raw, line, spool)
            if problem is not None:
                self._reject_line(problem, line, source.name, spool)
            if line >= due:  # not every line is there: blank ones are none, and a row may take several
                yield self._step([])
                due = line + _LINES
        spool.finish()
        yield self._step([])

    def _spool_line(self, raw: RawSubscriptionLine, line: int, spool: Spool) -> RowProblem | None:
        customers: tuple[str, ...] = ()
        notes = list(raw.notes) if isinstance(raw, RepairedLine) else []
        try:
            number = self._parser.customer_number(raw.customer_number)
            customers = (number,)
            spool.add(number, line, self._parser.subscription(raw, notes))
        except RowProblem as problem:
            return RowProblem(problem.column, problem.reason, customers)
        self._note(notes, self._sources[-1].name, line, number)
        return None

    def _reject_line(self, problem: RowProblem, line: int, name: str, spool: Spool) -> None:
        """Reports a line, and makes sure that its customer loses no product because of it."""
        reason = problem.reason
        if problem.customers:
            spool.add_invalid(problem.customers, line)
        else:
            spool.complete = False
            reason += _UNKNOWN_CUSTOMER
        self._rejections.append(Rejection(BadRow(name, line, problem.column, reason)))

    def customers(self) -> Iterator[Step[CustomerRow]]:
        """Reads the customer file in batches, the rows of one customer together."""
        self._byte_limit = self._source.bytes_read + BATCH_BYTES
        take = self._sort_in if self._survey.repeats else self._take_single
        source, batch_rows = self._source, self._job.batch_rows
        for line, raw in self._rows:
            self._size += 1
            take(raw, line)
            if self._size >= batch_rows or source.bytes_read >= self._byte_limit:
                yield self._batch_step()
        if self._open:
            self._take()
        for number, rows in self._held.customers():
            self._number, self._open = number, rows
            self._check_number_of_rows(len(rows) - 1)
            self._add()
            if len(self._batch) >= self._job.batch_rows:
                yield self._batch_step()
        yield self._batch_step()

    def _take_single(self, raw: RawCustomer | RowProblem, line: int) -> None:
        """Adds a row to the batch, in a file that has one for each customer."""
        try:
            if isinstance(raw, RowProblem):
                raise raw
            number = self._parser.customer_number(raw.customer_number)
        except RowProblem as problem:
            numbers = self._reject_row(problem, line)
        else:
            row = self._check(raw, line, number, None)
            if row is not None:
                self._add_to_batch(row, complete=self._complete)
                return
            numbers = (number,)
        if self._spool is not None:
            self._spool.add_customers(numbers)

    def _sort_in(self, raw: RawCustomer | RowProblem, line: int) -> None:
        """Adds a row to those of the same customer before it, or takes these and begins with the next customer."""
        try:
            if isinstance(raw, RowProblem):
                raise raw
            number = self._parser.customer_number(raw.customer_number)
        except RowProblem as problem:
            for number in self._reject_row(problem, line):
                self._begin(number)
                self._open.append((line, None))
            return
        self._begin(number)
        self._open.append((line, raw))

    def _begin(self, number: str) -> None:
        """Makes this customer the one whose rows are gathered."""
        if number != self._number:
            if self._open:
                self._take()
            self._number, self._open = number, []
        else:
            self._check_number_of_rows(len(self._open))

    def _check_number_of_rows(self, present: int) -> None:
        """Whether the customer may have one more row. Raises CannotRun."""
        if present >= held.MAX_ROWS_OF_ONE:
            raise CannotRun(_TOO_MANY_ROWS.format(self._source.name, self._open[-1][0]))

    def _reject_row(self, problem: RowProblem, line: int) -> tuple[str, ...]:
        """Reports a row that is rejected; returns the customers to whom it may belong."""
        reason = problem.reason
        if not problem.customers and self._survey.repeats:
            reason += _UNKNOWN_CUSTOMER
        self._reject(line, problem.column, reason)
        self._refused_numbers += problem.customers or (None,)
        return problem.customers

    def _end_nothing(self, source: Source) -> None:
        """The file holds what was rejected of another one, so what it lacks may have been imported.

        Raises CannotRun for one that is to be complete.
        """
        if self._job.reading.full:
            raise CannotRun(_REJECTS_ARE_NOT_ALL.format(source.name))
        self._complete = False
        self._remarks.append(Remark(source.name, 1, REASON, "", _HOLDS_REJECTS))

    def _take(self) -> None:
        """Checks the rows of a customer, or holds them where the file has more of them in another place."""
        if self._survey.is_scattered(self._number):
            self._held.add(self._number, self._open)
        else:
            self._add()

    def _add(self) -> None:
        """Adds a customer to the batch: all its rows together."""
        made: CustomerRow | None = None
        complete = self._complete
        number = self._number
        for line, raw in self._open:
            row = None if raw is None else self._check(raw, line, number, made)
            if row is None:
                complete = False
            elif made is None:
                made = row
            else:
                self._note(together.add(made, row), self._source.name, line, number)
        if made is None:
            if self._spool is not None:
                self._spool.add_customers((number,))
        else:
            self._add_to_batch(made, complete=complete)

    def _add_to_batch(self, row: CustomerRow, *, complete: bool) -> None:
        """`complete`: subscriptions that the customer has and the file does not give are ended."""
        if not complete:
            row.columns = msgspec.structs.replace(row.columns, subscriptions_complete=False)
        self._batch.append(row)

    def _check(self, raw: RawCustomer, line: int, number: str, first: CustomerRow | None) -> CustomerRow | None:
        """The checked row, or None for one that is rejected, which is reported."""
        try:
            row = self._parser.row(raw, line, number)
            if self._spool is not None and row.has_subscriptions:
                raise RowProblem("subscriptions", "must not be given together with a subscription file")
            problem = together.contradiction(first, row) if first is not None else None
            if problem is not None:
                raise problem
        except RowProblem as problem:
            self._reject(line, problem.column, problem.reason)
            self._refused_numbers.append(number)
            return None
        if row.notes:
            self._note(row.notes, self._source.name, line, row.customer_number)
        for part in row.refused_parts:
            self._reject(line, part.column, part.reason)
        return row

    def _note(self, notes: Iterable[Note], file: str, line: int, number: str) -> None:
        self._remarks += [Remark(file, line, note.column, number, note.reason, note.value) for note in notes]

    def _reject(self, line: int, column: str | None, reason: str) -> None:
        self._rejections.append(Rejection(BadRow(self._source.name, line, column, reason)))

    def _batch_step(self) -> Step[CustomerRow]:
        rows, self._batch = self._batch, []
        size, self._size = self._size, 0
        self._byte_limit = self._source.bytes_read + BATCH_BYTES
        if self._spool is not None:
            self._add_subscriptions(rows, self._spool)
        if self._job.reading.full:
            self._keep_subscriptions(rows)
        return self._step(rows, size)

    def _keep_subscriptions(self, rows: Iterable[CustomerRow]) -> None:
        """Ends nothing yet of customers whom a complete file names without a subscription: they may be too many."""
        for row in rows:
            if row.has_subscriptions and row.columns.subscriptions_complete and not row.new.subscriptions:
                row.columns = msgspec.structs.replace(row.columns, subscriptions_complete=False)
                self._without.append(row.customer_number)

    def _add_subscriptions(self, rows: list[CustomerRow], spool: Spool) -> None:
        spooled = spool.of_customers([row.customer_number for row in rows])
        for row in rows:
            number = row.customer_number
            complete = spool.complete and number not in spooled.incomplete
            row.add_subscriptions(spooled.subscriptions.get(number, []), complete=complete)

    def _step(self, rows: list[CustomerRow], size: int = 0) -> Step[CustomerRow]:
        # A row is rejected at once, or when all rows of its customer are there.
        self._rejections.sort(key=lambda rejection: 0 if rejection.row is None else rejection.row.line)
        step = Step(
            self._rejections,
            rows,
            size,
            sum(source.bytes_read for source in self._sources),
            _weak_hashes(rows),
            self._remarks,
            self._refused_numbers,
            self._without,
        )
        self._rejections, self._remarks, self._refused_numbers, self._without = [], [], [], []
        return step

    def orphans(self, spool: Spool) -> Iterator[Step[CustomerRow]]:
        """Rejects lines whose customer is not in the customer file."""
        name = self._sources[-1].name
        rejections: list[Rejection] = []
        for line in spool.orphans():
            rejections.append(
                Rejection(BadRow(name, line, "customer_number", "the customer file has no such customer"))
            )
            if len(rejections) == _ORPHANS:
                yield Step(rejections)
                rejections = []
        yield Step(rejections)
