"""How many entries an hour the audit has of what anybody can do often: who sends more is counted and fills no disk.

Refusals are counted for each source, the visitor's address or else the client, and for the organisation; what succeeds
(logins, logouts, tokens) for each account, or for the client where there is none. What succeeds has no limit for the
organisation: readers are many, and each has few. Whoever has had all entries of the hour gets one more, which says so.
Where several processes share counts the limits are those of all together, but for what each lets through within a
second, and each says for itself that one was reached.
"""

from __future__ import annotations

from dataclasses import dataclass

from stamkund.identity.audit_queue import AuditQueue
from stamkund.identity.counts import Counts, Pseudonym
from stamkund.rules.addresses import source_of
from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.rules.organisation import Client
from stamkund.rules.timestamps import HOUR
from stamkund.settings import Settings
from stamkund.store import Store
from stamkund.vault import Vault

_ORGANISATION_FACTOR = 10
"""The audit has so many times more refusals of a whole organisation than of one source."""
_CLIENT_FACTOR = 10
"""The same of what succeeds, for a client's tokens without account: they are the site's, not one reader's."""
_REFUSALS = (AuditEvent.LOGIN_REFUSED, AuditEvent.TOKEN_REFUSED)


@dataclass(frozen=True)
class AuditLimits:
    """Entries within an hour; 0: no limit. `refusals`: of one source; `successes`: of one account."""

    refusals: int = 0
    successes: int = 0


class AuditBudget:
    """The entries that one process has written, those of others added where they share counts."""

    def __init__(self, limits: AuditLimits, pseudonym: Pseudonym, audit_queue: AuditQueue, *, shared: bool) -> None:
        self._limits = limits
        self._queue = audit_queue
        self._entries = Counts(HOUR, pseudonym, shared=shared)
        self._here = Counts(HOUR, pseudonym, shared=False)

    def admit(self, entry: AuditEntry) -> bool:
        """Whether the audit has room for an entry, which is then counted."""
        if entry.event in _REFUSALS:
            return self._admit_refusal(entry)
        limit, source = self._limits.successes, f"account {entry.account}"
        if entry.account is None:
            limit, source = limit * _CLIENT_FACTOR, f"client {entry.client}"
        return not limit or self._admit(entry, "successes", limit, source)

    def count_wrong_secret(self, client: Client, now: int) -> None:
        """Counts a secret that is none of the client's; the audit tells of the 1st, 10th, 100th … within an hour."""
        count = self._here.add(now, "wrong secret", client.id)
        if str(count).strip("0") == "1":
            detail = f"{count} in this hour"
            self._queue.add(
                AuditEntry(client.organisation, now, AuditEvent.CLIENT_SECRET_REFUSED, client.id, detail=detail)
            )

    async def share(self, store: Store) -> None:
        """Shares the counts with other processes. Raises Unavailable; what was counted is kept for the next time."""
        await self._entries.share(store)

    def _admit_refusal(self, entry: AuditEntry) -> bool:
        limit, source = self._limits.refusals, source_of(entry.address) or f"client {entry.client}"
        # What a source has too much of takes nothing from what the others have left.
        return not limit or (
            self._admit(entry, "refusals", limit, source)
            and self._admit(entry, "refusals", limit * _ORGANISATION_FACTOR, "")
        )

    def _admit(self, entry: AuditEntry, kind: str, limit: int, source: str) -> bool:
        key = self._entries.key("audit", kind, entry.organisation, source)
        if self._entries.add_key(entry.at, key) <= limit:
            return True
        if self._here.add_key(entry.at, key) == 1:
            account = entry.account if kind == "successes" else None
            detail = f"{kind} in the audit"
            self._queue.add(
                AuditEntry(entry.organisation, entry.at, AuditEvent.LIMIT_REACHED, entry.client, account, detail)
            )
        return False


def audit_budget_of(settings: Settings, vault: Vault, audit_queue: AuditQueue) -> AuditBudget:
    limits = AuditLimits(settings.audit_refusals_per_hour, settings.audit_successes_per_hour)
    return AuditBudget(limits, vault.pseudonym, audit_queue, shared=settings.shares_counts)


def no_audit_budget() -> AuditBudget:
    """For whoever has no vault: everything is admitted."""
    return AuditBudget(AuditLimits(), lambda data: data.hex(), AuditQueue(), shared=False)
