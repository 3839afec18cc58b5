"""JSON Lines: one object a line, decoded by msgspec straight into a raw row; its errors become column and reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import msgspec

from stamkund.importing.columns import REASON, ColumnNames
from stamkund.importing.repair import as_text, repaired
from stamkund.importing.report import CannotRun, RowProblem
from stamkund.importing.source import Source
from stamkund.importing.survey import Numbers
from stamkund.importing.texts import trimmed
from stamkund.importing.type_errors import validation_error
from stamkund.rules.customer_numbers import CUSTOMER_NUMBER, LONG_CUSTOMER_NUMBER

R = TypeVar("R")

NOT_UTF8 = "the line is not UTF-8; if the whole file is not, name its encoding with --encoding"

BLANKS = b" \t\r\x0b\x0c\x1a"
_START = re.compile(rb'\{[ \t]*"customer_number"[ \t]*:[ \t]*"')
_PLAIN_NUMBERS = re.compile(rb"[a-zA-Z0-9_-]*")
_CUSTOMER_NUMBER = re.compile(
    rb'"customer_number"[ \t]*:[ \t]*(?:"[ \t]*([a-zA-Z0-9_-]{1,50})[ \t]*"|([0-9]{1,50})[ \t]*[,}])'
)
_REASON = b'"%b"' % REASON.encode()
_MALFORMED = re.compile(r"JSON is malformed: (?P<detail>[a-z0-9 -]+ \(byte [0-9]+\))")


class JsonLines(Generic[R]):
    """The rows of a file, or what is wrong with a line; each with its line number. Blank lines are skipped."""

    def __init__(self, source: Source, row: type[R], names: ColumnNames) -> None:
        if source.begins_with(b"["):
            raise CannotRun(f"The file {source.name} is a JSON array: it must have one object a line (JSON Lines).")
        self._source = source
        self._row = row
        self._names = names
        self._decode = msgspec.json.Decoder(row).decode

    @property
    def are_rejects(self) -> bool:
        """Whether `--rejects` wrote rows of the file: they have a reason."""
        if not self._names.is_left_out(REASON):
            return False
        with self._source.again() as again:
            blocks = (block for block in again.whole_lines() if isinstance(block, bytes) and _REASON in block)
            return any(_has_reason(line) for block in blocks for line in block.split(b"\n") if _REASON in line)

    @property
    def are_joined(self) -> bool:
        return False  # which of its rows are is seen only when they are read

    def __iter__(self) -> Iterator[tuple[int, R | RowProblem]]:
        decode = self._decode
        for number, line in enumerate(self._source.lines(), 1):
            if isinstance(line, RowProblem):
                yield number, line
                continue
            try:
                yield number, decode(line)
            except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors, as is invalid UTF-8
                if line.strip(BLANKS):
                    yield number, self._second_look(line, error)

    def _second_look(self, line: bytes, error: Exception) -> R | RowProblem:
        """The row of a line in another encoding, or with values of other types."""
        if not isinstance(error, msgspec.ValidationError):
            try:
                line.decode()
            except UnicodeDecodeError:
                converted = self._source.in_utf8(line)
                if converted is None:
                    return _problem(error, line)
                line = converted
        try:
            return repaired(self._decoded(line), self._row, self._names)
        except RowProblem as problem:
            return RowProblem(problem.column, problem.reason, _numbers(line))
        except (ValueError, RecursionError) as second:
            return _problem(second, line)

    def _decoded(self, line: bytes) -> Any:
        return msgspec.json.decode(line)

    def number_blocks(self) -> Iterator[Numbers]:
        """The customer numbers of the file, as `survey` asks for them: read faster than rows are.

        Raises CannotRun for a file whose encoding can't be known: before anything of it is imported.
        """
        for block in self._source.whole_lines():
            if isinstance(block, RowProblem):
                yield [None]
            else:
                self._source.check_encoding(block)
                yield _fast_numbers(block) or [number for line in block.split(b"\n") for number in self._line(line)]

    def _line(self, line: bytes) -> Numbers:
        """The customer numbers of one line."""
        if not line.strip(BLANKS):
            return []
        try:
            value = _NUMBER_ONLY.decode(line).customer_number
            if value is None:
                row = msgspec.json.decode(line)
                value = next(one for key, one in row.items() if self._names.ours(key) == "customer_number")
        except (ValueError, RecursionError, AttributeError, StopIteration):
            return list(map(str.encode, _numbers(line))) or [None]
        text = trimmed(as_text(value)) if isinstance(as_text(value), str) else None
        return [text.encode() if text is not None and CUSTOMER_NUMBER.fullmatch(text) else None]


def _has_reason(line: bytes) -> bool:
    try:
        row = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and REASON in row


class _NumberOnly(msgspec.Struct, gc=False):
    customer_number: str | int | float | None = None


_NUMBER_ONLY = msgspec.json.Decoder(_NumberOnly)


def _fast_numbers(block: bytes) -> Numbers | None:
    """The numbers of lines that all begin with their customer number in the same way; None for other lines."""
    start = _START.match(block)
    if start is None:
        return None
    rows = block[start.end() :].split(b"\n" + start[0])
    if len(rows) != block.count(b"\n") + (not block.endswith(b"\n")):
        return None
    numbers = [row[: row.find(b'"')] for row in rows]
    lengths = set(map(len, numbers))
    if min(lengths) < 1 or max(lengths) > LONG_CUSTOMER_NUMBER or not _PLAIN_NUMBERS.fullmatch(b"".join(numbers)):
        return None
    return list(numbers)


def _problem(error: Exception, line: bytes) -> RowProblem:
    column, reason = _column_and_reason(error)
    return RowProblem(column, reason, _numbers(line))


def _numbers(line: bytes) -> tuple[str, ...]:
    """Whatever looks like a customer number in a line that can't be read."""
    return tuple((text or digits).decode() for text, digits in _CUSTOMER_NUMBER.findall(line))


def _column_and_reason(error: Exception) -> tuple[str | None, str]:
    """Translates an error of msgspec, without anything that the row holds."""
    if isinstance(error, UnicodeError):
        return None, NOT_UTF8
    message = str(error)
    if isinstance(error, msgspec.ValidationError):
        return validation_error(message)
    if match := _MALFORMED.fullmatch(message):
        return None, f"the line is not valid JSON: {match['detail']}"
    return None, "the line is not valid JSON"
