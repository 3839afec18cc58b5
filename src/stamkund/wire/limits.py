"""Rate limits: how often a minute a call may be made by one client, and about one identifier. Never by address.

Addresses are left out because a household, an office and a publisher's own web server are one address each (failed
logins of a visitor's address are another matter: `identity/failures.py`). What several processes let through beyond a
limit is at most what each of them admits within a second, because they share their counts once a second. Password
guessing is limited exactly, by lockouts (`identity/logins.py`), not here.

A *miss* is a look-up that finds nobody. Whoever tries numbers has many of them, and a client that asks about its own
customers has few, so misses are limited more tightly than calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stamkund import problems
from stamkund.identity.audit_queue import AuditQueue
from stamkund.identity.counts import Counts, Pseudonym
from stamkund.identity.failures import FailureLimits, Failures
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
CANDIDATE_LIMIT, ACTIVATION_LIMIT = "candidate", "activation"
_CALLS_WITH_MISSES = (CANDIDATE_LIMIT, ACTIVATION_LIMIT)


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
    """The counts of one process; with them what failed, and the audit entries that tell of limits."""

    def __init__(
        self,
        values: LimitValues,
        pseudonym: Pseudonym,
        *,
        shared: bool,
        failures: FailureLimits = FailureLimits(),  # noqa: B008 - immutable
    ) -> None:
        self.shared = shared
        self.audit = AuditQueue()
        self.failures = Failures(failures, pseudonym, self.audit, shared=shared)
        self._values = values
        self._counts = Counts(WINDOW_SECONDS, pseudonym, shared=shared)
        self._noted = Counts(WINDOW_SECONDS, pseudonym, shared=False)

    def client(self, call: str, client: str, now: int, organisation: str = "") -> None:
        """Counts a call of a client. Raises Refused when there have been too many, or too many misses.

        The audit gets an entry where `organisation` is given.
        """
        values = self._values
        note = (organisation, client, now)
        self._count(values.per_client_for.get(call, values.per_client), note, call, "client", client)
        if call in _CALLS_WITH_MISSES:
            self._check_misses(values.misses_per_client, note, call, "client", client)

    def identifier(self, call: str, organisation: str, identifier: Identifier, now: int, client: str = "") -> None:
        """Counts a call about an identifier. Raises Refused when there have been too many, or too many misses."""
        values = self._values
        note = (organisation, client, now)
        limit = values.per_identifier_for.get(call, values.per_identifier)
        self._count(limit, note, call, organisation, *identifier)
        if call in _CALLS_WITH_MISSES:
            self._check_misses(values.misses_per_identifier, note, call, organisation, *identifier)

    def miss(
        self, call: str, organisation: str, client: str, identifiers: Iterable[Identifier], now: int, weight: int = 1
    ) -> None:
        """Counts a look-up that found nobody, for its client and each identifier that it was about."""
        if self._values.misses_per_client:
            self._counts.add(now, "misses", call, "client", client, number=weight)
        for identifier in identifiers if self._values.misses_per_identifier else ():
            self._counts.add(now, "misses", call, organisation, *identifier, number=weight)

    async def share(self, store: Store) -> None:
        """Shares the counts with other processes. Raises Unavailable; what was counted is kept for the next time."""
        await self._counts.share(store)
        await self.failures.counts.share(store)

    def _count(self, limit: int, note: tuple[str, str, int], *names: str) -> None:
        now = note[2]
        if not limit:
            return
        if self._counts.of(now, *names) >= limit:
            self._refuse(note, "calls", names)
        self._counts.add(now, *names)

    def _check_misses(self, limit: int, note: tuple[str, str, int], *names: str) -> None:
        if limit and self._counts.of(note[2], "misses", *names) >= limit:
            self._refuse(note, "misses", names)

    def _refuse(self, note: tuple[str, str, int], what: str, names: tuple[str, ...]) -> None:
        """Raises Refused. The first refusal of a period gets an entry in the audit, which names no identifier."""
        organisation, client, now = note
        if organisation and self._noted.add(now, what, *names) == 1:
            about = "a client" if names[1] == "client" else "one identifier"
            detail = f"{names[0]}: {what} of {about}"
            entry = AuditEntry(organisation, now, AuditEvent.LIMIT_REACHED, client or None, detail=detail)
            self.audit.add(entry)
        raise Refused(problems.too_many_requests(self._counts.remaining_seconds(now)))


def limits_of(settings: Settings, vault: Vault) -> Limits:
    """The limits of the settings. A single process on an embedded database has nobody to share counts with."""
    values = LimitValues(
        settings.limit_per_client,
        settings.limit_per_identifier,
        _by_name(settings.limit_per_client_for),
        _by_name(settings.limit_per_identifier_for),
        settings.candidate_misses_per_client,
        settings.candidate_misses_per_number,
    )
    failures = FailureLimits(settings.failed_logins_per_address, settings.audit_refusals_per_hour)
    alone = settings.sqlite and settings.workers == 1
    return Limits(values, vault.pseudonym, shared=not alone, failures=failures)


def no_limits() -> Limits:
    return Limits(LimitValues(), lambda _: "", shared=False)


def _by_name(text: str) -> dict[str, int]:
    """`candidate=300,login=1000`, whose form the settings have checked."""
    pairs = (part.split("=") for part in text.split(",") if part)
    return {name: int(number) for name, number in pairs}
