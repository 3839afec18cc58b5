"""Counts of one process within periods of the clock, which processes can share.

What is counted stands under keyed hashes, so neither memory nor database tells what it was. Each process counts in
memory and a call waits for nothing. Where there are several processes, `share` now and then adds what this one counted
to the counts in the database, and takes the totals from there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from stamkund.store import Store, Unavailable

_MAX_COUNTS = 100_000
"""Counts of a process in one period, so that random keys can't fill its memory (some 20 MB)."""

Pseudonym = Callable[[bytes], str]


class Counts:
    """How often something happened in the present period of `seconds`. Any thread may count."""

    def __init__(self, seconds: int, pseudonym: Pseudonym, *, shared: bool) -> None:
        self.shared = shared
        self._seconds = seconds
        self._pseudonym = pseudonym
        self._ends = 0
        self._counts: dict[str, int] = {}
        self._unshared: dict[str, int] = {}
        self._lock = threading.Lock()

    def of(self, now: int, *names: str) -> int:
        """How often it happened in this period, as far as this process knows."""
        return self.of_key(now, self.key(*names))

    def add(self, now: int, *names: str, number: int = 1) -> int:
        """Counts; returns the count."""
        return self.add_key(now, self.key(*names), number)

    def key(self, *names: str) -> str:
        """What something is counted under, for whoever needs the same several times."""
        return self._pseudonym("\0".join(names).encode(errors="replace"))

    def of_key(self, now: int, key: str) -> int:
        with self._lock:
            self._turn_over(now)
            return self._counts.get(key, 0)

    def add_key(self, now: int, key: str, number: int = 1) -> int:
        with self._lock:
            self._turn_over(now)
            return self._add(key, number)

    def add_below(self, now: int, key: str, limit: int) -> bool:
        """Counts where the count is below the limit; returns whether it was."""
        with self._lock:
            self._turn_over(now)
            return self._counts.get(key, 0) < limit and bool(self._add(key, 1))

    def period(self, now: int) -> int:
        """The end of the period that something at `now` counts in."""
        with self._lock:
            self._turn_over(now)
            return self._ends

    def take_back(self, period: int, key: str, number: int) -> None:
        """Takes back what was counted in a period, unless that has ended."""
        with self._lock:
            if self._ends == period and key in self._counts:
                self._add(key, -number)

    def remaining_seconds(self, now: int) -> int:
        """How long the present period lasts."""
        return self._seconds - now % self._seconds

    async def share(self, store: Store) -> None:
        """Adds what was counted since the last time to the counts of all processes, and takes over their totals.

        Raises Unavailable; what was counted is kept for the next time.
        """
        with self._lock:
            ends, counts = self._ends, self._unshared
            if not counts:
                return
            self._unshared = {}
        try:
            totals = await store.call_counts.add(ends, counts)
        except Unavailable:
            self._keep_for_later(ends, counts)
            raise
        with self._lock:
            if self._ends == ends:
                for key, total in totals.items():
                    self._counts[key] = total + self._unshared.get(key, 0)

    def _keep_for_later(self, ends: int, counts: dict[str, int]) -> None:
        with self._lock:
            if self._ends == ends:
                for key, count in counts.items():
                    self._unshared[key] = self._unshared.get(key, 0) + count

    def _add(self, key: str, number: int) -> int:
        count = self._counts.get(key, 0)
        if not count and len(self._counts) >= _MAX_COUNTS:
            self._make_room()
        self._counts[key] = count + number
        if self.shared:
            self._unshared[key] = self._unshared.get(key, 0) + number
        return count + number

    def _turn_over(self, now: int) -> None:
        """Begins a new period. A call that began in the last one counts in the present one: its body came slowly."""
        ends = now - now % self._seconds + self._seconds
        if ends not in (self._ends, self._ends - self._seconds):
            self._ends, self._counts, self._unshared = ends, {}, {}

    def _make_room(self) -> None:
        """Drops the smaller half of the counts, so that what was counted often is forgotten last."""
        lowest = sorted(self._counts.values())[len(self._counts) // 2]
        highest = {key: count for key, count in self._counts.items() if count > lowest}
        for key, count in self._counts.items():
            if len(highest) >= _MAX_COUNTS // 2:
                break
            if count == lowest:
                highest[key] = count
        self._counts = highest
