"""When failed attempts freeze a login: in a row, within an hour, for longer each time."""

from __future__ import annotations

from stamkund.rules.lockout import NO_FAILURES, LockoutPolicy, LockoutState

POLICY = LockoutPolicy()
QUARTER, HOUR, DAY = 900, 3600, 86_400


def after_failures(*timestamps: int, policy: LockoutPolicy = POLICY) -> LockoutState:
    state = NO_FAILURES
    for at in timestamps:
        state = state.after(False, policy, at)
    return state


def test_each_failure_leaves_one_fewer() -> None:
    left = [after_failures(*range(count)).remaining(POLICY, 4) for count in range(6)]
    assert left == [5, 4, 3, 2, 1, 0]


def test_the_fifth_failure_freezes_for_a_quarter_of_an_hour() -> None:
    state = after_failures(0, 1, 2, 3, 10)
    assert state.locked_until == 10 + QUARTER
    assert state.locked(10) and state.locked(10 + QUARTER - 1) and not state.locked(10 + QUARTER)
    assert state.remaining(POLICY, 10 + QUARTER) == 5


def frozen_again(state: LockoutState, at: int, policy: LockoutPolicy = POLICY) -> tuple[LockoutState, int]:
    """The state after five failures at a time, and how long that freezes the login."""
    for _ in range(5):
        state = state.after(False, policy, at)
    assert state.locked_until is not None
    return state, state.locked_until - at


def test_each_further_freeze_within_a_day_is_twice_as_long_up_to_a_day() -> None:
    state, at, lengths = NO_FAILURES, 0, []
    for _ in range(10):
        state, length = frozen_again(state, at)
        lengths.append(length)
        at += length
    assert lengths == [QUARTER * 2**n for n in range(7)] + [DAY] * 3


def test_a_day_after_a_freeze_the_next_one_is_short_again() -> None:
    state, _ = frozen_again(NO_FAILURES, 0)
    assert frozen_again(state, QUARTER + DAY - 1)[1] == 2 * QUARTER
    assert frozen_again(state, QUARTER + DAY)[1] == QUARTER


def test_a_success_does_not_make_the_next_freeze_short_again() -> None:
    """Else whoever guesses could go on at the first pace as long as the reader logs in now and then."""
    state, _ = frozen_again(NO_FAILURES, 0)
    success = state.after(True, POLICY, QUARTER)
    assert success.remaining(POLICY, QUARTER) == 5
    assert frozen_again(success, QUARTER)[1] == 2 * QUARTER


def test_one_setting_freezes_for_a_day_each_time() -> None:
    policy = LockoutPolicy(lockout_seconds=DAY)
    state, first = frozen_again(NO_FAILURES, 0, policy)
    assert (first, frozen_again(state, DAY, policy)[1]) == (DAY, DAY)
    assert frozen_again(NO_FAILURES, 0, LockoutPolicy(lockout_seconds=2 * DAY))[1] == 2 * DAY


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
    assert frozen.after(False, POLICY, QUARTER).remaining(POLICY, QUARTER) == 4
    assert frozen.after(True, POLICY, QUARTER + DAY) == NO_FAILURES


def test_one_is_left_as_long_as_nothing_is_frozen() -> None:
    """Also where the setting was lowered under a login that had failed more often already."""
    assert after_failures(0, 0, 0, 0).remaining(LockoutPolicy(max_failures=2), 0) == 1


def test_a_state_expires_when_its_failures_no_longer_count() -> None:
    assert NO_FAILURES.expires(POLICY) == 0
    assert after_failures(0, 50).expires(POLICY) == 50 + HOUR
    assert after_failures(0, 0, 0, 0, 7).expires(POLICY) == 7 + QUARTER + DAY


def test_one_failure_may_be_enough() -> None:
    assert after_failures(3, policy=LockoutPolicy(max_failures=1)).locked(3)
