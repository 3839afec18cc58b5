"""Opening the store that the settings name: what the server and every command begin with."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stamkund.clock import Clock
from stamkund.settings import Settings
from stamkund.store.engine import Engine
from stamkund.store.migrations import LATEST, Migration, next_step, role_may_change_schema, schema_version
from stamkund.store.sqlite import SqliteEngine
from stamkund.store.store import Store
from stamkund.store.verbs.binding import Progress, bind, is_bound
from stamkund.store.verbs.encryption import is_key_file_of, key_check, set_key_check
from stamkund.store.work import Unavailable
from stamkund.vault import KeyFileError, KeyFileExists, Vault


class WrongSchema(Exception):
    """The database is older or newer than this program; the message says what to do."""


@dataclass(frozen=True)
class Installation:
    """An open store, and the vault of the key file that its database was written with."""

    store: Store
    vault: Vault

    async def close(self) -> None:
        await self.store.engine.close()


@dataclass(frozen=True)
class Migrated:
    """What a migration did: the steps that were applied, and what was bound to its place (None: nothing was left)."""

    steps: list[str]
    binding: Progress | None


async def open_installation(settings: Settings, clock: Clock) -> Installation:
    """The installation that the settings name. An embedded database is created, or brought up to date, on the way.

    Raises Unavailable, WrongSchema, KeyFileError, ValueError.
    """
    engine = engine_for(settings.database_url, settings.postgres_connections)
    await engine.open()
    try:
        if settings.sqlite:
            await migrate(engine, clock())
        await check_schema(engine)
        vault = await vault_for(engine, Path(settings.key_file), clock())
        if settings.sqlite:
            await bind(engine, vault)
        await _check_bound(engine)
        return Installation(Store(engine, vault), vault)
    except BaseException:
        await engine.close()
        raise


def engine_for(url: str, connections: int = 6, *, unlimited: bool = False) -> Engine:
    """The engine that a database URL names: `sqlite:///file` or `postgresql://…`. Raises ValueError.

    `unlimited`: for a migration, which may rewrite tables of millions of rows in one statement.
    """
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        if not path or ":memory:" in path:
            raise ValueError("a sqlite URL names a file, such as sqlite:///stamkund.db")
        return SqliteEngine(Path(path))
    if url.startswith(("postgresql://", "postgres://")):
        from stamkund.store.postgres import PostgresEngine  # its driver takes long to load

        return PostgresEngine(url, connections, unlimited=unlimited)
    raise ValueError("the database URL must begin with sqlite:/// or postgresql://")


async def migrate_database(settings: Settings, clock: Clock) -> Migrated:
    """What `stamkund migrate` does: brings the database of the settings up to date, however long that takes.

    Raises Unavailable, KeyFileError, ValueError.
    """
    engine = engine_for(settings.migrate_database_url or settings.database_url, unlimited=True)
    await engine.open()
    try:
        steps = await migrate(engine, clock())
        if await engine.read(is_bound):  # the key file is needed for nothing then
            return Migrated(steps, None)
        vault = await vault_for(engine, Path(settings.key_file), clock())
        return Migrated(steps, await bind(engine, vault))
    finally:
        await engine.close()


async def may_change_schema(store: Store) -> bool:
    """Whether the role of a PostgreSQL database may do more than read and write rows. Raises Unavailable."""
    return await store.engine.read(role_may_change_schema)


async def migrate(engine: Engine, now: int) -> list[str]:
    """Brings the schema up to date; returns the steps that were applied. Raises Unavailable."""
    applied = []
    while (step := await _apply_next(engine, now)) is not None:
        applied.append(f"{step.number:04} {step.name}")
    return applied


async def _apply_next(engine: Engine, now: int) -> Migration | None:
    version = await engine.read(schema_version)
    if version >= LATEST:
        return None
    try:
        return await engine.write(lambda: next_step(now))
    except Exception as error:
        if not isinstance(error, (Unavailable, *engine.errors)):
            raise
        # The message alone: PostgreSQL's details may quote a row.
        reason = error.args[0]
        raise Unavailable(f"the database schema stays at step {version}; the next step failed: {reason}") from None


async def check_schema(engine: Engine) -> None:
    """Raises WrongSchema unless the database has exactly the schema that this program knows."""
    version = await engine.read(schema_version)
    if version < LATEST:
        raise WrongSchema(
            f"the database schema is at step {version}, this program needs step {LATEST}: run `stamkund migrate`"
        )
    if version > LATEST:
        raise WrongSchema(
            f"the database schema is at step {version}, newer than this program knows ({LATEST}): upgrade Stamkund"
        )


async def _check_bound(engine: Engine) -> None:
    """Raises WrongSchema where values are left that an earlier version sealed."""
    if not await engine.read(is_bound):
        raise WrongSchema("what earlier versions sealed is not bound to its place yet: run `stamkund migrate`")


async def vault_for(engine: Engine, path: Path, now: int) -> Vault:
    """The vault of this database. Creates the key file only for a database that nothing was sealed for yet.

    Raises KeyFileError where the file is missing, or is not the one that the database was written with.
    """
    check = await engine.read(key_check)
    if check is None:
        vault = await asyncio.to_thread(_first_vault, path, now)
        await engine.write(lambda: set_key_check(vault))
        return vault
    vault = await asyncio.to_thread(_existing_vault, path)
    if not is_key_file_of(vault, check):
        raise KeyFileError(
            f"the key file {path} is not the one that this database was written with: set STAMKUND_KEY_FILE "
            "to the right one"
        )
    return vault


def _first_vault(path: Path, now: int) -> Vault:
    """The existing key file, or a new one; of two processes that start at once the second takes the first one's."""
    if not path.exists():
        with suppress(KeyFileExists):
            return Vault.create(path, now)
    return Vault(path)


def _existing_vault(path: Path) -> Vault:
    if not path.exists():
        raise KeyFileError(
            f"the key file {path} is missing, and the database was written with one: put it back, or set "
            "STAMKUND_KEY_FILE to where it is"
        )
    return Vault(path)
