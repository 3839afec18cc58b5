"""Opening a store: the schema, the key file, and the sentence when either is not the right one."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import pkgutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar, cast

import pytest

from stamkund.settings import Settings
from stamkund.store import Engine, Store, Unavailable, migrations, verbs
from stamkund.store import open as opening
from stamkund.store.open import WrongSchema
from stamkund.store.verb import Verbs
from stamkund.store.work import Execute, MakeWork, Sql, Work
from stamkund.vault import KeyFileError, Vault
from tests.support.postgres_server import PostgresServer
from tests.support.service import NOW

T = TypeVar("T")


@pytest.fixture
async def engine(fresh_url: str) -> AsyncIterator[Engine]:
    made = opening.engine_for(fresh_url)
    await made.open()
    yield made
    await made.close()


async def _do(engine: Engine, sql: str) -> None:
    def work() -> Work[None]:
        yield Execute(Sql(sql))

    await engine.write(work)


async def test_an_empty_database_is_brought_up_to_date_once(engine: Engine) -> None:
    with pytest.raises(WrongSchema, match="run `stamkund migrate`"):
        await opening.check_schema(engine)
    steps = [f"{m.number:04} {m.name}" for m in migrations.MIGRATIONS]
    assert await opening.migrate(engine, NOW) == steps
    await opening.check_schema(engine)
    assert await opening.migrate(engine, NOW) == []


async def test_two_migrations_at_once_take_turns(engine: Engine, fresh_url: str) -> None:
    other = opening.engine_for(fresh_url)
    await other.open()
    try:
        done = await asyncio.gather(*(opening.migrate(e, NOW) for e in (engine, other, engine, other)))
    finally:
        await other.close()
    assert sorted(itertools.chain(*done)) == [f"{m.number:04} {m.name}" for m in migrations.MIGRATIONS]
    await opening.check_schema(engine)


async def test_a_migration_may_take_longer_than_a_statement(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = migrations.Migration(
        1, "slow", (Sql("SELECT pg_sleep(1.5)"), Sql("CREATE TABLE meta (name text, value text)"))
    )
    monkeypatch.setattr(migrations, "MIGRATIONS", (slow,))
    monkeypatch.setattr("stamkund.store.postgres.STATEMENT_SECONDS", 0.5)
    url = postgres.create_database("slow_migration")
    limited = opening.engine_for(url)
    await limited.open()
    try:
        with pytest.raises(Unavailable, match="the database schema stays at step 0; the next step failed"):
            await opening.migrate(limited, NOW)
    finally:
        await limited.close()
    assert await opening.migrate_database(Settings(database_url=url), lambda: NOW) == opening.Migrated(
        ["0001 slow"], None
    )


async def test_an_up_to_date_database_needs_no_writer(engine: Engine, fresh_url: str) -> None:
    """Every command and server passes here: none may wait for another's transaction, or fail because of it."""
    await opening.migrate(engine, NOW)

    async def write(make: MakeWork[T]) -> T:
        raise AssertionError("a transaction was begun")

    engine.write = write  # type: ignore[method-assign]
    assert await opening.migrate(engine, NOW) == []


async def test_a_fault_of_ours_keeps_its_trace(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = migrations.Migration(1, "broken", (cast(Sql, None),))
    monkeypatch.setattr(migrations, "MIGRATIONS", (broken,))
    with pytest.raises(AttributeError):
        await opening.migrate(engine, NOW)


async def test_a_newer_schema_is_left_alone(engine: Engine) -> None:
    await opening.migrate(engine, NOW)
    await _do(engine, f"INSERT INTO migrations (number, name, applied) VALUES ({migrations.LATEST + 1}, 'newer', 0)")
    with pytest.raises(WrongSchema, match="upgrade Stamkund"):
        await opening.check_schema(engine)
    assert await opening.migrate(engine, NOW) == []


async def test_a_key_file_is_made_for_a_new_database_only(engine: Engine, tmp_path: Path) -> None:
    await opening.migrate(engine, NOW)
    path = tmp_path / "stamkund.key"
    await opening.vault_for(engine, path, NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    await opening.vault_for(engine, path, NOW)
    path.rename(tmp_path / "elsewhere.key")
    with pytest.raises(KeyFileError, match="is missing, and the database was written with one"):
        await opening.vault_for(engine, path, NOW)
    assert not path.exists(), "a new key would open nothing"
    Vault.create(path, NOW)
    with pytest.raises(KeyFileError, match="is not the one that this database was written with"):
        await opening.vault_for(engine, path, NOW)


async def test_a_key_file_that_is_there_is_taken(engine: Engine, tmp_path: Path) -> None:
    await opening.migrate(engine, NOW)
    made = Vault.create(tmp_path / "stamkund.key", NOW)
    vault = await opening.vault_for(engine, tmp_path / "stamkund.key", NOW)
    assert vault.number_hashes("north", "800610-8230") == made.number_hashes("north", "800610-8230")


@pytest.mark.parametrize("url", ["", "mysql://x", "sqlite://x.db", "sqlite:///", "sqlite:///:memory:", "stamkund.db"])
def test_urls_that_name_no_database(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        opening.engine_for(url)


async def test_databases_out_of_reach(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/no/such/folder/a.db", "postgresql://nobody:x@127.0.0.1:1/none"):
        engine = opening.engine_for(url)
        with pytest.raises(Unavailable):
            await engine.open()
        await engine.close()


async def test_the_store_has_the_verbs_of_every_module(engine: Engine, tmp_path: Path) -> None:
    """A class of verbs that is forgotten in `Store` could not be called."""
    modules = [importlib.import_module(m.name) for m in pkgutil.iter_modules(verbs.__path__, f"{verbs.__name__}.")]
    classes = {c for m in modules for c in vars(m).values() if isinstance(c, type) and issubclass(c, Verbs)} - {Verbs}
    store = Store(engine, Vault.create(tmp_path / "stamkund.key", NOW))
    assert classes == {type(part) for part in vars(store).values() if isinstance(part, Verbs)}
