"""The state of a subscription, and when it gives access.

States: pending (not begun), activated, cancelled (access until its end), frozen (payment failed, grace period),
deactivated (ended). The state is computed from the time and from what the subscription system reported last, so it is
never out of date because a job has not run.
"""

from __future__ import annotations

ACTIVATED = "activated"
"""The state of a subscription for which none is reported."""
STATES = ("pending", "activated", "cancelled", "frozen", "deactivated")
_ACCESS = ("activated", "cancelled", "frozen")
TYPES = ("recurring", "limited")
EXTERNAL_START_SERVICE = "kayak"
"""The only provision service whose subscriptions show an `external_start_date` (document "Get account")."""


def has_ended(state: str, valid_to: int | None, now: int) -> bool:
    """Whether the subscription gives no access any more, and never will again."""
    return state == "deactivated" or (valid_to is not None and valid_to <= now)


def state_at(state: str, valid_from: int | None, valid_to: int | None, now: int) -> str:
    """The state at `now` of a subscription that was last reported as `state`."""
    if has_ended(state, valid_to, now):
        return "deactivated"
    if valid_from is not None and now < valid_from:
        return "pending"
    return "activated" if state == "pending" else state


def gives_access(state: str, valid_from: int | None, valid_to: int | None, now: int) -> bool:
    """Whether the subscription gives access at `now`. `valid_to` of a frozen one is the end of its grace period.

    Section 5 of the wire contract, "Active products": activated, cancelled until its end, frozen while in grace.
    """
    return state_at(state, valid_from, valid_to, now) in _ACCESS


def end_date(reported: int | None, subscription_type: str | None, state: str, valid_to: int | None) -> int | None:
    """`subscription_end_date`: the reported one, otherwise `valid_to` of one that is limited or cancelled."""
    if reported is not None:
        return reported
    return valid_to if subscription_type == "limited" or state == "cancelled" else None
