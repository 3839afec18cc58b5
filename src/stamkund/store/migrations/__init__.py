"""The schema as a list of migrations: modules `mNNNN_name` with `STATEMENTS` for both engines. They are only added.

Migrations run in order, each in a transaction of its own, and are recorded in the table `migrations`. Databases of all
earlier schemas are in `tests/upgrades/`, where tests migrate them.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

from stamkund.store.work import Execute, Sql, Work


@dataclass(frozen=True)
class Migration:
    number: int
    name: str
    statements: Sequence[Sql]


def _modules() -> Iterator[Migration]:
    """A migration for each module of this package whose name begins with `m` and four digits."""
    for module in pkgutil.iter_modules(__path__):
        if match := re.fullmatch(r"m([0-9]{4})_(\w+)", module.name):
            statements = import_module(f"{__name__}.{module.name}").STATEMENTS
            yield Migration(int(match[1]), match[2], statements)


def in_order(modules: Iterable[Migration]) -> tuple[Migration, ...]:
    """The migrations by number. Raises ImportError unless they are numbered from 1, each number once."""
    migrations = tuple(sorted(modules, key=lambda migration: migration.number))
    if [migration.number for migration in migrations] != list(range(1, len(migrations) + 1)):
        names = ", ".join(f"{migration.number:04} {migration.name}" for migration in migrations)
        raise ImportError(f"migrations must be numbered from 1, each number once: {names}")
    return migrations


MIGRATIONS = in_order(_modules())
LATEST = MIGRATIONS[-1].number

_TABLE = Sql(
    "CREATE TABLE IF NOT EXISTS migrations (number bigint PRIMARY KEY, name text NOT NULL, applied bigint NOT NULL)"
)
_LOCK = Sql("SELECT pg_advisory_xact_lock(7311, 1)", sqlite="SELECT 1")
_HAS_TABLE = Sql(
    "SELECT count(*) AS tables FROM information_schema.tables "
    "WHERE table_schema = current_schema() AND table_name = 'migrations'",
    sqlite="SELECT count(*) AS tables FROM sqlite_master WHERE type = 'table' AND name = 'migrations'",
)
_MAY_CHANGE = Sql(
    "SELECT has_schema_privilege(current_schema(), 'CREATE') OR EXISTS (SELECT 1 FROM pg_class "
    "WHERE relnamespace = current_schema()::regnamespace AND pg_has_role(relowner, 'MEMBER')) AS may_change",
    sqlite="SELECT 0 AS may_change",
)
_APPLIED = Sql("SELECT number FROM migrations ORDER BY number")
_RECORD = Sql("INSERT INTO migrations (number, name, applied) VALUES ($1, $2, $3)")


def schema_version() -> Work[int]:
    """The number of the newest migration that was applied together with all before it; 0 for an empty database.

    One in the middle may be missing, where two versions were developed in parallel and each added a migration.
    """
    rows = yield Execute(_HAS_TABLE)
    if not rows[0]["tables"]:
        return 0
    applied = [row["number"] for row in (yield Execute(_APPLIED))]
    missing = _missing(applied)
    if missing:
        applied = [number for number in applied if number < missing[0].number]
    return max(applied, default=0)


def next_step(now: int) -> Work[Migration | None]:
    """Applies the first missing migration and returns it, None where there is none. Processes wait for each other."""
    yield Execute(_LOCK)
    yield Execute(_TABLE)
    missing = _missing([row["number"] for row in (yield Execute(_APPLIED))])
    if not missing:
        return None
    for statement in missing[0].statements:
        yield Execute(statement)
    yield Execute(_RECORD, (missing[0].number, missing[0].name, now))
    return missing[0]


def role_may_change_schema() -> Work[bool]:
    """Whether the role that is connected may add to the schema, or owns a part of it. SQLite has no roles."""
    return bool((yield Execute(_MAY_CHANGE))[0]["may_change"])


def _missing(applied: Sequence[int]) -> list[Migration]:
    return [m for m in MIGRATIONS if m.number not in applied]
