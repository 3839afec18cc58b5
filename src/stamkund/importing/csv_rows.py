"""CSV: the first line names the columns, every other line is a row; separated by comma, semicolon or tab.

A quoted value may contain newlines, so a row may span several lines; it is reported by the first of them. As no column
accepts a newline, a row of several lines is always rejected: usually a quotation mark was not closed, and the lines of
other customers became part of the row. That is why customer numbers are searched for in each of its lines.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from stamkund.importing.json_lines import NOT_UTF8
from stamkund.importing.raw import ADDRESS_KEYS, CsvCustomer, RawAddress, RawSubscriptionLine
from stamkund.importing.report import CannotRun, RowProblem
from stamkund.importing.source import MAX_LINE_BYTES, Line, Source

R = TypeVar("R")

RowBuilder = Callable[[list[str | None]], R]
"""Makes a raw row from values in the order of the header; None for an empty value."""

_NUMBER_COLUMN = "customer_number"
_NUMBER = re.compile("[a-zA-Z0-9_-]{1,50}")
_DELIMITERS = ",;\t"
_ADDRESS_PREFIX, _EXTERNAL_ID_PREFIX = "address.", "identity_mapping."
_CUSTOMER_COLUMNS = tuple(
    name
    for name in CsvCustomer.__struct_fields__
    if name not in ("address", "identity_mapping", "subscriptions", "external_ids")
)
_SUBSCRIPTION_COLUMNS = RawSubscriptionLine.__struct_fields__


class CsvRows(Generic[R]):
    """The rows of a file, or what is wrong with them; each with the number of its first line."""

    def __init__(self, source: Source, builder: Callable[[list[str], str], RowBuilder[R]]) -> None:
        """Reads the header; `builder` makes the row builder for it. Raises CannotRun where it is not valid."""
        self._name = source.name
        self._lines = _CsvLines(source.lines())
        header = self._header()
        self._width = len(header)
        self._build = builder(header, source.name)
        self._number_index = header.index(_NUMBER_COLUMN)

    def __iter__(self) -> Iterator[tuple[int, R | RowProblem]]:
        reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        while True:
            first_line = self._lines.begin_row()
            values: list[str] = []
            problem: RowProblem | None = None
            try:
                values = next(reader)
            except StopIteration:
                return
            except (csv.Error, RowProblem) as error:
                problem = error if isinstance(error, RowProblem) else RowProblem(None, _reason(error))
            problem = self._lines.problem or problem
            if problem is None and not values:
                continue
            yield first_line, self._row(values, problem)

    def _row(self, values: list[str], problem: RowProblem | None) -> R | RowProblem:
        if problem is None and len(values) == self._width:
            if self._lines.first_line == self._lines.number:
                return self._build([value or None for value in values])
            problem = RowProblem(None, "a value contains a newline")
        elif problem is None:
            problem = RowProblem(None, f"has {len(values)} values, but the first line names {self._width} columns")
        return RowProblem(problem.column, problem.reason + self._span(), tuple(self._numbers()))

    def _numbers(self) -> Iterator[str]:
        """The customer numbers in the lines of the row, each line parsed by itself."""
        for line in self._lines.row_lines:
            try:
                values = next(csv.reader([line], delimiter=self._delimiter))
            except csv.Error:
                values = [value.strip() for value in line.split(self._delimiter)]
            if len(values) > self._number_index and _NUMBER.fullmatch(values[self._number_index]):
                yield values[self._number_index]

    def _span(self) -> str:
        first, last = self._lines.first_line, self._lines.number
        if last <= first:
            return ""
        return f" (lines {first} to {last} were read as one row: is a quotation mark not closed?)"

    def _header(self) -> list[str]:
        self._lines.begin_row()
        try:
            line = next(self._lines, None)
            if self._lines.problem:
                raise self._lines.problem
        except RowProblem as problem:
            raise CannotRun(f"The first line of {self._name} must name the columns, but {problem.reason}.") from None
        if line is None:
            raise CannotRun(f"The file {self._name} is empty: its first line must name the columns.")
        self._delimiter = max(_DELIMITERS, key=line.count)
        try:
            names = next(csv.reader([line], delimiter=self._delimiter, strict=True))
        except csv.Error:
            raise CannotRun(f"The first line of {self._name} must name the columns; it is not valid CSV.") from None
        return [name.strip() for name in names]


class _CsvLines:
    """Lines as text for the csv module. The first problem in one stays in `problem` until the next row begins.

    Bytes that are not UTF-8 are decoded to surrogates, so that the row still ends at the right line.
    """

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self.number = 0
        self.first_line = 0
        self.problem: RowProblem | None = None
        self.row_lines: list[str] = []
        self._row_bytes = 0

    def begin_row(self) -> int:
        """Starts a new row at the next line and returns the number of that line."""
        self.first_line, self.problem, self.row_lines, self._row_bytes = self.number + 1, None, [], 0
        return self.first_line

    def __iter__(self) -> _CsvLines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        if isinstance(line, RowProblem):
            raise line
        self._row_bytes += len(line)
        if self._row_bytes > MAX_LINE_BYTES:
            raise RowProblem(None, "the row is longer than 1 MiB")
        try:
            text = f"{line.decode()}\n"
        except UnicodeDecodeError:
            self.problem = self.problem or RowProblem(None, NOT_UTF8)
            text = f"{line.decode(errors='surrogateescape')}\n"
        self.row_lines.append(text)
        return text


def _reason(error: csv.Error) -> str:
    if "field limit" in str(error):
        return "a value is longer than 128 KiB"
    return "the row is not valid CSV: a quotation mark is out of place"


def customer_builder(header: list[str], name: str) -> RowBuilder[CsvCustomer]:
    """A builder of customers from rows with these columns. Raises CannotRun."""
    allowed = (*_CUSTOMER_COLUMNS, *(f"{_ADDRESS_PREFIX}{key}" for key in ADDRESS_KEYS))
    _check_header(header, name, allowed, _EXTERNAL_ID_PREFIX)
    plain = [(column, index) for index, column in enumerate(header) if "." not in column]
    address = _columns_with(_ADDRESS_PREFIX, header)
    external_ids = _columns_with(_EXTERNAL_ID_PREFIX, header)

    def build(values: list[str | None]) -> CsvCustomer:
        row = CsvCustomer()
        for key, index in plain:
            setattr(row, key, values[index])
        if address:
            row.address = RawAddress(**{key: values[index] for key, index in address})
        if external_ids:
            row.external_ids = {key: values[index] for key, index in external_ids}
        return row

    return build


def subscription_builder(header: list[str], name: str) -> RowBuilder[RawSubscriptionLine]:
    """A builder of subscription lines from rows with these columns. Raises CannotRun."""
    _check_header(header, name, _SUBSCRIPTION_COLUMNS)
    if "package_code" not in header:
        raise CannotRun(f"The file {name} has no column package_code. {_hint(_SUBSCRIPTION_COLUMNS)}")

    def build(values: list[str | None]) -> RawSubscriptionLine:
        return RawSubscriptionLine(**dict(zip(header, values, strict=True)))

    return build


def _columns_with(prefix: str, header: list[str]) -> list[tuple[str, int]]:
    """The columns whose name begins with `prefix`: the rest of the name, and the index in the row."""
    return [(column.removeprefix(prefix), index) for index, column in enumerate(header) if column.startswith(prefix)]


def _check_header(header: list[str], name: str, allowed: tuple[str, ...], prefix: str | None = None) -> None:
    """Looks for the customer number first: a file without a header has personal data in its first line.

    Names of unknown columns are printed, so they must not be such data.
    """
    listed = (*allowed, f"{prefix}KEY") if prefix else allowed
    if _NUMBER_COLUMN not in header:
        raise CannotRun(f"The first line of {name} has no column {_NUMBER_COLUMN}. {_hint(listed)}")
    for number, column in enumerate(header, 1):
        external = prefix is not None and column.startswith(prefix) and 1 <= len(column) - len(prefix) <= 128
        if column not in allowed and not (external and column.isprintable()):
            label = repr(column[:60]) if column else f"without a name (number {number})"
            raise CannotRun(f"The file {name} has an unknown column {label}. {_hint(listed)}")
        if header.index(column) < number - 1:
            raise CannotRun(f"The file {name} has the column {column} twice.")


def _hint(columns: tuple[str, ...]) -> str:
    return f"Known columns: {', '.join(columns)}."
