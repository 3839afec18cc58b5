"""Lockouts that grow, a count for each trusted browser, and where a login attempt came from.

- `lockouts.browser`: a browser that has logged this reader in before is counted apart; empty for all others.
- `lockouts.times_locked`: how many lockouts followed each other within a day, and so how long the next one lasts.
- `login_attempts.reported`: when the client that made an attempt reported the same attempt as well.
- `audit.address`: the visitor's address of a login attempt.
"""

from __future__ import annotations

from stamkund.store.migrations.ddl import ddl
from stamkund.store.work import Sql

STATEMENTS = (
    Sql("ALTER TABLE lockouts RENAME TO old_lockouts"),
    Sql("DROP INDEX lockouts_by_expiry"),
    ddl(
        "CREATE TABLE lockouts (organisation text NOT NULL, login text NOT NULL, browser text NOT NULL, "
        "failures text NOT NULL, locked_until bigint, times_locked bigint NOT NULL, expires bigint NOT NULL, "
        "PRIMARY KEY (organisation, login, browser)) KEYED"
    ),
    Sql(
        "INSERT INTO lockouts (organisation, login, browser, failures, locked_until, times_locked, expires) "
        "SELECT organisation, login, '', failures, locked_until, "
        "CASE WHEN locked_until IS NULL THEN 0 ELSE 1 END, expires FROM old_lockouts"
    ),
    Sql("DROP TABLE old_lockouts"),
    Sql("CREATE INDEX lockouts_by_expiry ON lockouts (expires)"),
    Sql("ALTER TABLE login_attempts ADD COLUMN reported bigint"),
    Sql("ALTER TABLE audit ADD COLUMN address text"),
)
