"""Sessions of browsers and apps, codes and tickets that work once, signing keys, and how login pages look.

A session's cookie is kept as a hash only: whoever copies the database can't take a session over. The sid is what sites
know a session by; it opens nothing without a client's secret. A code or ticket stays for a day after it expires, so
that one that comes again is known and what it gave can be taken back. `tokens_by_family` is for that, and
`audit_by_time` for dropping what is too old.
"""

from __future__ import annotations

from stamkund.store.work import Sql


def _table(text: str) -> Sql:
    """DDL for both engines: BYTES holds bytes, KEYED stores rows in the primary key itself."""
    return Sql(
        text.replace("BYTES", "bytea").replace(" KEYED", ""),
        sqlite=text.replace("BYTES", "blob").replace(" KEYED", " WITHOUT ROWID"),
    )


STATEMENTS = (
    _table(
        "CREATE TABLE sessions (sid text PRIMARY KEY, organisation text NOT NULL REFERENCES organisations (id), "
        "cookie BYTES, client text, status text NOT NULL, account bigint, created bigint NOT NULL, "
        "authenticated bigint, seen bigint NOT NULL, expires bigint NOT NULL) KEYED"
    ),
    _table("CREATE UNIQUE INDEX sessions_by_cookie ON sessions (cookie)"),
    _table("CREATE INDEX sessions_by_expiry ON sessions (expires)"),
    _table(
        "CREATE TABLE one_time (hash BYTES PRIMARY KEY, kind text NOT NULL, client text NOT NULL, "
        "account bigint NOT NULL, scopes text NOT NULL, created bigint NOT NULL, expires bigint NOT NULL, "
        "family text NOT NULL, spent bigint, detail text NOT NULL) KEYED"
    ),
    _table("CREATE INDEX one_time_by_expiry ON one_time (expires)"),
    _table(
        "CREATE TABLE signing_keys (id text PRIMARY KEY, created bigint NOT NULL, public text NOT NULL, "
        "sealed text NOT NULL) KEYED"
    ),
    _table(
        "CREATE TABLE branding (organisation text PRIMARY KEY REFERENCES organisations (id), document text NOT NULL)"
    ),
    _table("CREATE INDEX tokens_by_family ON tokens (family)"),
    _table("CREATE INDEX audit_by_time ON audit (at)"),
)
