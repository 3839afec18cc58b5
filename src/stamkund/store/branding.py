"""Verbs about branding: how the pages of an organisation look.

It does not stand in the organisation's document, because every call of the API reads that together with the token, and
a logo may have 64 KiB; only pages read this.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from stamkund.rules.branding import PLAIN, Branding
from stamkund.store.work import Ask, Sql, Work, one

_BRANDING = Sql("SELECT document FROM branding WHERE organisation = $1")
# The organisation's row is what is locked: at the first change there is no row of branding yet to lock.
_LOCK = Sql(
    "SELECT id FROM organisations WHERE id = $1 FOR UPDATE", sqlite="SELECT id FROM organisations WHERE id = ?1"
)
_SET = Sql(
    "INSERT INTO branding (organisation, document) VALUES ($1, $2) "
    "ON CONFLICT (organisation) DO UPDATE SET document = excluded.document"
)


def branding(organisation: str) -> Work[Branding]:
    """How the organisation's pages look; plain where nothing was chosen."""
    row = one((yield Ask(_BRANDING, (organisation,))))
    return PLAIN if row is None else msgspec.json.decode(row[0], type=Branding)


def change(organisation: str, changed: Callable[[Branding], Branding]) -> Work[Branding]:
    """Changes the branding by what `changed` makes of the one there is. The organisation must be there."""
    yield Ask(_LOCK, (organisation,))
    new = changed((yield from branding(organisation)))
    yield Ask(_SET, (organisation, msgspec.json.encode(new).decode()))
    return new
