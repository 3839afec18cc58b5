"""JSON Lines: one object a line, decoded by msgspec straight into a raw row; its errors become column and reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

from stamkund.importing.report import RowProblem
from stamkund.importing.source import Source

R = TypeVar("R")

NOT_UTF8 = "the line is not UTF-8"

_CUSTOMER_NUMBER = re.compile(rb'"customer_number"[ \t]*:[ \t]*"([a-zA-Z0-9_-]{1,50})"')
_PATH = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`\Z")
_EXPECTED = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<actual>[^`]+)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[a-z_]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_PLAIN_KEY = re.compile(r"[a-z][A-Za-z_]{0,39}")
"""What a key looks like. Anything else may be a value in the wrong place, which must not be reported."""
_MALFORMED = re.compile(r"JSON is malformed: (?P<detail>[a-z0-9 -]+ \(byte [0-9]+\))")
_TYPE_NAMES = {
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


class JsonLines(Generic[R]):
    """The rows of a file, or what is wrong with a line; each with its line number. Blank lines are skipped."""

    def __init__(self, source: Source, row: type[R]) -> None:
        self._source = source
        self._decode = msgspec.json.Decoder(row).decode

    def __iter__(self) -> Iterator[tuple[int, R | RowProblem]]:
        decode = self._decode
        for number, line in enumerate(self._source.lines(), 1):
            if isinstance(line, RowProblem):
                yield number, line
                continue
            try:
                yield number, decode(line)
            except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors, as is invalid UTF-8
                if line and not line.isspace():
                    yield number, _problem(error, line)


def _problem(error: Exception, line: bytes) -> RowProblem:
    column, reason = _column_and_reason(error)
    return RowProblem(column, reason, tuple(number.decode() for number in _CUSTOMER_NUMBER.findall(line)))


def _column_and_reason(error: Exception) -> tuple[str | None, str]:
    """Translates an error of msgspec, without anything that the row holds."""
    if isinstance(error, UnicodeError):
        return None, NOT_UTF8
    message = str(error)
    if isinstance(error, msgspec.ValidationError):
        return _validation_error(message)
    if match := _MALFORMED.fullmatch(message):
        return None, f"the line is not valid JSON: {match['detail']}"
    return None, "the line is not valid JSON"


def _validation_error(message: str) -> tuple[str | None, str]:
    path = _PATH.search(message)
    column = (path["path"] if path else "") or None
    message = message[: path.start()] if path else message
    if match := _EXPECTED.fullmatch(message):
        expected = " or ".join(_type_name(name) for name in match["expected"].split(" | "))
        return column, f"must be {expected}, not {_type_name(match['actual'])}"
    if match := _MISSING.fullmatch(message):
        return _join(column, match["name"]), "must be given"
    if (match := _UNKNOWN.fullmatch(message)) and _PLAIN_KEY.fullmatch(match["name"]):
        return _join(column, match["name"]), "is an unknown key"
    return column, "has an unknown key" if match else "has the wrong type"


def _type_name(name: str) -> str:
    return _TYPE_NAMES.get(name, name)


def _join(column: str | None, name: str) -> str:
    return name if column is None else f"{column}.{name}"
