"""Tables and columns in the words of the glossary, and the shape that larger installations need.

- `organisation` leads the keys of sessions and one-time credentials and stands in every row of `tokens`, so that these
  tables can be spread by organisation. A token is still found by its digest alone, because whoever presents one does
  not name an organisation.
- `id` and `status` of accounts are columns beside the document, so that whoever checks a token, a session or a code
  reads them without decoding it.
- Tokens and one-time credentials whose client is gone are removed: no look-up finds them, and nobody knows their
  organisation.
- The keys of identifiers hold the row that they lead to, so that PostgreSQL reads the key alone. SQLite stores the rows
  of these tables in their keys anyway.
- A client's field `rotates` is called `rotate_refresh_tokens`.
"""

from __future__ import annotations

from stamkund.store.migrations.ddl import ddl
from stamkund.store.work import Sql


def _without_default(table: str, column: str) -> Sql:
    """Drops the default that a column was added with, so that an insert must name it.

    SQLite can't. There the trigger below stops a process of the older version that inserts an account, and its inserts
    into `tokens` fail at the renamed column.
    """
    return Sql(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT", sqlite="SELECT 1")


def _key_includes(table: str, row: str) -> Sql:
    """Builds the key of a table of identifiers anew, with the row beside it."""
    key = f"ADD CONSTRAINT {table}_pkey PRIMARY KEY (organisation, kind, value) INCLUDE ({row})"
    return Sql(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, {key}", sqlite="SELECT 1")


_SESSION_COLUMNS = "organisation, sid, cookie, client, status, account, created, authenticated, seen, expires"
_CREDENTIAL_COLUMNS = "kind, client, account, scopes, created, expires, family, spent, detail"

_ACCOUNTS = (
    Sql("ALTER TABLE accounts ADD COLUMN id text NOT NULL DEFAULT ''"),
    Sql("ALTER TABLE accounts ADD COLUMN status text NOT NULL DEFAULT ''"),
    Sql(
        "UPDATE accounts SET id = document::jsonb ->> 'id', status = document::jsonb ->> 'status'",
        sqlite="UPDATE accounts SET id = json_extract(document, '$.id'), status = json_extract(document, '$.status')",
    ),
    _without_default("accounts", "id"),
    _without_default("accounts", "status"),
    # A process of the older version that still runs must not add an account that nobody could log in to.
    Sql(
        "SELECT 1",
        sqlite="CREATE TRIGGER accounts_have_id_and_status BEFORE INSERT ON accounts "
        "WHEN NEW.id = '' OR NEW.status = '' BEGIN SELECT RAISE(ABORT, 'an account has an id and a status'); END",
    ),
)
_IDENTIFIERS = (_key_includes("identifiers", "account"), _key_includes("customer_identifiers", "customer"))
_CLIENTS = (Sql("UPDATE clients SET document = replace(document, '\"rotates\":', '\"rotate_refresh_tokens\":')"),)
_TOKENS = (
    Sql("ALTER TABLE tokens RENAME COLUMN hash TO digest"),
    Sql("DELETE FROM tokens WHERE client NOT IN (SELECT id FROM clients)"),
    Sql("ALTER TABLE tokens ADD COLUMN organisation text NOT NULL DEFAULT ''"),
    Sql("UPDATE tokens SET organisation = (SELECT c.organisation FROM clients c WHERE c.id = tokens.client)"),
    _without_default("tokens", "organisation"),
    Sql("DROP INDEX tokens_by_family"),
    Sql("CREATE INDEX tokens_by_family ON tokens (organisation, family)"),
)
_SESSIONS = (
    Sql("ALTER TABLE sessions RENAME TO old_sessions"),
    Sql("DROP INDEX sessions_by_cookie"),
    Sql("DROP INDEX sessions_by_expiry"),
    ddl(
        "CREATE TABLE sessions (organisation text NOT NULL REFERENCES organisations (id), sid text NOT NULL, "
        "cookie BYTES, client text, status text NOT NULL, account bigint, created bigint NOT NULL, "
        "authenticated bigint, seen bigint NOT NULL, expires bigint NOT NULL, PRIMARY KEY (organisation, sid)) KEYED"
    ),
    Sql(f"INSERT INTO sessions ({_SESSION_COLUMNS}) SELECT {_SESSION_COLUMNS} FROM old_sessions"),
    Sql("DROP TABLE old_sessions"),
    Sql("CREATE UNIQUE INDEX sessions_by_cookie ON sessions (organisation, cookie)"),
    Sql("CREATE INDEX sessions_by_expiry ON sessions (expires)"),
)
_ONE_TIME_CREDENTIALS = (
    Sql("DELETE FROM one_time WHERE client NOT IN (SELECT id FROM clients)"),
    ddl(
        "CREATE TABLE one_time_credentials (organisation text NOT NULL, digest BYTES NOT NULL, kind text NOT NULL, "
        "client text NOT NULL, account bigint NOT NULL, scopes text NOT NULL, created bigint NOT NULL, "
        "expires bigint NOT NULL, family text NOT NULL, spent bigint, detail text NOT NULL, "
        "PRIMARY KEY (organisation, digest)) KEYED"
    ),
    Sql(
        f"INSERT INTO one_time_credentials (organisation, digest, {_CREDENTIAL_COLUMNS}) "
        f"SELECT (SELECT c.organisation FROM clients c WHERE c.id = one_time.client), hash, {_CREDENTIAL_COLUMNS} "
        "FROM one_time"
    ),
    Sql("DROP TABLE one_time"),
    Sql("CREATE INDEX one_time_credentials_by_expiry ON one_time_credentials (expires)"),
)
_LOGINS = (
    Sql("ALTER TABLE login_locks RENAME TO lockouts"),
    Sql("ALTER TABLE lockouts RENAME COLUMN frozen_until TO locked_until"),
    Sql("DROP INDEX login_locks_by_expiry"),
    Sql("CREATE INDEX lockouts_by_expiry ON lockouts (expires)"),
    Sql("ALTER TABLE login_attempts RENAME COLUMN door TO channel"),
)
_KEYS = (Sql("ALTER TABLE signing_keys RENAME TO id_token_keys"),)

STATEMENTS = (*_ACCOUNTS, *_IDENTIFIERS, *_CLIENTS, *_TOKENS, *_SESSIONS, *_ONE_TIME_CREDENTIALS, *_LOGINS, *_KEYS)
