"""Failed logins within the present hour, by the visitor's address.

They are limited, however many e-mails they are spread over. Counted is an address that is the visitor's and no private
one: behind a private one stands a proxy or a site's server, with many visitors. Organisations are counted apart,
because a site can name any address, and must not shut it out of other organisations.
"""

from __future__ import annotations

from stamkund.identity.audit_queue import AuditQueue
from stamkund.identity.counts import Counts, Pseudonym
from stamkund.rules.addresses import source_of
from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.rules.lockout import LoginContext
from stamkund.rules.timestamps import HOUR
from stamkund.settings import Settings
from stamkund.store import Store
from stamkund.vault import Vault


class TooManyFailures(Exception):
    """The visitor's address has failed to log in too often; it may try again in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too many failures")
        self.seconds = seconds


class Failures:
    """The failures of one process, those of others added where they share counts."""

    def __init__(self, per_address: int, pseudonym: Pseudonym, audit_queue: AuditQueue, *, shared: bool) -> None:
        """`per_address`: how many are allowed; 0: no limit."""
        self._limit = per_address
        self._queue = audit_queue
        self._counts = Counts(HOUR, pseudonym, shared=shared)
        self._here = Counts(HOUR, pseudonym, shared=False)

    def check_address(self, context: LoginContext) -> None:
        """Raises TooManyFailures where the visitor's address has no attempt left."""
        source = self._source(context)
        if source is None:
            return
        key = self._counts.key("failures", context.organisation, source)
        if self._counts.of_key(context.at, key) < self._limit:
            return
        if self._here.add_key(context.at, key) == 1:
            self._note(context, "failed logins of one address")
        raise TooManyFailures(self._counts.remaining_seconds(context.at))

    def count(self, context: LoginContext) -> None:
        """Counts an attempt that was refused."""
        source = self._source(context)
        if source is not None:
            self._counts.add(context.at, "failures", context.organisation, source)

    async def share(self, store: Store) -> None:
        """Shares the counts with other processes. Raises Unavailable; what was counted is kept for the next time."""
        await self._counts.share(store)

    def _source(self, context: LoginContext) -> str | None:
        return source_of(context.visitor_address) if self._limit else None

    def _note(self, context: LoginContext, detail: str) -> None:
        self._queue.add(
            AuditEntry(
                context.organisation,
                context.at,
                AuditEvent.LIMIT_REACHED,
                context.client,
                detail=detail,
                address=context.visitor_address,
            )
        )


def failures_of(settings: Settings, vault: Vault, audit_queue: AuditQueue) -> Failures:
    return Failures(settings.failed_logins_per_address, vault.pseudonym, audit_queue, shared=settings.shares_counts)


def no_failures() -> Failures:
    """For whoever has no vault: nothing is limited."""
    return Failures(0, lambda data: data.hex(), AuditQueue(), shared=False)
