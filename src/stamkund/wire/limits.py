"""Rate limits: how often a minute a call may be made by one client, and about one identifier. Never by address.

Addresses are left out because a household, an office and a publisher's own web server are one address each (failed
logins of a visitor's address are another matter: `identity/failures.py`). What several processes let through beyond a
limit is at most what each of them admits within a second, because they share their counts once a second. Password
guessing is limited exactly, by lockouts (`identity/logins.py`), not here.

A *miss* is a look-up by number that finds nobody. Whoever tries numbers has many of them, and a client that asks about
its own customers has few, so misses are limited more tightly than calls, and all calls that look somebody up count
together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from stamkund import problems
from stamkund.identity.audit_queue import AuditQueue
from stamkund.identity.counts import Counts, Pseudonym
from stamkund.problems import Refused
from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.rules.identifiers import Identifier
from stamkund.settings import Settings
from stamkund.store import Store
from stamkund.vault import Vault

WINDOW_SECONDS = 60
LOGIN_LIMIT = "login"
"""The name under which logins are counted, whichever call they come by."""
SESSION_LIMIT = "session"
"""The name under which apps' new sessions are counted: apart from logins, which nobody is to be kept from by them."""
_MAX_CLIENT_KEYS = 4096
"""How many keys are kept that calls of clients are counted under: clients are few, and each calls often."""
CANDIDATE_LIMIT, ACTIVATION_LIMIT = "candidate", "activation"
CREATION_LIMIT, UPDATE_LIMIT = "creation", "update"
OWN_UPDATE_LIMIT = "own_update"
"""The name under which readers' changes of their own accounts are counted: apart from those of clients."""


_Limited = tuple[str, int, str]
"""What is counted under which key, up to which limit, and what it is, for the audit."""


@dataclass(frozen=True)
class LimitValues:
    """How often per minute; 0: no limit. `…_for`: by the name of a limit, instead of the general value."""

    per_client: int = 0
    per_identifier: int = 0
    per_client_for: Mapping[str, int] = field(default_factory=dict)
    per_identifier_for: Mapping[str, int] = field(default_factory=dict)
    misses_per_client: int = 0
    misses_per_identifier: int = 0


class Limits:
    """The counts of one process. Misses have room of their own: nobody can have them forgotten by other calls."""

    def __init__(self, values: LimitValues, pseudonym: Pseudonym, audit_queue: AuditQueue, *, shared: bool) -> None:
        self.values = values
        self._audit_queue = audit_queue
        self.calls = Counts(WINDOW_SECONDS, pseudonym, shared=shared)
        self.misses = Counts(WINDOW_SECONDS, pseudonym, shared=shared)
        self._noted = Counts(WINDOW_SECONDS, pseudonym, shared=False)
        self._client_key = lru_cache(_MAX_CLIENT_KEYS)(self.calls.key)
        self.misses_of = lru_cache(_MAX_CLIENT_KEYS)(self._misses_of)

    def client(self, call: str, organisation: str, client: str, now: int) -> None:
        """Counts a call of an organisation's client. Raises Refused when there have been too many."""
        limit = self.values.per_client_for.get(call, self.values.per_client)
        if limit and not self.calls.add_below(now, key := self._client_key(call, "client", client), limit):
            self.refuse(key, f"{call}: calls of a client", organisation, client, now)

    def identifier(self, call: str, organisation: str, client: str, identifier: Identifier, now: int) -> None:
        """Counts a call about an identifier. Raises Refused when there have been too many."""
        limit = self.values.per_identifier_for.get(call, self.values.per_identifier)
        if limit and not self.calls.add_below(now, key := self.calls.key(call, organisation, *identifier), limit):
            self.refuse(key, f"{call}: calls of one identifier", organisation, client, now)

    def _misses_of(self, client: str) -> tuple[_Limited, ...]:
        """What a client's misses are counted under, where they are limited."""
        limit = self.values.misses_per_client
        return ((self.misses.key("misses", "client", client), limit, "misses of a client"),) if limit else ()

    def look_up(self, organisation: str, client: str, identifiers: Sequence[Identifier], now: int) -> LookUp:
        """A look-up by these identifiers, which is refused where there were too many misses."""
        return LookUp(self, organisation, client, identifiers, now)

    async def share(self, store: Store) -> None:
        """Shares the counts with other processes. Raises Unavailable; what was counted is kept for the next time."""
        await self.calls.share(store)
        await self.misses.share(store)

    def refuse(self, key: str, detail: str, organisation: str, client: str, now: int) -> None:
        """Raises Refused. The first refusal of a period gets an entry in the audit, which names no identifier."""
        if self._noted.add_key(now, key) == 1:
            self._audit_queue.add(AuditEntry(organisation, now, AuditEvent.LIMIT_REACHED, client, detail=detail))
        raise Refused(problems.too_many_requests(self.calls.remaining_seconds(now)))


class LookUp:
    """A look-up of somebody by numbers: refused while there are too many misses, and counted where it is one.

    Ask `check` before the look-up, to spare the database what will be refused, and once more when the database has
    responded, with no `await` before `miss` or the response: so of any number of look-ups at the same time no more
    learn something than the limit says, and those that find somebody take nothing from it.
    """

    __slots__ = ("_client", "_counted", "_keys", "_limits", "_now", "_organisation")

    def __init__(
        self, limits: Limits, organisation: str, client: str, identifiers: Sequence[Identifier], now: int
    ) -> None:
        self._limits, self._organisation, self._client, self._now = limits, organisation, client, now
        self._keys = limits.misses_of(client)
        self._counted: tuple[int, int] | None = None
        limit = limits.values.misses_per_identifier
        if limit and identifiers:
            key, detail = limits.misses.key, "misses of one identifier"
            self._keys += tuple((key("misses", organisation, *one), limit, detail) for one in identifiers)

    def check(self) -> None:
        """Raises Refused where there were too many misses, of the client or of one of the identifiers."""
        for key, limit, detail in self._keys:
            if self._limits.misses.of_key(self._now, key) >= limit:
                self._limits.refuse(key, detail, self._organisation, self._client, self._now)

    def miss(self, weight: int = 1) -> None:
        """Counts a miss."""
        if self._keys:
            self._counted = self._limits.misses.period(self._now), weight
        for key, _, _ in self._keys:
            self._limits.misses.add_key(self._now, key, weight)

    def take_back(self) -> None:
        """Takes the miss back."""
        if self._counted is not None:
            period, weight = self._counted
            for key, _, _ in self._keys:
                self._limits.misses.take_back(period, key, weight)


def limits_of(settings: Settings, vault: Vault, audit_queue: AuditQueue) -> Limits:
    """The limits of the settings. A single process on an embedded database has nobody to share counts with."""
    values = LimitValues(
        settings.limit_per_client,
        settings.limit_per_identifier,
        _by_name(Settings().limit_per_client_for) | _by_name(settings.limit_per_client_for),
        _by_name(Settings().limit_per_identifier_for) | _by_name(settings.limit_per_identifier_for),
        settings.misses_per_client,
        settings.misses_per_number,
    )
    return Limits(values, vault.pseudonym, audit_queue, shared=settings.shares_counts)


def no_limits() -> Limits:
    return Limits(LimitValues(), lambda _: "", AuditQueue(), shared=False)


NO_LOOK_UP = no_limits().look_up("", "", (), 0)
"""Of a call that looks nobody up by numbers: nothing is refused or counted."""


def _by_name(text: str) -> dict[str, int]:
    """`candidate=300,login=1000`, whose form the settings have checked."""
    pairs = (part.split("=") for part in text.split(",") if part)
    return {name: int(number) for name, number in pairs}
