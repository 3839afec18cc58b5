"""CSV: the first line names the columns, every other one is a row; comma, semicolon or tab between the values.

A value may be quoted and then hold newlines, so a row may take several lines; it is known by the first of them. As no
column takes a newline, a row of several lines is never a good one: mostly a quotation mark was not closed, and lines of
other customers went into it, whose numbers are therefore looked for in each of its lines.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from stamkund.importing.json_lines import NOT_UTF8
from stamkund.importing.raw import ADDRESS_KEYS, CsvCustomer, RawAddress, RawSubscriptionLine
from stamkund.importing.report import Bad, CannotRun
from stamkund.importing.source import LONGEST_LINE, Line, Source

R = TypeVar("R")

Build = Callable[[list[str | None]], R]
"""Makes a raw row out of values in the order of the header; None where there is no text."""

NUMBER = "customer_number"
_NUMBER = re.compile("[a-zA-Z0-9_-]{1,50}")
_DELIMITERS = ",;\t"
_ADDRESS, _EXTERNAL_ID = "address.", "identity_mapping."
_CUSTOMER_COLUMNS = tuple(
    name
    for name in CsvCustomer.__struct_fields__
    if name not in ("address", "identity_mapping", "subscriptions", "external_ids")
)
_SUBSCRIPTION_COLUMNS = RawSubscriptionLine.__struct_fields__


class CsvRows(Generic[R]):
    """The rows of a file, or why one is none; each with the number of its first line."""

    def __init__(self, source: Source, build: Callable[[list[str], str], Build[R]]) -> None:
        """Reads the header. Raises CannotRun where it is not one."""
        self._name = source.name
        self._lines = _Lines(source.lines())
        header = self._header()
        self._width = len(header)
        self._build = build(header, source.name)
        self._number_at = header.index(NUMBER)

    def __iter__(self) -> Iterator[tuple[int, R | Bad]]:
        reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        while True:
            first = self._lines.begin()
            record: list[str] = []
            bad: Bad | None = None
            try:
                record = next(reader)
            except StopIteration:
                return
            except (csv.Error, Bad) as error:
                bad = error if isinstance(error, Bad) else Bad(None, _reason(error))
            bad = self._lines.bad or bad
            if bad is None and not record:
                continue
            yield first, self._row(record, bad)

    def _row(self, record: list[str], bad: Bad | None) -> R | Bad:
        if bad is None and len(record) == self._width:
            if self._lines.begun == self._lines.number:
                return self._build([value or None for value in record])
            bad = Bad(None, "a value holds a newline")
        elif bad is None:
            bad = Bad(None, f"has {len(record)} values, where the first line names {self._width} columns")
        return Bad(bad.column, bad.reason + self._span(), tuple(self._numbers()))

    def _numbers(self) -> Iterator[str]:
        """The customer numbers that the lines of the row have, each line read by itself."""
        for line in self._lines.texts:
            try:
                values = next(csv.reader([line], delimiter=self._delimiter))
            except csv.Error:
                values = [value.strip() for value in line.split(self._delimiter)]
            if len(values) > self._number_at and _NUMBER.fullmatch(values[self._number_at]):
                yield values[self._number_at]

    def _span(self) -> str:
        first, last = self._lines.begun, self._lines.number
        if last <= first:
            return ""
        return f" (lines {first} to {last} were read as one row: is a quotation mark not closed?)"

    def _header(self) -> list[str]:
        self._lines.begin()
        try:
            line = next(self._lines, None)
            if self._lines.bad:
                raise self._lines.bad
        except Bad as bad:
            raise CannotRun(f"The first line of {self._name} must name the columns, but {bad.reason}.") from None
        if line is None:
            raise CannotRun(f"The file {self._name} is empty: its first line must name the columns.")
        self._delimiter = max(_DELIMITERS, key=line.count)
        try:
            names = next(csv.reader([line], delimiter=self._delimiter, strict=True))
        except csv.Error:
            raise CannotRun(f"The first line of {self._name} must name the columns; it is not valid CSV.") from None
        return [name.strip() for name in names]


class _Lines:
    """Lines for the csv module, as text. What is wrong with one is kept in `bad` until the next row begins.

    Bytes that are not UTF-8 go through as surrogates, so that the row ends where it ends.
    """

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self.number = 0
        self.begun = 0
        self.bad: Bad | None = None
        self.texts: list[str] = []
        self._length = 0

    def begin(self) -> int:
        """A new row begins with the next line; answers its number."""
        self.begun, self.bad, self.texts, self._length = self.number + 1, None, [], 0
        return self.begun

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        if isinstance(line, Bad):
            raise line
        self._length += len(line)
        if self._length > LONGEST_LINE:
            raise Bad(None, "the row is longer than 1 MiB")
        try:
            text = f"{line.decode()}\n"
        except UnicodeDecodeError:
            self.bad = self.bad or Bad(None, NOT_UTF8)
            text = f"{line.decode(errors='surrogateescape')}\n"
        self.texts.append(text)
        return text


def _reason(error: csv.Error) -> str:
    if "field limit" in str(error):
        return "a value is longer than 128 KiB"
    return "the row is not valid CSV: a quotation mark is out of place"


def customers(header: list[str], name: str) -> Build[CsvCustomer]:
    """How to build a customer out of columns like these. Raises CannotRun."""
    known = (*_CUSTOMER_COLUMNS, *(f"{_ADDRESS}{key}" for key in ADDRESS_KEYS))
    _check(header, name, known, _EXTERNAL_ID)
    plain, address, external = _places(header, ""), _places(header, _ADDRESS), _places(header, _EXTERNAL_ID)

    def build(values: list[str | None]) -> CsvCustomer:
        row = CsvCustomer()
        for key, place in plain:
            setattr(row, key, values[place])
        if address:
            row.address = RawAddress(**{key: values[place] for key, place in address})
        if external:
            row.external_ids = {key: values[place] for key, place in external}
        return row

    return build


def subscription_lines(header: list[str], name: str) -> Build[RawSubscriptionLine]:
    """How to build a line of a subscription file out of columns like these. Raises CannotRun."""
    _check(header, name, _SUBSCRIPTION_COLUMNS)
    if "package_code" not in header:
        raise CannotRun(f"The file {name} has no column package_code. {_known(_SUBSCRIPTION_COLUMNS)}")

    def build(values: list[str | None]) -> RawSubscriptionLine:
        return RawSubscriptionLine(**dict(zip(header, values, strict=True)))

    return build


def _places(header: list[str], prefix: str) -> list[tuple[str, int]]:
    """The columns below a prefix (none: those without a dot), with their places."""
    found = [(name.removeprefix(prefix), place) for place, name in enumerate(header) if name.startswith(prefix)]
    return found if prefix else [(name, place) for name, place in found if "." not in name]


def _check(header: list[str], name: str, known: tuple[str, ...], prefix: str | None = None) -> None:
    """The customer number first: a file without a header line has somebody's data there, which nobody should print."""
    shown = (*known, f"{prefix}KEY") if prefix else known
    if NUMBER not in header:
        raise CannotRun(f"The first line of {name} has no column {NUMBER}. {_known(shown)}")
    for place, column in enumerate(header, 1):
        external = prefix is not None and column.startswith(prefix) and 1 <= len(column) - len(prefix) <= 128
        if column not in known and not (external and column.isprintable()):
            what = repr(column[:60]) if column else f"without a name (number {place})"
            raise CannotRun(f"The file {name} has an unknown column {what}. {_known(shown)}")
        if header.index(column) < place - 1:
            raise CannotRun(f"The file {name} has the column {column} twice.")


def _known(columns: tuple[str, ...]) -> str:
    return f"Known columns: {', '.join(columns)}."
