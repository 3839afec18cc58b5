"""Rate limits: how often a minute a call may be made by one client, and about one identifier. Never by address.

Addresses are left out because a household, an office and a publisher's own web server are one address each. Counts are
stored under keyed hashes, so neither memory nor database tells which identifiers were requested.

Each process counts in memory, in minutes of the clock, and a call waits for nothing. Where there are several processes,
`share` now and then adds what this one counted to the counts in the database, and takes the totals from there: one
small statement a second, not one a call. What several processes let through beyond a limit is therefore at most what
each of them admits within a second. Password guessing is limited exactly, by lockouts (`identity/logins.py`), not here.
"""

from __future__ import annotations

from collections.abc import Callable

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules.identifiers import Identifier
from stamkund.settings import Settings
from stamkund.store import Store, Unavailable
from stamkund.vault import Vault

WINDOW_SECONDS = 60
LOGIN_LIMIT = "login"
"""The name under which logins are counted, whichever call they come by."""
_MAX_COUNTS = 100_000
"""Counts of a process in one minute, so that random identifiers can't fill its memory (some 20 MB)."""

Pseudonym = Callable[[bytes], str]


class Limits:
    """The counts of one process."""

    def __init__(self, per_client: int, per_identifier: int, pseudonym: Pseudonym, *, shared: bool) -> None:
        self.shared = shared
        self._per_client = per_client
        self._per_identifier = per_identifier
        self._pseudonym = pseudonym
        self._window_ends = 0
        self._counts: dict[str, int] = {}
        self._unshared: dict[str, int] = {}

    def client(self, call: str, client: str, now: int) -> None:
        """Counts a call of a client. Raises Refused when there have been too many."""
        self._count(self._per_client, now, call, "client", client)

    def identifier(self, call: str, organisation: str, identifier: Identifier, now: int) -> None:
        """Counts a call about an identifier. Raises Refused when there have been too many."""
        self._count(self._per_identifier, now, call, organisation, *identifier)

    async def share(self, store: Store) -> None:
        """Adds what was counted since the last time to the counts of all processes, and takes over their totals.

        Raises Unavailable; what was counted is kept for the next time.
        """
        ends, counts = self._window_ends, self._unshared
        if not counts:
            return
        self._unshared = {}
        try:
            totals = await store.call_counts.add(ends, counts)
        except Unavailable:
            if self._window_ends == ends:
                for key, count in counts.items():
                    self._unshared[key] = self._unshared.get(key, 0) + count
            raise
        if self._window_ends == ends:
            for key, total in totals.items():
                self._counts[key] = total + self._unshared.get(key, 0)

    def _count(self, limit: int, now: int, *names: str) -> None:
        if limit == 0:
            return
        ends = now - now % WINDOW_SECONDS + WINDOW_SECONDS
        if ends != self._window_ends:
            self._window_ends, self._counts, self._unshared = ends, {}, {}
        key = self._pseudonym("\0".join(names).encode(errors="replace"))
        count = self._counts.get(key, 0)
        if count >= limit:
            raise Refused(problems.too_many_requests(ends - now))
        if not count and len(self._counts) >= _MAX_COUNTS:
            self._make_room()
        self._counts[key] = count + 1
        if self.shared:
            self._unshared[key] = self._unshared.get(key, 0) + 1

    def _make_room(self) -> None:
        """Drops the keys that were counted once; where that is not enough, all."""
        self._counts = {key: count for key, count in self._counts.items() if count > 1}
        if len(self._counts) > _MAX_COUNTS // 2:
            self._counts = {}


def limits_of(settings: Settings, vault: Vault) -> Limits:
    """The limits of the settings. A single process on an embedded database has nobody to share counts with."""
    alone = settings.sqlite and settings.workers == 1
    return Limits(settings.limit_per_client, settings.limit_per_identifier, vault.pseudonym, shared=not alone)


def no_limits() -> Limits:
    return Limits(0, 0, lambda _: "", shared=False)
