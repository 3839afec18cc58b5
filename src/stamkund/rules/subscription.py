"""When a subscription gives access, and what it is called until then.

States: pending (not begun), activated, cancelled (access until its end), frozen (payment failed, grace period),
deactivated (over). The clock decides together with what the owner of the subscription said last, so no answer is late
because a job has not run.
"""

from __future__ import annotations

STATES = ("pending", "activated", "cancelled", "frozen", "deactivated")
_ACCESS = ("activated", "cancelled", "frozen")
TYPES = ("recurring", "limited")
EXTERNAL_START_SERVICE = "kayak"
"""The one provision service whose subscriptions show an `external_start_date` (document "Get account")."""


def is_over(state: str, valid_to: int | None, now: int) -> bool:
    """True when the subscription gives no access any more, and will not again."""
    return state == "deactivated" or (valid_to is not None and valid_to <= now)


def state_at(state: str, valid_from: int | None, valid_to: int | None, now: int) -> str:
    """The state at `now` of a subscription that was last said to be in `state`."""
    if is_over(state, valid_to, now):
        return "deactivated"
    if valid_from is not None and now < valid_from:
        return "pending"
    return "activated" if state == "pending" else state


def gives_access(state: str, valid_from: int | None, valid_to: int | None, now: int) -> bool:
    """True when the subscription may be used at `now`. `valid_to` of a frozen one is the end of its grace period.

    Section 5 of the wire contract, "Active products": activated, cancelled until its end, frozen while in grace.
    """
    return state_at(state, valid_from, valid_to, now) in _ACCESS


def end_date(said: int | None, subscription_type: str | None, state: str, valid_to: int | None) -> int | None:
    """`subscription_end_date`: what the owner said, else `valid_to` of one that is limited or cancelled."""
    if said is not None:
        return said
    return valid_to if subscription_type == "limited" or state == "cancelled" else None
