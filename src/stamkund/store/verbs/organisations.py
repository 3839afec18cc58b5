"""Verbs about organisations."""

from __future__ import annotations

from collections.abc import Callable

from stamkund.rules.organisation import Organisation
from stamkund.store.documents import organisation_of
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.work import Execute, Sql, Work, first, for_update

_ALL = Sql("SELECT document FROM organisations ORDER BY id")
_ONE = Sql("SELECT document FROM organisations WHERE id = $1")
_LOCK = for_update(_ONE.postgres)
_SET = Sql(
    "INSERT INTO organisations (id, document) VALUES ($1, $2) "
    "ON CONFLICT (id) DO UPDATE SET document = excluded.document"
)


class OrganisationVerbs(Verbs):
    @reads
    def all(self) -> Work[list[Organisation]]:
        """Every organisation, by id."""
        return [organisation_of(row["document"]) for row in (yield Execute(_ALL))]

    @reads
    def get(self, organisation_id: str) -> Work[Organisation | None]:
        return (yield from organisation(organisation_id))

    @writes
    def change(self, organisation_id: str, change: Callable[[Organisation | None], Organisation]) -> Work[Organisation]:
        """Creates or replaces an organisation by what `change` makes of the present one (None: there is none)."""
        row = first((yield Execute(_LOCK, (organisation_id,))))
        changed = change(None if row is None else organisation_of(row["document"]))
        yield Execute(_SET, (organisation_id, self._documents.text(changed)))
        return changed


def organisation(organisation_id: str) -> Work[Organisation | None]:
    row = first((yield Execute(_ONE, (organisation_id,))))
    return None if row is None else organisation_of(row["document"])
