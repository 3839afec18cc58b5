"""Counts of one process within periods of the clock, which processes can share.

What is counted stands under keyed hashes, so neither memory nor database tells what it was. Each process counts in
memory and a call waits for nothing. Where there are several processes, `share` now and then adds what this one counted
to the counts in the database, and takes the totals from there.
"""

from __future__ import annotations

from collections.abc import Callable

from stamkund.store import Store, Unavailable

_MAX_COUNTS = 100_000
"""Counts of a process in one period, so that random keys can't fill its memory (some 20 MB)."""

Pseudonym = Callable[[bytes], str]


class Counts:
    """How often something happened in the present period of `seconds`."""

    def __init__(self, seconds: int, pseudonym: Pseudonym, *, shared: bool) -> None:
        self._seconds = seconds
        self._pseudonym = pseudonym
        self._shared = shared
        self._ends = 0
        self._counts: dict[str, int] = {}
        self._unshared: dict[str, int] = {}

    def of(self, now: int, *names: str) -> int:
        """How often it happened in this period, as far as this process knows."""
        self._turn_over(now)
        return self._counts.get(self._key(names), 0)

    def add(self, now: int, *names: str, number: int = 1) -> int:
        """Counts; returns the count."""
        self._turn_over(now)
        key = self._key(names)
        count = self._counts.get(key, 0)
        if not count and len(self._counts) >= _MAX_COUNTS:
            self._make_room()
        self._counts[key] = count + number
        if self._shared:
            self._unshared[key] = self._unshared.get(key, 0) + number
        return count + number

    def remaining_seconds(self, now: int) -> int:
        """How long the present period lasts."""
        return self._seconds - now % self._seconds

    async def share(self, store: Store) -> None:
        """Adds what was counted since the last time to the counts of all processes, and takes over their totals.

        Raises Unavailable; what was counted is kept for the next time.
        """
        ends, counts = self._ends, self._unshared
        if not counts:
            return
        self._unshared = {}
        try:
            totals = await store.call_counts.add(ends, counts)
        except Unavailable:
            if self._ends == ends:
                for key, count in counts.items():
                    self._unshared[key] = self._unshared.get(key, 0) + count
            raise
        if self._ends == ends:
            for key, total in totals.items():
                self._counts[key] = total + self._unshared.get(key, 0)

    def _turn_over(self, now: int) -> None:
        """Begins a new period. A call that began in the last one counts in the present one: its body came slowly."""
        ends = now - now % self._seconds + self._seconds
        if ends not in (self._ends, self._ends - self._seconds):
            self._ends, self._counts, self._unshared = ends, {}, {}

    def _key(self, names: tuple[str, ...]) -> str:
        return self._pseudonym("\0".join(names).encode(errors="replace"))

    def _make_room(self) -> None:
        """Drops the keys that were counted once; where that is not enough, all."""
        self._counts = {key: count for key, count in self._counts.items() if count > 1}
        if len(self._counts) > _MAX_COUNTS // 2:
            self._counts = {}
