"""The schema, step by step. Each step is one module `mNNNN_name` with `STATEMENTS`; steps are only ever added.

Steps run in order, each in a transaction of its own, and are written down in the table `migrations`. A step may be
Python too: `STATEMENTS` is any tuple of statements for both engines. Data of every earlier schema is kept under
`tests/upgrades/` and migrated in a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stamkund.store.migrations import (
    m0001_first,
    m0002_catalogues,
    m0003_attempts,
    m0004_sessions,
    m0005_words,
)
from stamkund.store.work import Execute, Sql, Work


@dataclass(frozen=True)
class Migration:
    number: int
    name: str
    statements: Sequence[Sql]


MIGRATIONS = (
    Migration(1, "first", m0001_first.STATEMENTS),
    Migration(2, "catalogues", m0002_catalogues.STATEMENTS),
    Migration(3, "attempts", m0003_attempts.STATEMENTS),
    Migration(4, "sessions", m0004_sessions.STATEMENTS),
    Migration(5, "words", m0005_words.STATEMENTS),
)
LATEST = MIGRATIONS[-1].number

_TABLE = Sql(
    "CREATE TABLE IF NOT EXISTS migrations (number bigint PRIMARY KEY, name text NOT NULL, applied bigint NOT NULL)"
)
_ONE_AT_A_TIME = Sql("SELECT pg_advisory_xact_lock(7311, 1)", sqlite="SELECT 1")
_PRESENT = Sql(
    "SELECT count(*) AS tables FROM information_schema.tables "
    "WHERE table_schema = current_schema() AND table_name = 'migrations'",
    sqlite="SELECT count(*) AS tables FROM sqlite_master WHERE type = 'table' AND name = 'migrations'",
)
_APPLIED = Sql("SELECT number FROM migrations ORDER BY number")
_DONE = Sql("INSERT INTO migrations (number, name, applied) VALUES ($1, $2, $3)")


def schema_version() -> Work[int]:
    """The number of the newest step that the database has together with all steps before it, 0 for an empty database.

    A number may be missing: two versions that were made beside each other each add a step of their own.
    """
    rows = yield Execute(_PRESENT)
    if not rows[0]["tables"]:
        return 0
    applied = [row["number"] for row in (yield Execute(_APPLIED))]
    missing = _missing(applied)
    if missing:
        applied = [number for number in applied if number < missing[0].number]
    return max(applied, default=0)


def next_step(now: int) -> Work[Migration | None]:
    """Applies the first step that is missing, if one is; answers it. Two processes at once take turns."""
    yield Execute(_ONE_AT_A_TIME)
    yield Execute(_TABLE)
    missing = _missing([row["number"] for row in (yield Execute(_APPLIED))])
    if not missing:
        return None
    for statement in missing[0].statements:
        yield Execute(statement)
    yield Execute(_DONE, (missing[0].number, missing[0].name, now))
    return missing[0]


def _missing(applied: Sequence[int]) -> list[Migration]:
    return [m for m in MIGRATIONS if m.number not in applied]
