"""Logins that end, and what a login is recognised by.

- Tokens, codes and tickets name the session that they came from (`session`, its sid), so that they end with it.
  `tokens.spent` says when a refresh token was replaced. Tokens and sessions are found by their account.
- A session holds keyed hashes of the user agent and the address of its browser, to recognise another browser's login.
  A code or ticket from before has no session; a session from before belongs to no browser that could be recognised.
- `sso_logins`: the login requests of SSO2, which work once, with their sealed responses.
- `visitor_addresses`: addresses that a client sent for sessions whose browsers have another, as a proxy's.
"""

from __future__ import annotations

from stamkund.store.migrations.ddl import ddl
from stamkund.store.work import Sql

STATEMENTS = (
    Sql("ALTER TABLE tokens ADD COLUMN session text"),
    Sql("ALTER TABLE tokens ADD COLUMN spent bigint"),
    Sql(
        "CREATE INDEX tokens_by_account ON tokens (organisation, account, client, kind, expires) "
        "WHERE account IS NOT NULL"
    ),
    Sql("ALTER TABLE one_time_credentials ADD COLUMN session text"),
    Sql("ALTER TABLE sessions ADD COLUMN agent text"),
    Sql("ALTER TABLE sessions ADD COLUMN address text"),
    Sql("CREATE INDEX sessions_by_account ON sessions (organisation, account) WHERE account IS NOT NULL"),
    ddl(
        "CREATE TABLE sso_logins (organisation text NOT NULL, digest BYTES NOT NULL, at bigint NOT NULL, "
        "expires bigint NOT NULL, response text, PRIMARY KEY (organisation, digest)) KEYED"
    ),
    Sql("CREATE INDEX sso_logins_by_expiry ON sso_logins (expires)"),
    ddl(
        "CREATE TABLE visitor_addresses (organisation text NOT NULL, client text NOT NULL, address text NOT NULL, "
        "sid text NOT NULL, expires bigint NOT NULL, PRIMARY KEY (organisation, client, address, sid)) KEYED"
    ),
    Sql("CREATE INDEX visitor_addresses_by_expiry ON visitor_addresses (expires)"),
)
