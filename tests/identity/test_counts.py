"""Counts within periods of the clock."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from stamkund.identity import counts as counting
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


def test_what_was_counted_most_is_forgotten_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends each of very many e-mails twice could else have everything forgotten."""
    monkeypatch.setattr(counting, "_MAX_COUNTS", 100)
    counts = Counts(MINUTE, lambda data: data.decode(), shared=False)
    counts.add(MINUTE, "limited", number=30)
    for n in range(1_000):
        for _ in range(2):
            counts.add(MINUTE, str(n))
        assert len(counts._counts) <= 100
    assert counts.of(MINUTE, "limited") == 30
    assert len(counts._counts) >= 50, "and no more than half of the others"


def test_what_is_taken_back_belongs_to_its_period(counts: Counts) -> None:
    period = counts.period(10 * MINUTE)
    counts.add(10 * MINUTE, "a", number=3)
    counts.take_back(period, counts.key("a"), 2)
    assert counts.of(10 * MINUTE, "a") == 1
    assert counts.add(11 * MINUTE, "a") == 1
    counts.take_back(period, counts.key("a"), 1)
    assert counts.of(11 * MINUTE, "a") == 1, "it has another count by now"


def test_threads_that_count_at_once_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's writer counts in its own thread, while the event loop counts other requests."""
    monkeypatch.setattr(counting, "_MAX_COUNTS", 50)
    counts = Counts(MINUTE, lambda data: data.decode(), shared=False)

    def count(_: int) -> None:
        for n in range(2_000):
            counts.add(MINUTE, "all")
            counts.add(MINUTE, str(n))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(count, range(4)))
    finally:
        sys.setswitchinterval(interval)
    assert counts.of(MINUTE, "all") == 8_000
