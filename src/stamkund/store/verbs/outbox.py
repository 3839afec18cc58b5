"""Verbs about the outbox: events for other systems, written by other verbs (`events.py`)."""

from __future__ import annotations

from stamkund.store.verb import Verbs, writes
from stamkund.store.work import Execute, Work, delete_oldest

_REMOVE = delete_oldest("outbox")


class OutboxVerbs(Verbs):
    @writes
    def remove_older(self, than: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` events from before `than`, delivered or not; returns how many."""
        return len((yield Execute(_REMOVE, (than, at_most))))
