"""Verbs about the templates of mails that an organisation has of its own. They were checked before they come here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.verbs.events import record
from stamkund.store.work import Execute, Sql, Work

_ALL = Sql("SELECT name, source FROM mail_templates WHERE organisation = $1 ORDER BY name")
_SET = Sql(
    "INSERT INTO mail_templates (organisation, name, source) VALUES ($1, $2, $3) "
    "ON CONFLICT (organisation, name) DO UPDATE SET source = excluded.source"
)
_REMOVE = Sql("DELETE FROM mail_templates WHERE organisation = $1 AND name = $2")


class MailTemplateVerbs(Verbs):
    @reads
    def of_organisation(self, organisation: str) -> Work[dict[str, str]]:
        """The sources of its own templates, by name."""
        return {row["name"]: row["source"] for row in (yield Execute(_ALL, (organisation,)))}

    @writes
    def replace(self, organisation: str, sources: Mapping[str, str], by: str, now: int) -> Work[None]:
        """Stores templates, which replace those of the same names; `by`: who did it."""
        for name, source in sorted(sources.items()):
            yield Execute(_SET, (organisation, name, source))
        yield from record(_changed(organisation, by, now, f"{len(sources)} imported"))

    @writes
    def remove(self, organisation: str, names: Sequence[str], by: str, now: int) -> Work[None]:
        """Removes templates: ours are used again."""
        for name in sorted(names):
            yield Execute(_REMOVE, (organisation, name))
        yield from record(_changed(organisation, by, now, f"{len(names)} removed"))


def _changed(organisation: str, by: str, now: int, detail: str) -> AuditEntry:
    return AuditEntry(organisation, now, AuditEvent.MAIL_TEMPLATES_CHANGED, by, None, detail)
