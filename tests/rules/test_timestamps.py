"""Moments as text: our tables against the standard library, at any timestamp in zones of every kind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stamkund.rules.timestamps import DAY, Zone, parse_date, timestamp, whole_years, zone

# Whole hours, half and three quarter hours, summer time in winter and of half an hour, days that never were.
ZONES = [
    "Europe/Stockholm",
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Europe/Dublin",
    "Antarctica/Troll",
]
FIRST = int(datetime(1973, 1, 1, tzinfo=UTC).timestamp())  # from here on all offsets are whole minutes
LAST = int(datetime(2999, 12, 30, tzinfo=UTC).timestamp())
CHANGES_2026 = [1774746000, 1792890000]  # Stockholm to summer time and back


def standard(at: int, name: str) -> str:
    return datetime.fromtimestamp(at, ZoneInfo(name)).isoformat()


@pytest.mark.parametrize("name", ZONES)
@settings(max_examples=200)
@given(at=st.integers(FIRST, LAST))
@example(at=CHANGES_2026[0] - 1)
@example(at=CHANGES_2026[0])
@example(at=CHANGES_2026[1] - 1)
@example(at=CHANGES_2026[1])
def test_any_timestamp_as_the_standard_library_writes_it(name: str, at: int) -> None:
    assert zone(name).format(at) == standard(at, name)


@pytest.mark.parametrize("name", ZONES)
def test_every_change_of_offset_to_the_second(name: str) -> None:
    """Around each change of ten years, on a zone that remembers nothing and on one that remembers the days around."""
    fresh, used = Zone(name), Zone(name)
    for day in range(int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()), CHANGES_2026[1] + 4 * 365 * DAY, DAY):
        used.format(day)
        if standard(day, name)[-6:] != standard(day + DAY, name)[-6:]:
            change = _change_between(day, day + DAY, name)
            for at in (change - 1, change, change + 1, day, day + DAY - 1, day + DAY):
                assert fresh.format(at) == used.format(at) == standard(at, name)


def _change_between(first: int, last: int, name: str) -> int:
    before = standard(first, name)[-6:]
    while last - first > 1:
        middle = (first + last) // 2
        first, last = (middle, last) if standard(middle, name)[-6:] == before else (first, middle)
    return last


@pytest.mark.parametrize("name", ["Europe/Stockholm", "Europe/Amsterdam", "Africa/Monrovia", "America/New_York"])
@settings(max_examples=200)
@given(at=st.integers(-3_786_825_600, FIRST))
def test_the_text_is_the_same_timestamp_also_where_offsets_had_seconds(name: str, at: int) -> None:
    """Long ago: local time of Stockholm was 1:12:12 ahead, and an offset on the wire has no seconds."""
    text = zone(name).format(at)
    assert len(text) == 25
    assert timestamp(datetime.fromisoformat(text)) == at


@pytest.mark.parametrize("name", ZONES)
@settings(max_examples=100)
@given(at=st.integers(FIRST, LAST))
def test_texts_are_read_back(name: str, at: int) -> None:
    assert timestamp(datetime.fromisoformat(zone(name).format(at))) == at


def test_no_timestamp_has_no_text() -> None:
    assert zone("UTC").format_optional(None) is None
    assert zone("UTC").format_optional(0) == "1970-01-01T00:00:00+00:00"


def test_fractions_are_dropped() -> None:
    assert timestamp(datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC)) == 1
    assert timestamp(datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == 0


@pytest.mark.parametrize("text", ["1999-5-14", "19990514", "1999-W20-5", "1999-02-29", "1999-05-14 ", "١999-05-14", ""])
def test_texts_that_are_no_date(text: str) -> None:
    with pytest.raises(ValueError):
        parse_date(text)


def test_today_is_the_zones() -> None:
    at = int(datetime(2026, 1, 15, 23, 30, tzinfo=UTC).timestamp())
    assert [zone(n).today(at).day for n in ("UTC", "Europe/Stockholm", "America/New_York")] == [15, 16, 15]


@pytest.mark.parametrize(
    ("born", "today", "years"),
    [
        (date(1980, 6, 10), date(2026, 6, 9), 45),
        (date(1980, 6, 10), date(2026, 6, 10), 46),
        (date(2000, 2, 29), date(2026, 2, 28), 25),
        (date(2000, 2, 29), date(2026, 3, 1), 26),
        (date(2000, 2, 29), date(2028, 2, 29), 28),
        (date(2026, 1, 15), date(2026, 1, 15), 0),
    ],
)
def test_whole_years(born: date, today: date, years: int) -> None:
    assert whole_years(born, today) == years


@pytest.mark.parametrize("name", ["Europe/Gothenburg", "", "../../etc/passwd", "/etc/localtime"])
def test_zones_that_do_not_exist(name: str) -> None:
    with pytest.raises((ValueError, LookupError)):
        Zone(name)
