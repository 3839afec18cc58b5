"""Recording events, as part of other verbs: in the audit, and in the outbox for other systems."""

from __future__ import annotations

from stamkund.rules.events import Admit, AuditEntry, OutboxEvent, admit_all
from stamkund.store.work import Execute, Sql, Work

_RECORD = Sql(
    "INSERT INTO audit (organisation, at, event, client, account, detail, address) VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
_RECORD_NOTHING = Sql("UPDATE audit SET at = at WHERE row = 0")
_PUBLISH = Sql("INSERT INTO outbox (organisation, at, event, account) VALUES ($1, $2, $3, $4)")


def record(entry: AuditEntry, admit: Admit = admit_all) -> Work[None]:
    """Writes an entry to the audit, if that has room for it: of what anybody can do often, `admit` decides."""
    if not admit(entry):
        return
    values = (entry.organisation, entry.at, entry.event.value, entry.client, entry.account, entry.detail, entry.address)
    yield Execute(_RECORD, values)


def record_nothing() -> Work[None]:
    """Takes as many statements as writing an entry, and writes none."""
    yield Execute(_RECORD_NOTHING, ())


def publish(organisation: str, at: int, event: OutboxEvent, account: str) -> Work[None]:
    """Writes an event about an account (its id) to the outbox."""
    yield Execute(_PUBLISH, (organisation, at, event.value, account))
