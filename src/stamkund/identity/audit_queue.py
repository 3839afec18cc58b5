"""Audit entries that wait to be written, because what they tell happened where nothing may wait for the database.

They say that a limit was reached, or that a client's secret was wrong. Whoever adds one makes sure that it comes seldom
(once in a period, or at the 1st, 10th, 100th … time); the queue itself is bounded too.
"""

from __future__ import annotations

from collections import deque

from stamkund import log
from stamkund.rules.events import AuditEntry
from stamkund.store import Store

_MAX_WAITING = 1_000


class AuditQueue:
    """The entries of one process. Any thread may add one."""

    def __init__(self) -> None:
        self._waiting: deque[AuditEntry] = deque()

    def add(self, entry: AuditEntry) -> None:
        """Logs the entry, and puts it in the queue unless that is full: then the log alone has it."""
        log.get().info(entry.event.value, client=entry.client, detail=entry.detail, address=entry.address)
        if len(self._waiting) < _MAX_WAITING:
            self._waiting.append(entry)

    async def write(self, store: Store) -> None:
        """Writes the entries that wait. Raises Unavailable; they then wait for the next time."""
        entries = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not entries:
            return
        try:
            await store.audit.record(entries)
        except BaseException:
            self._waiting.extendleft(reversed(entries))
            raise
