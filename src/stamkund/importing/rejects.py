"""`--rejects FILE`: the rejected rows in the format of the input, each with its reason, to be corrected and imported.

Rows are rejected in several places and processes, by their line. So the file is read once more at the end, and those
lines are copied. They hold personal data: only the owner may read the file.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from stamkund.importing import csv_rows
from stamkund.importing.columns import REASON, ColumnNames
from stamkund.importing.csv_rows import CsvRows
from stamkund.importing.report import BadRow, CannotRun
from stamkund.importing.source import MAX_LINE_BYTES, Source
from stamkund.importing.spool import cannot_run, temporary_database
from stamkund.importing.steps import File

_SCHEMA = "CREATE TABLE rejects (file TEXT, line INTEGER, reason TEXT)"
_ADD = "INSERT INTO rejects VALUES (?, ?, ?)"
_OF_FILE = "SELECT line, group_concat(reason, '; ') FROM rejects WHERE file = ? GROUP BY line ORDER BY line"
_UNREADABLE = "unreadable"
_FIRST_LINE = re.compile(rb'[,;\t|]"?%b"?$|"%b":".*\}$' % (REASON.encode(), REASON.encode()))
"""How a file begins that was written here: the last column, or the last key of the first object."""
_BOM = "\ufeff"
"""Without it, Excel takes a CSV file for one in an encoding of its own."""


class Rejects:
    """The rejected rows of an import. Every method raises CannotRun where there is no room, or a file fails."""

    def __init__(self, path: Path) -> None:
        """`path`: of those of the first file; those of a second one go to a file beside it."""
        self._path = path
        self._connection = temporary_database(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def add(self, row: BadRow) -> None:
        reason = f"{row.column}: {row.reason}" if row.column else row.reason
        with cannot_run():
            self._connection.execute(_ADD, (row.file, row.line, reason))

    def write(self, customers: File, subscriptions: File | None, encoding: str | None, *, finished: bool) -> None:
        """Writes the files. Of one without rows, that of an earlier import is removed, if this one has `finished`."""
        self._write(customers, self._path, encoding, finished=finished)
        if subscriptions is not None:
            self._write(subscriptions, _of_subscriptions(self._path), encoding, finished=finished)

    def _write(self, file: File, path: Path, encoding: str | None, *, finished: bool) -> None:
        with cannot_run():
            reasons = iter(self._connection.execute(_OF_FILE, (file.name,)))
            first = next(reasons, None)
        if first is None:
            if finished:
                _remove_earlier(path)
            return
        with Source(file, encoding) as source:
            rows = _json_rows(source) if source.is_json_lines else _csv_rows(source)
            try:
                with os.fdopen(os.open(path, _NEW_OR_EMPTIED, 0o600), "w", newline="") as output:
                    os.fchmod(output.fileno(), 0o600)
                    output.writelines(_with_reasons(rows, first, reasons))
            except OSError as error:
                raise CannotRun(f"The file {path} cannot be written: {error.strerror}.") from None


def would_overwrite(path: Path, inputs: Iterable[Path]) -> Path | None:
    """The one of the input files that the rejected rows would be written over; None where there is none."""
    targets = [target for target in (path, _of_subscriptions(path)) if target.exists()]
    return next((one for one in inputs for target in targets if one.exists() and target.samefile(one)), None)


def _remove_earlier(path: Path) -> None:
    """Removes the rejected rows of an earlier import: whoever finds them would take them for those of the last one.

    Any other file stays, whatever its name.
    """
    try:
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                first_line = file.readline(MAX_LINE_BYTES)
            if _FIRST_LINE.search(first_line.rstrip()):
                path.unlink()
    except OSError as error:
        raise CannotRun(f"The file {path} of an earlier import cannot be removed: {error.strerror}.") from None


def _of_subscriptions(path: Path) -> Path:
    """Where the rejected lines of a second file go."""
    return path.with_name(f"{path.stem}.subscriptions{path.suffix}")


_NEW_OR_EMPTIED = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
"""A link is not followed: the file has personal data, and goes where the command says."""
_Lines = Iterator[tuple[int, "_Row"]]


class _Row:
    """A row of the input. `text`: the row with a reason added."""

    def __init__(self, text: str, csv_delimiter: str | None, *, is_sound: bool) -> None:
        self._text, self._delimiter, self._is_sound = text, csv_delimiter, is_sound

    def with_reason(self, reason: str) -> str:
        if self._delimiter is not None:
            text = self._text if self._is_sound else _quoted(self._text, self._delimiter)
            return f"{text}{self._delimiter}{_quoted(reason, self._delimiter)}\n"
        try:
            row = msgspec.json.decode(self._text)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            row = {_UNREADABLE: self._text}
        return json.dumps(row | {REASON: reason}, separators=(",", ":")) + "\n"  # ASCII, so --encoding may stay


def _with_reasons(rows: _Lines, first: tuple[int, str], reasons: Iterator[tuple[int, str]]) -> Iterator[str]:
    """The rejected rows with their reasons, both in the order of their lines; line 0 is the header."""
    line, reason = first
    for number, row in rows:
        if number == 0:
            yield _BOM + row.with_reason(REASON)
        elif number == line:
            yield row.with_reason(reason)
            line, reason = next(reasons, (-1, ""))


def _json_rows(source: Source) -> _Lines:
    for number, line in enumerate(source.lines(), 1):
        if isinstance(line, bytes):
            try:
                text = line.decode()
            except UnicodeDecodeError:
                text = (source.in_utf8(line) or line).decode(errors="replace")
            yield number, _Row(text, None, is_sound=True)


def _csv_rows(source: Source) -> _Lines:
    rows = CsvRows(source, csv_rows.any_builder, ColumnNames({}, ()), needs_number=False)
    yield 0, _Row(rows.header_text, rows.delimiter, is_sound=True)
    for number, text, is_sound in rows.texts():
        yield number, _Row(text, rows.delimiter, is_sound=is_sound)


def _quoted(text: str, delimiter: str) -> str:
    output = io.StringIO()
    csv.writer(output, delimiter=delimiter, lineterminator="").writerow([text])
    return output.getvalue()
