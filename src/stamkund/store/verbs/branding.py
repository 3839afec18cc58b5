"""Verbs about branding: how the pages of an organisation look.

Branding is kept apart from the organisation's document, because every call of the API reads that together with the
token, and a logo may have 64 KiB; only pages read this.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from stamkund.rules.branding import PLAIN, Branding
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.work import Execute, Sql, Work, first, for_update

_BRANDING = Sql("SELECT document FROM branding WHERE organisation = $1")
# The organisation's row is what is locked: before the first change there is no row of branding to lock.
_LOCK = for_update("SELECT id FROM organisations WHERE id = $1")
_SET = Sql(
    "INSERT INTO branding (organisation, document) VALUES ($1, $2) "
    "ON CONFLICT (organisation) DO UPDATE SET document = excluded.document"
)


class BrandingVerbs(Verbs):
    @reads
    def of_organisation(self, organisation: str) -> Work[Branding]:
        """How the organisation's pages look; the plain default where nothing was chosen."""
        return (yield from _branding(organisation))

    @writes
    def change(self, organisation: str, change: Callable[[Branding], Branding]) -> Work[Branding]:
        """Replaces the branding by what `change` makes of the present one. The organisation must exist."""
        yield Execute(_LOCK, (organisation,))
        branding = change((yield from _branding(organisation)))
        yield Execute(_SET, (organisation, msgspec.json.encode(branding).decode()))
        return branding


def _branding(organisation: str) -> Work[Branding]:
    row = first((yield Execute(_BRANDING, (organisation,))))
    return PLAIN if row is None else msgspec.json.decode(row["document"], type=Branding)
