"""Catalogues: one document for each organisation, beside the organisations themselves.

Every call reads its organisation's document, so a catalogue doesn't stand in it. The fingerprint comes before the
document, and the primary key has an index of its own on SQLite too: to compare keys within a row that fills many pages
(WITHOUT ROWID), SQLite reads all of them.
"""

from __future__ import annotations

from stamkund.store.work import Sql

STATEMENTS = (
    Sql(
        "CREATE TABLE catalogues (organisation text PRIMARY KEY REFERENCES organisations (id), "
        "version bigint NOT NULL, fingerprint text NOT NULL, loaded bigint NOT NULL, document text NOT NULL)"
    ),
)
