"""CSV: the first line names the columns, every other line is a row; separated by comma, semicolon or tab.

A quoted value may contain newlines, so a row may span several lines; it is reported by the first of them. Where one of
those lines looks like a row itself, a quotation mark was not closed, and the lines of other customers became part of
the row: it is rejected, and customer numbers are searched for in each of its lines.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from stamkund.importing.columns import REASON, ColumnNames
from stamkund.importing.json_lines import NOT_UTF8
from stamkund.importing.raw import ADDRESS_KEYS, CsvCustomer, RawAddress, RawSubscription, RawSubscriptionLine
from stamkund.importing.report import CannotRun, RowProblem
from stamkund.importing.source import MAX_LINE_BYTES, Line, Source
from stamkund.importing.survey import Numbers
from stamkund.importing.texts import trimmed
from stamkund.rules.customer_numbers import CUSTOMER_NUMBER

R = TypeVar("R")

RowBuilder = Callable[[list[str | None]], R]
"""Makes a raw row from values in the order of the header; None for an empty value."""

_NUMBER_COLUMN = "customer_number"
_DELIMITERS = ",;\t"
_DECLARED_DELIMITER = re.compile(r"sep=([,;\t|])", re.IGNORECASE)
_BLANKS = " \t\r\n\x0b\x0c\x1a\xa0"
_NUMBERS = 5_000
"""How many customer numbers are handed on together."""
_ADDRESS_PREFIX, _EXTERNAL_ID_PREFIX = "address.", "identity_mapping."
_CUSTOMER_COLUMNS = tuple(
    name
    for name in CsvCustomer.__struct_fields__
    if name not in ("address", "identity_mapping", "subscriptions", "external_ids")
)
_OF_A_SUBSCRIPTION = RawSubscription.__struct_fields__
_SUBSCRIPTION_COLUMNS = RawSubscriptionLine.__struct_fields__
_PACKAGE_COLUMN = "package_code"


class CsvRows(Generic[R]):
    """The rows of a file, or what is wrong with them; each with the number of its first line."""

    def __init__(
        self,
        source: Source,
        builder: Callable[[list[str], str], RowBuilder[R]],
        names: ColumnNames,
        *,
        needs_number: bool = True,
    ) -> None:
        """Reads the header; `builder` makes the row builder for it. Raises CannotRun where it is not valid."""
        self._name = source.name
        self._source = source
        self._lines = _CsvLines(source)
        header = self._header()
        self._width = len(header)
        self.are_rejects = any(name.strip().casefold() == REASON and names.is_left_out(name) for name in header)
        """Whether `--rejects` wrote the file."""
        self._columns = [index for index, name in enumerate(header) if not names.is_left_out(name)]
        columns = [names.ours(header[index]) for index in self._columns]
        self._all_columns = len(columns) == self._width
        if not self._all_columns:
            self.header_text = self._written(header)
        self.are_joined = _PACKAGE_COLUMN in columns
        self._build = builder(columns, source.name)
        self._number_index = self._columns[columns.index(_NUMBER_COLUMN)] if needs_number else 0

    def __iter__(self) -> Iterator[tuple[int, R | RowProblem]]:
        for first_line, values, problem in self._parsed():
            yield first_line, self._row(values, problem)

    @property
    def delimiter(self) -> str:
        return self._delimiter

    def texts(self) -> Iterator[tuple[int, str, bool]]:
        """The rows as they stand, without their last newline, and whether each is sound: to be copied.

        One with too few values gets empty ones, so that it has as many as there are columns. The column that
        `--rejects` adds is left out.
        """
        for first_line, values, problem in self._parsed():
            text = "".join(self._lines.row_lines).rstrip("\n").encode(errors="surrogateescape").decode(errors="replace")
            if problem is not None or (len(values) > self._width and not self._ends_with_separators(values)):
                yield first_line, text, False
            elif len(values) == self._width and self._all_columns:
                yield first_line, text, True
            else:
                yield first_line, self._written([*values, *[""] * (self._width - len(values))]), True

    def number_blocks(self) -> Iterator[Numbers]:
        """The customer numbers of the file, as `survey` asks for them: read faster than rows are."""
        numbers: Numbers = []
        index = self._number_index
        for _, values, problem in self._parsed():
            spans = self._lines.first_line != self._lines.number
            if problem is None and len(values) > index and not (spans and self._holds_rows(values)):
                text = trimmed(values[index])
                numbers.append(text.encode() if text is not None and CUSTOMER_NUMBER.fullmatch(text) else None)
            else:
                numbers += [number.encode() for number in self._numbers()] or [None]
            if len(numbers) >= _NUMBERS:
                yield numbers
                numbers = []
        yield numbers

    def _parsed(self) -> Iterator[tuple[int, list[str], RowProblem | None]]:
        """The values of each row that is not blank, or what is wrong with it."""
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
            if problem is None and not any(values):
                continue
            if problem is None and not values[0].strip(_BLANKS) and not "".join(values).strip(_BLANKS):
                continue
            yield first_line, values, problem

    def _row(self, values: list[str], problem: RowProblem | None) -> R | RowProblem:
        if problem is None:
            if self._ends_with_separators(values):
                values = values[: self._width]
            if len(values) != self._width:
                problem = RowProblem(None, f"has {len(values)} values, but the first line names {self._width} columns")
            elif self._lines.first_line != self._lines.number and self._holds_rows(values):
                problem = RowProblem(None, "a value contains other rows")
            elif self._all_columns:
                return self._build([value or None for value in values])
            else:
                return self._build([values[index] or None for index in self._columns])
        return RowProblem(problem.column, problem.reason + self._span(), tuple(self._numbers()))

    def _written(self, values: list[str]) -> str:
        """A row of the columns that are not left out, without a newline at its end."""
        output = io.StringIO()
        writer = csv.writer(output, delimiter=self._delimiter, lineterminator="")
        writer.writerow([values[index] for index in self._columns])
        return output.getvalue()

    def _ends_with_separators(self, values: list[str]) -> bool:
        return len(values) > self._width and not "".join(values[self._width :]).strip(_BLANKS)

    def _holds_rows(self, row: list[str]) -> bool:
        """Whether a line within the row looks like a row: then a quotation mark was not closed."""
        return len(row) == self._width > 1 and any(
            len(values) == self._width and CUSTOMER_NUMBER.fullmatch(values[self._number_index].strip())
            for values in map(self._alone, self._lines.row_lines[1:])
        )

    def _alone(self, line: str) -> list[str]:
        """The values of a line, parsed by itself."""
        try:
            return next(csv.reader([line], delimiter=self._delimiter), [])
        except csv.Error:
            return line.split(self._delimiter)

    def _numbers(self) -> Iterator[str]:
        """The customer numbers in the lines of the row, each line parsed by itself."""
        for values in map(self._alone, self._lines.row_lines):
            if len(values) > self._number_index:
                number = values[self._number_index].strip()
                if CUSTOMER_NUMBER.fullmatch(number):
                    yield number

    def _span(self) -> str:
        first, last = self._lines.first_line, self._lines.number
        if last <= first:
            return ""
        return f" (lines {first} to {last} were read as one row: is a quotation mark not closed?)"

    def _header(self) -> list[str]:
        """The names of the columns. A first line may say which separator the file has, as Excel writes it."""
        line = self._header_line()
        delimiter = _DECLARED_DELIMITER.fullmatch(line.strip())
        if delimiter:
            line = self._header_line()
        self._delimiter = delimiter[1] if delimiter else max(_DELIMITERS, key=line.count)
        try:
            names = [name.strip() for name in next(csv.reader([line], delimiter=self._delimiter, strict=True))]
        except csv.Error:
            raise CannotRun(f"The first line of {self._name} must name the columns; it is not valid CSV.") from None
        while len(names) > 1 and not names[-1]:
            names.pop()
        self.header_text = line.rstrip(f"\n{self._delimiter}")
        return names

    def _header_line(self) -> str:
        self._lines.begin_row()
        try:
            line = next(self._lines, None)
            if self._lines.problem:
                raise self._lines.problem
        except RowProblem as problem:
            raise CannotRun(f"The first line of {self._name} must name the columns, but {problem.reason}.") from None
        if line is None:
            raise CannotRun(f"The file {self._name} is empty: its first line must name the columns.")
        return line


class _CsvLines:
    """Lines as text for the csv module. The first problem in one stays in `problem` until the next row begins.

    Bytes that are not UTF-8 are decoded to surrogates, so that the row still ends at the right line.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines: Iterator[Line] = source.lines()
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
            text = self._other_text(line)
        self.row_lines.append(text)
        return text

    def _other_text(self, line: bytes) -> str:
        """The text of a line in another encoding, or of a broken one."""
        converted = self._source.in_utf8(line)
        if converted is not None:
            return f"{converted.decode()}\n"
        self.problem = self.problem or RowProblem(None, NOT_UTF8)
        return f"{line.decode(errors='surrogateescape')}\n"


def _reason(error: csv.Error) -> str:
    if "field limit" in str(error):
        return "a value is longer than 128 KiB"
    return "the row is not valid CSV: a quotation mark is out of place"


def any_builder(header: list[str], name: str) -> RowBuilder[list[str | None]]:
    """For rows that are only copied."""
    return lambda values: values


def customer_builder(header: list[str], name: str) -> RowBuilder[CsvCustomer]:
    """A builder of customers from rows with these columns. Raises CannotRun.

    With columns of a subscription each row has one at most: what a join of customers and subscriptions exports.
    """
    allowed = (*_CUSTOMER_COLUMNS, *(f"{_ADDRESS_PREFIX}{key}" for key in ADDRESS_KEYS), *_OF_A_SUBSCRIPTION)
    _check_header(header, name, allowed, _EXTERNAL_ID_PREFIX)
    subscription = [(column, index) for index, column in enumerate(header) if column in _OF_A_SUBSCRIPTION]
    if subscription and _PACKAGE_COLUMN not in header:
        raise CannotRun(f"The file {name} has columns of subscriptions, but no column {_PACKAGE_COLUMN}.")
    plain = [(c, index) for index, c in enumerate(header) if "." not in c and c not in _OF_A_SUBSCRIPTION]
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
        if subscription:
            fields = {key: values[index] for key, index in subscription}
            row.subscriptions = [RawSubscription(**fields)] if any(fields.values()) else []
        return row

    return build


def subscription_builder(header: list[str], name: str) -> RowBuilder[RawSubscriptionLine]:
    """A builder of subscription lines from rows with these columns. Raises CannotRun."""
    _check_header(header, name, _SUBSCRIPTION_COLUMNS)
    if _PACKAGE_COLUMN not in header:
        raise CannotRun(f"The file {name} has no column {_PACKAGE_COLUMN}. {_hint(_SUBSCRIPTION_COLUMNS)}")

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
