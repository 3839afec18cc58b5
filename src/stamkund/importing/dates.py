"""Dates and times of files: one reading for every column, and the dates by which databases say that there is none.

Accepted are ISO 8601 dates, with a time or without; between year, month and day also `/`, `.` or nothing, and a blank
before the time and before the offset.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from stamkund.importing.texts import trimmed
from stamkund.rules.timestamps import Zone, timestamp
from stamkund.rules.values import Invalid

_FORM = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,]\d{1,9})?)?"
    r" ?(?P<offset>Z|UTC|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_MAX_LENGTH = 64
_FIRST_YEAR, _LAST_YEAR = 1850, 2999
_NO_DATES = frozenset({(1753, 1, 1), (1899, 12, 30), (1899, 12, 31), (1900, 1, 1)})
"""The first days of SQL Server, Access and Excel: what an empty field becomes on its way through one of them."""
_NOT_A_DATE = "must be an ISO 8601 date, or date and time"
_NOT_REAL = "must be a real date between the years 1850 and 2999, or date and time"
CACHE_SIZE = 50_000
"""How many texts are cached: the same dates occur again and again."""

ReadTimestamp = Callable[[str], int | None]
ReadDate = Callable[[str], date | None]


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a date; `clock` None: there is no time. Not every combination is a real date."""

    day: tuple[int, int, int]
    clock: tuple[int, int, int] | None
    zone: tzinfo | None

    @property
    def is_before_all(self) -> bool:
        """A date by which databases say that there is none, at the beginning of their time."""
        return self.day[0] <= 1 or self.day in _NO_DATES

    @property
    def is_after_all(self) -> bool:
        """The same at the end of it: `9999-12-31` and its like."""
        return self.day[0] > _LAST_YEAR

    def at(self, local: tzinfo, clock: tuple[int, int, int]) -> datetime:
        """The time; `clock` where the text has none. Raises Invalid."""
        try:
            return datetime(*self.day, *(self.clock or clock), tzinfo=self.zone or local)
        except ValueError:
            raise Invalid(_NOT_REAL) from None


_ALWAYS_WAS = _Parts((1, 1, 1), None, None)
_INFINITE = {"infinity": _Parts((9999, 12, 31), None, None), "-infinity": _ALWAYS_WAS}
"""How PostgreSQL writes that a time never comes, or always was."""


class Dates:
    """Reads the dates of an organisation. Every method returns None for a text that says that there is no date.

    `exclusive`: a date alone as an end means its beginning and not its end.
    """

    def __init__(self, local: Zone, today: date, *, exclusive: bool = False) -> None:
        self._local = local.info
        self._today = today
        self._end_of_day = (0, 0, 0) if exclusive else (23, 59, 59)
        self.start: ReadTimestamp = lru_cache(CACHE_SIZE)(self._start)
        self.end: ReadTimestamp = lru_cache(CACHE_SIZE)(self._end)
        self.day: ReadDate = lru_cache(CACHE_SIZE)(self._day)

    def _start(self, text: str) -> int | None:
        """The timestamp of a beginning; a date alone means midnight. Raises Invalid.

        A beginning at the end of all time is no date that says "none": taken so, it would let readers in at once.
        """
        parts = _parts(text)
        return None if parts is None or parts.is_before_all else self._timestamp(parts, (0, 0, 0))

    def _end(self, text: str) -> int | None:
        """The timestamp of an end; a date alone includes that day. Raises Invalid."""
        parts = _parts(text)
        if parts is _ALWAYS_WAS:
            raise Invalid("must not be before all time: such a subscription has never held")
        if parts is None or parts.is_before_all or parts.is_after_all:
            return None
        return self._timestamp(parts, self._end_of_day)

    def _day(self, text: str) -> date | None:
        """A birth date: what a time adds to it is looked at only where it has an offset. Raises Invalid."""
        parts = _parts(text)
        if parts is None or parts.is_before_all or parts.is_after_all:
            return None
        day = parts.at(self._local, (12, 0, 0)).astimezone(self._local).date()
        if day > self._today:
            raise Invalid("must not be in the future")
        return day

    def _timestamp(self, parts: _Parts, clock: tuple[int, int, int]) -> int:
        if not _FIRST_YEAR <= parts.day[0] <= _LAST_YEAR:
            raise Invalid(_NOT_REAL)
        return timestamp(parts.at(self._local, clock).astimezone(UTC))


def _parts(text: str) -> _Parts | None:
    """The parts of a text; None where it says that there is no date. Raises Invalid."""
    clean = trimmed(text) if len(text) <= _MAX_LENGTH else text
    if clean is None:
        return None
    if clean in _INFINITE:
        return _INFINITE[clean]
    match = _FORM.fullmatch(clean) if len(clean) <= _MAX_LENGTH else None
    if match is None:
        raise Invalid(_NOT_A_DATE)
    day = int(match["year"]), int(match["month"]), int(match["day"])
    clock = None
    if match["hour"] is not None:
        clock = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    return _Parts(day, clock, _offset(match["offset"]))


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in ("Z", "UTC"):
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    if offset >= timedelta(hours=24):
        raise Invalid(_NOT_REAL)
    return timezone(-offset if text[0] == "-" else offset)
