"""What failed within the present hour: logins by the visitor's address, secrets by client, and how much the audit has.

Failed logins of one address are limited, however many e-mails they are spread over. Counted is an address that is the
visitor's and no private one: behind a private one stands a proxy or a site's server, with many visitors. Organisations
are counted apart, because a site can name any address, and must not shut it out of other organisations. The audit has
an entry for each refusal up to a number for each source; whoever sends more is counted and fills no disk.
"""

from __future__ import annotations

from dataclasses import dataclass

from stamkund.identity.audit_queue import AuditQueue
from stamkund.identity.counts import Counts, Pseudonym
from stamkund.rules.addresses import source_of
from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.rules.lockout import LoginContext
from stamkund.rules.organisation import Client

HOUR = 3_600
_ORGANISATION_FACTOR = 10
"""The audit has so many times more refusals of a whole organisation than of one source."""


@dataclass(frozen=True)
class FailureLimits:
    """How much is allowed within an hour; 0: no limit.

    `per_address`: failed logins of a visitor's address. `audited`: refusals of one source that the audit has each of.
    """

    per_address: int = 0
    audited: int = 0


class TooManyFailures(Exception):
    """The visitor's address has failed to log in too often; it may try again in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too many failures")
        self.seconds = seconds


class Failures:
    """The failures of one process, those of others added where they share counts."""

    def __init__(self, limits: FailureLimits, pseudonym: Pseudonym, audit: AuditQueue, *, shared: bool) -> None:
        self._limits = limits
        self._audit = audit
        self.counts = Counts(HOUR, pseudonym, shared=shared)
        self._here = Counts(HOUR, pseudonym, shared=False)

    def check_address(self, context: LoginContext) -> None:
        """Raises TooManyFailures where the visitor's address has no attempt left."""
        source = self._source(context)
        if (
            source is None
            or self.counts.of(context.at, "failures", context.organisation, source) < self._limits.per_address
        ):
            return
        if self._here.add(context.at, "too many failures", context.organisation, source) == 1:
            self._note(context, "failed logins of one address")
        raise TooManyFailures(self.counts.remaining_seconds(context.at))

    def count(self, context: LoginContext) -> None:
        """Counts an attempt that was refused."""
        source = self._source(context)
        if source is not None:
            self.counts.add(context.at, "failures", context.organisation, source)

    def login_is_audited(self, context: LoginContext) -> bool:
        """Whether the audit gets an entry of its own if this attempt is refused."""
        source = source_of(context.visitor_address) or f"client {context.client}"
        return self.is_audited(context.organisation, source, context.client, context.at)

    def is_audited(self, organisation: str, source: str, client: str, now: int) -> bool:
        """Whether the audit gets an entry of its own for one more refusal, which is counted."""
        limit = self._limits.audited
        if not limit:
            return True
        of_source = self._here.add(now, "audited", organisation, source)
        if of_source > limit:  # takes nothing from what other sources have left
            reached = of_source == limit + 1
        else:
            of_all = self._here.add(now, "audited", organisation)
            if of_all <= limit * _ORGANISATION_FACTOR:
                return True
            reached = of_all == limit * _ORGANISATION_FACTOR + 1
        if reached:
            detail = "refusals in the audit"
            self._audit.add(AuditEntry(organisation, now, AuditEvent.LIMIT_REACHED, client, detail=detail))
        return False

    def wrong_secret(self, client: Client, now: int) -> None:
        """Counts a secret that is none of the client's; the audit tells of the 1st, 10th, 100th … within an hour."""
        count = self._here.add(now, "wrong secret", client.id)
        if str(count).strip("0") == "1":
            detail = f"{count} in this hour"
            self._audit.add(
                AuditEntry(client.organisation, now, AuditEvent.CLIENT_SECRET_REFUSED, client.id, detail=detail)
            )

    def _source(self, context: LoginContext) -> str | None:
        return source_of(context.visitor_address) if self._limits.per_address else None

    def _note(self, context: LoginContext, detail: str) -> None:
        self._audit.add(
            AuditEntry(
                context.organisation,
                context.at,
                AuditEvent.LIMIT_REACHED,
                context.client,
                detail=detail,
                address=context.visitor_address,
            )
        )
