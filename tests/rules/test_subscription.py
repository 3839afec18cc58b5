"""Subscriptions: what they are called at which moment, and when they end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamkund.rules.subscription import STATES, end_date, has_ended, state_at

TIMESTAMP = st.integers(0, 100)
SOME_TIME = st.none() | TIMESTAMP
STATE = st.sampled_from(STATES)


@pytest.mark.parametrize(
    ("declared", "before", "within", "after"),
    [
        ("pending", "pending", "activated", "deactivated"),
        ("activated", "pending", "activated", "deactivated"),
        ("cancelled", "pending", "cancelled", "deactivated"),
        ("frozen", "pending", "frozen", "deactivated"),
        ("deactivated", "deactivated", "deactivated", "deactivated"),
    ],
)
def test_states_by_the_clock(declared: str, before: str, within: str, after: str) -> None:
    assert [state_at(declared, 10, 20, now) for now in (9, 10, 19, 20)] == [before, within, within, after]
    assert state_at(declared, None, None, 15) == within


@given(declared=STATE, begin=SOME_TIME, end=SOME_TIME, now=TIMESTAMP)
def test_a_state_is_one_of_the_five_and_only_goes_on(
    declared: str, begin: int | None, end: int | None, now: int
) -> None:
    order = {"pending": 0, "activated": 1, "cancelled": 1, "frozen": 1, "deactivated": 2}
    states = [state_at(declared, begin, end, timestamp) for timestamp in (now, now + 1, now + 50)]
    assert [order[s] for s in states] == sorted(order[s] for s in states)
    assert (states[0] == "deactivated") == has_ended(declared, end, now)


@pytest.mark.parametrize(
    ("declared", "kind", "state", "expected"),
    [
        (None, "limited", "activated", 20),
        (None, "recurring", "cancelled", 20),
        (None, None, "cancelled", 20),
        (None, "recurring", "activated", None),
        (None, None, "frozen", None),
        (7, "recurring", "activated", 7),
        (7, "limited", "cancelled", 7),
        (0, "limited", "cancelled", 0),
    ],
)
def test_the_end_is_the_declared_one_else_that_of_limited_and_cancelled(
    declared: int | None, kind: str | None, state: str, expected: int | None
) -> None:
    assert end_date(declared, kind, state, 20) == expected
