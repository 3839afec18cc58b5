"""Sessions of browsers and apps, codes and tickets that work once, signing keys, and how login pages look.

A session's cookie is kept as a hash only: whoever copies the database can't take a session over. The sid is what sites
know a session by; it opens nothing without a client's secret. A code or ticket stays for a day after it expires, so
that one that comes again is known and what it gave can be taken back. `tokens_by_family` is for that, and
`audit_by_time` for dropping what is too old.
"""

from __future__ import annotations

from stamkund.store.migrations.ddl import ddl

STATEMENTS = (
    ddl(
        "CREATE TABLE sessions (sid text PRIMARY KEY, organisation text NOT NULL REFERENCES organisations (id), "
        "cookie BYTES, client text, status text NOT NULL, account bigint, created bigint NOT NULL, "
        "authenticated bigint, seen bigint NOT NULL, expires bigint NOT NULL) KEYED"
    ),
    ddl("CREATE UNIQUE INDEX sessions_by_cookie ON sessions (cookie)"),
    ddl("CREATE INDEX sessions_by_expiry ON sessions (expires)"),
    ddl(
        "CREATE TABLE one_time (hash BYTES PRIMARY KEY, kind text NOT NULL, client text NOT NULL, "
        "account bigint NOT NULL, scopes text NOT NULL, created bigint NOT NULL, expires bigint NOT NULL, "
        "family text NOT NULL, spent bigint, detail text NOT NULL) KEYED"
    ),
    ddl("CREATE INDEX one_time_by_expiry ON one_time (expires)"),
    ddl(
        "CREATE TABLE signing_keys (id text PRIMARY KEY, created bigint NOT NULL, public text NOT NULL, "
        "sealed text NOT NULL) KEYED"
    ),
    ddl("CREATE TABLE branding (organisation text PRIMARY KEY REFERENCES organisations (id), document text NOT NULL)"),
    ddl("CREATE INDEX tokens_by_family ON tokens (family)"),
    ddl("CREATE INDEX audit_by_time ON audit (at)"),
)
