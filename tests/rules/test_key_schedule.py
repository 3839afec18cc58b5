"""Which key signs, when the next is due, and when one may go."""

from __future__ import annotations

import pytest

from stamkund.rules.key_schedule import IdTokenKey, KeySchedule
from stamkund.rules.timestamps import DAY

SCHEDULE = KeySchedule(period=90 * DAY, retention=7 * DAY)


def keys(*created: int) -> list[IdTokenKey]:
    return [IdTokenKey(f"made {at}", at, "public", "sealed") for at in created]


@pytest.mark.parametrize(("days", "ahead"), [(90, DAY), (10, DAY), (5, DAY // 2), (1, DAY // 10)])
def test_a_key_is_published_for_a_day_or_a_tenth_of_its_time_before_it_signs(days: int, ahead: int) -> None:
    assert KeySchedule(days * DAY, 0).lead_time == ahead


def test_the_next_key_is_due_when_the_newest_is_old_enough() -> None:
    assert SCHEDULE.is_due([], 0)
    for timestamp, due in ((0, False), (90 * DAY - 1, False), (90 * DAY, True), (200 * DAY, True)):
        assert SCHEDULE.is_due(keys(0), timestamp) == due
    assert not SCHEDULE.is_due(keys(0, 90 * DAY), 90 * DAY)


def test_the_newest_key_that_was_published_for_long_enough_signs() -> None:
    schedule_keys = keys(0, 90 * DAY, 90 * DAY + 5)
    for timestamp, signs in (
        (0, 0),
        (90 * DAY, 0),
        (91 * DAY - 1, 0),
        (91 * DAY, 1),
        (91 * DAY + 5, 2),
        (900 * DAY, 2),
    ):
        assert SCHEDULE.signing_key(schedule_keys, timestamp) == schedule_keys[signs]
    assert SCHEDULE.signing_key(keys(10, 11), 10).created == 10, "the oldest, where none was shown for long enough"


def test_a_key_goes_when_nothing_that_it_signed_is_about() -> None:
    schedule_keys = keys(0, 90 * DAY, 180 * DAY)
    for timestamp, gone in ((0, 0), (98 * DAY - 1, 0), (98 * DAY, 1), (188 * DAY, 2), (9000 * DAY, 2)):
        assert SCHEDULE.expired(schedule_keys, timestamp) == [key.id for key in schedule_keys[:gone]]
    assert SCHEDULE.expired([], 0) == []


def test_a_key_never_prints_its_parts() -> None:
    assert repr(keys(1)[0]) == "IdTokenKey(id='made 1', created=1)"
