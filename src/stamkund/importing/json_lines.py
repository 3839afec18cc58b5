"""JSON Lines: one object a line, decoded by msgspec straight into a raw row; its errors become column and reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

from stamkund.importing.report import Bad
from stamkund.importing.source import Source

R = TypeVar("R")

NOT_UTF8 = "the line is not UTF-8"

_CUSTOMER_NUMBER = re.compile(rb'"customer_number"[ \t]*:[ \t]*"([a-zA-Z0-9_-]{1,50})"')
_PATH = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`\Z")
_EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<found>[^`]+)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[a-z_]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_A_NAME = re.compile(r"[a-z][A-Za-z_]{0,39}")
"""What a key looks like. Anything else may be a value in the wrong place, which no report should tell."""
_MALFORMED = re.compile(r"JSON is malformed: (?P<what>[a-z0-9 -]+ \(byte [0-9]+\))")
_WORDS = {"str": "text", "int": "a number", "float": "a number", "bool": "true or false", "array": "a list"}


class JsonLines(Generic[R]):
    """The rows of a file, or why a line is none; each with its line number. Blank lines are passed over."""

    def __init__(self, source: Source, row: type[R]) -> None:
        self._source = source
        self._decode = msgspec.json.Decoder(row).decode

    def __iter__(self) -> Iterator[tuple[int, R | Bad]]:
        decode = self._decode
        for number, line in enumerate(self._source.lines(), 1):
            if isinstance(line, Bad):
                yield number, line
                continue
            try:
                yield number, decode(line)
            except (ValueError, RecursionError) as error:  # what msgspec raises is a ValueError, bad UTF-8 too
                if line and not line.isspace():
                    yield number, _bad(error, line)


def _bad(error: Exception, line: bytes) -> Bad:
    column, reason = _reason(error)
    return Bad(column, reason, tuple(number.decode() for number in _CUSTOMER_NUMBER.findall(line)))


def _reason(error: Exception) -> tuple[str | None, str]:
    """Column and reason out of an error of msgspec, without anything that the row holds."""
    if isinstance(error, UnicodeError):
        return None, NOT_UTF8
    text = str(error)
    if isinstance(error, msgspec.ValidationError):
        return _wrong_shape(text)
    if match := _MALFORMED.fullmatch(text):
        return None, f"the line is not valid JSON: {match['what']}"
    return None, "the line is not valid JSON"


def _wrong_shape(text: str) -> tuple[str | None, str]:
    at = _PATH.search(text)
    column = (at["path"] if at else "") or None
    text = text[: at.start()] if at else text
    if match := _EXPECTED.fullmatch(text):
        return column, _expected(match["wanted"], match["found"])
    if match := _MISSING.fullmatch(text):
        return _below(column, match["name"]), "must be given"
    if (match := _UNKNOWN.fullmatch(text)) and _A_NAME.fullmatch(match["name"]):
        return _below(column, match["name"]), "is no known key"
    return column, "has an unknown key" if match else "is not of the right kind"


def _expected(wanted: str, found: str) -> str:
    words = [_WORDS.get(word, _with_article(word)) for word in wanted.split(" | ")]
    return f"must be {' or '.join(words)}, not {_WORDS.get(found, _with_article(found))}"


def _with_article(word: str) -> str:
    return "an object" if word == "object" else word


def _below(column: str | None, name: str) -> str:
    return name if column is None else f"{column}.{name}"
