"""Data definition for both engines, written once for a migration."""

from __future__ import annotations

from stamkund.store.work import Sql


def ddl(text: str) -> Sql:
    """A statement in which BYTES holds bytes, and KEYED stores rows in the primary key itself."""
    return Sql(
        text.replace("BYTES", "bytea").replace(" KEYED", ""),
        sqlite=text.replace("BYTES", "blob").replace(" KEYED", " WITHOUT ROWID"),
    )
