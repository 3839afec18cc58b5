"""When failed attempts freeze a login: in a row, within an hour, for a day."""

from __future__ import annotations

from stamkund.rules.lockout import NO_FAILURES, LockoutPolicy, LockoutState

POLICY = LockoutPolicy()
HOUR, DAY = 3600, 86_400


def after_failures(*timestamps: int, policy: LockoutPolicy = POLICY) -> LockoutState:
    state = NO_FAILURES
    for at in timestamps:
        state = state.after(False, policy, at)
    return state


def test_each_failure_leaves_one_fewer() -> None:
    left = [after_failures(*range(count)).remaining(POLICY, 4) for count in range(6)]
    assert left == [5, 4, 3, 2, 1, 0]


def test_the_fifth_failure_freezes_for_a_day() -> None:
    state = after_failures(0, 1, 2, 3, 10)
    assert state.locked_until == 10 + DAY
    assert state.locked(10) and state.locked(10 + DAY - 1) and not state.locked(10 + DAY)
    assert state.remaining(POLICY, 10 + DAY) == 5


def test_a_failure_counts_for_an_hour_wherever_the_hour_begins() -> None:
    assert after_failures(0, 600, 1200, 1800, HOUR - 1).locked(HOUR)
    late = after_failures(0, 600, 1200, 1800, HOUR)
    assert not late.locked(HOUR) and late.remaining(POLICY, HOUR) == 1
    assert late.after(False, POLICY, HOUR + 1).locked(HOUR + 1)


def test_a_success_clears_the_count() -> None:
    state = after_failures(0, 1, 2, 3).after(True, POLICY, 4)
    assert state == NO_FAILURES


def test_while_it_is_frozen_nothing_counts() -> None:
    frozen = after_failures(0, 0, 0, 0, 0)
    assert frozen.after(False, POLICY, 100) is frozen.after(True, POLICY, 100) is frozen


def test_after_the_thaw_the_count_is_new() -> None:
    frozen = after_failures(0, 0, 0, 0, 0)
    assert frozen.after(False, POLICY, DAY).remaining(POLICY, DAY) == 4
    assert frozen.after(True, POLICY, DAY) == NO_FAILURES


def test_one_is_left_as_long_as_nothing_is_frozen() -> None:
    """Also where the setting was lowered under a login that had failed more often already."""
    assert after_failures(0, 0, 0, 0).remaining(LockoutPolicy(max_failures=2), 0) == 1


def test_a_state_expires_when_its_failures_no_longer_count() -> None:
    assert NO_FAILURES.expires(POLICY) == 0
    assert after_failures(0, 50).expires(POLICY) == 50 + HOUR
    assert after_failures(0, 0, 0, 0, 7).expires(POLICY) == 7 + DAY


def test_one_failure_may_be_enough() -> None:
    assert after_failures(3, policy=LockoutPolicy(max_failures=1)).locked(3)
