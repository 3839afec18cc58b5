"""Catalogues: one document for each organisation, beside the organisations themselves.

Every call reads its organisation's document, so a catalogue doesn't stand in it. The fingerprint comes before the
document, so that reading it touches nothing of a document that fills many pages.
"""

from __future__ import annotations

from stamkund.store.work import Sql

_CATALOGUES = (
    "CREATE TABLE catalogues (organisation text PRIMARY KEY REFERENCES organisations (id), version bigint NOT NULL, "
    "fingerprint text NOT NULL, loaded bigint NOT NULL, document text NOT NULL)"
)

STATEMENTS = (Sql(_CATALOGUES, sqlite=f"{_CATALOGUES} WITHOUT ROWID"),)
