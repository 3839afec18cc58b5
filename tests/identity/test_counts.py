"""Counts within periods of the clock."""

from __future__ import annotations

import pytest

from stamkund.identity.counts import Counts

MINUTE = 60


@pytest.fixture
def counts() -> Counts:
    return Counts(MINUTE, lambda data: data.decode(), shared=True)


def test_a_new_period_begins_at_nothing(counts: Counts) -> None:
    counts.add(10 * MINUTE, "a")
    assert (counts.of(11 * MINUTE - 1, "a"), counts.of(11 * MINUTE, "a")) == (1, 0)


def test_a_call_that_began_in_the_last_period_wipes_nothing(counts: Counts) -> None:
    """Whoever sends a body slowly could else have the counts of everybody forgotten."""
    counts.add(11 * MINUTE, "a")
    assert counts.add(11 * MINUTE - 1, "b") == 1
    assert (counts.of(11 * MINUTE, "a"), counts.of(11 * MINUTE, "b")) == (1, 1)


def test_a_clock_that_was_set_back_does_not_keep_counts(counts: Counts) -> None:
    counts.add(1000 * MINUTE, "a")
    assert counts.of(10 * MINUTE, "a") == 0
