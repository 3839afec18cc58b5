"""Timestamps: whole seconds since 1970 in UTC inside, ISO 8601 with offset outside (`2016-12-21T10:12:08+01:00`).

Documents hold integers, because converting an aware datetime to the text of another zone costs more than reading the
whole account that it belongs to. `Zone.format` does the same arithmetic with small tables.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

HOUR = 3_600
DAY = 24 * HOUR
_EPOCH = date(1970, 1, 1)
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MINUTES = tuple(f"{m // 60:02}:{m % 60:02}:" for m in range(24 * 60))
_SECONDS = tuple(f"{s:02}" for s in range(60))


class Zone:
    """A time zone, which formats timestamps as the API does."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.info = ZoneInfo(name)
        self._offsets: dict[int, tuple[int, str]] = {}
        # Subscriptions begin and end at the same few midnights, and most documents are created and updated at once.
        self.format = lru_cache(maxsize=16_384)(self._format)
        self.today = lru_cache(maxsize=16)(self._today)

    def _format(self, timestamp: int) -> str:
        """`timestamp` in this zone: ISO 8601, offset, whole seconds."""
        seconds, suffix = self._offsets.get(timestamp // DAY) or self._offset(timestamp)
        day, second = divmod(timestamp + seconds, DAY)
        return f"{_day_text(day)}{_MINUTES[second // 60]}{_SECONDS[second % 60]}{suffix}"

    def format_optional(self, timestamp: int | None) -> str | None:
        return None if timestamp is None else self.format(timestamp)

    def _today(self, now: int) -> date:
        """The date in this zone at `now`."""
        return datetime.fromtimestamp(now, self.info).date()

    def days_later(self, timestamp: int, days: int) -> int:
        """The same local time `days` days after `timestamp`."""
        return int((datetime.fromtimestamp(timestamp, self.info) + timedelta(days=days)).timestamp())

    def _offset(self, timestamp: int) -> tuple[int, str]:
        """The offset at `timestamp`, cached for its UTC day unless the zone changes its offset on that day."""
        day = timestamp // DAY
        start, end = (self._exact_offset(at) for at in (day * DAY, (day + 1) * DAY))
        if start != end:
            return self._exact_offset(timestamp)
        self._offsets[day] = start
        return start

    def _exact_offset(self, timestamp: int) -> tuple[int, str]:
        """The offset in whole minutes: historical ones have seconds, which ISO 8601 can't express."""
        offset = datetime.fromtimestamp(timestamp, self.info).utcoffset() or timedelta()
        sign = -1 if offset < timedelta() else 1
        minutes = abs(offset) // timedelta(minutes=1)
        return sign * minutes * 60, f"{'-' if sign < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


@lru_cache(maxsize=20_000)
def _day_text(day: int) -> str:
    return f"{(_EPOCH + timedelta(days=day)).isoformat()}T"


@lru_cache(maxsize=64)
def zone(name: str) -> Zone:
    """The zone called `name` (IANA, such as `Europe/Stockholm`). Raises ZoneInfoNotFoundError, ValueError."""
    return Zone(name)


def timestamp(at: datetime) -> int:
    """The timestamp of an aware datetime, fractions of a second dropped."""
    return int(at.timestamp())


def parse_date(text: str) -> date:
    """A date in the form `YYYY-MM-DD` and no other. Raises ValueError."""
    if _DATE.fullmatch(text) is None:  # date.fromisoformat accepts week dates too
        raise ValueError("not YYYY-MM-DD")
    return date.fromisoformat(text)


def whole_years(born: date, today: date) -> int:
    """Completed years from `born` to `today`."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
