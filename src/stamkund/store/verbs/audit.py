"""Verbs about the audit: who did what to whom and when, in ids alone. Other verbs write it (`events.py`)."""

from __future__ import annotations

from collections.abc import Sequence

from stamkund.rules.events import AuditEntry
from stamkund.store.verb import Verbs, writes
from stamkund.store.verbs import events
from stamkund.store.work import Execute, Work, delete_batch

_REMOVE = delete_batch("audit", "row", "at < $1", "at")


class AuditVerbs(Verbs):
    @writes
    def record(self, entries: Sequence[AuditEntry]) -> Work[None]:
        """Records entries about what happened outside of any transaction."""
        for entry in entries:
            yield from events.record(entry)

    @writes
    def remove_older(self, than: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` entries from before `than`; returns how many."""
        return len((yield Execute(_REMOVE, (than, at_most))))
