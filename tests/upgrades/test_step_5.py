"""Step 5 of the schema, new names and columns: every row of every earlier schema is still there, under its new name."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from stamkund.settings import Settings
from stamkund.store import Store, Unavailable
from stamkund.store import open as opening
from stamkund.store.open import WrongSchema
from tests.support.postgres_server import PostgresServer
from tests.support.rows import database_file, executed, rows
from tests.support.service import NOW
from tests.upgrades import stored_data

TABLES = {"one_time": "one_time_credentials", "login_locks": "lockouts", "signing_keys": "id_token_keys"}
COLUMNS = {
    ("login_locks", "frozen_until"): "locked_until",
    ("login_attempts", "door"): "channel",
    ("tokens", "hash"): "digest",
    ("one_time", "hash"): "digest",
}
LOCKOUT = (
    "INSERT INTO login_locks (organisation, login, failures, frozen_until, expires) "
    f"VALUES ('north', 'somebody', '[{NOW}]', {NOW + 60}, {NOW + 90})"
)
ROTATING = """UPDATE clients SET document = replace(document, '"scopes":', '"rotates":true,"scopes":')"""
EARLIER = [folder for folder in stored_data.folders() if int(folder.name) < 5]

Contents = dict[str, list[dict[str, Any]]]
"""The rows of every table, by the names of their columns."""


@dataclass
class Migrated:
    """A database before and after it was migrated."""

    schema: int
    before: Contents
    after: Contents
    store: Store


@pytest.fixture(params=EARLIER, ids=lambda folder: folder.name)
async def migrated(request: pytest.FixtureRequest, fresh_url: str, tmp_path: Path) -> AsyncIterator[Migrated]:
    """Stored data of an earlier schema, with a lockout and clients that rotate refresh tokens, migrated."""
    folder: Path = request.param
    await stored_data.load(folder, fresh_url, tmp_path / "stamkund.key")
    await executed(fresh_url, ROTATING)
    if int(folder.name) >= 3:
        await executed(fresh_url, LOCKOUT)
    before = await contents(fresh_url)
    engine = opening.engine_for(fresh_url)
    await engine.open()
    try:
        with pytest.raises(WrongSchema, match="stamkund migrate"):
            await opening.check_schema(engine)
        await opening.migrate(engine, NOW)
        await opening.check_schema(engine)
        vault = await opening.vault_for(engine, tmp_path / "stamkund.key", NOW)
        yield Migrated(int(folder.name), before, await contents(fresh_url), Store(engine, vault))
    finally:
        await engine.close()


async def contents(url: str) -> Contents:
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(database_file(url))) as database:
            database.row_factory = sqlite3.Row
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
            return {name: [dict(row) for row in database.execute(f"SELECT * FROM {name}")] for (name,) in tables}
    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return {name: [dict(row) for row in await connection.fetch(f"SELECT * FROM {name}")] for (name,) in names}
    finally:
        await connection.close()


def renamed(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row of an earlier schema under the names of step 5."""
    values = {COLUMNS.get((table, column), column): value for column, value in row.items()}
    if table == "clients":
        values["document"] = values["document"].replace('"rotates"', '"rotate_refresh_tokens"')
    return values


async def test_no_row_is_lost_or_changed(migrated: Migrated) -> None:
    for table, before in migrated.before.items():
        expected = [renamed(table, row) for row in before]
        after = migrated.after[TABLES.get(table, table)]
        if table == "meta":  # a later step leaves a row, and what has been sealed anew since then
            expected = [row for row in expected if row["name"] != "key check"]
        elif table != "migrations":
            assert len(after) == len(expected), table
        for row in expected:
            assert any(row.items() <= other.items() for other in after), (table, row)


async def test_the_data_has_what_the_step_changes(migrated: Migrated) -> None:
    """Else the test above would prove nothing."""
    filled = {table for table, rows in migrated.before.items() if rows}
    assert {"accounts", "clients", "tokens"} <= filled
    assert {"login_locks", "login_attempts"} <= filled or migrated.schema < 3
    assert {"sessions", "one_time", "signing_keys"} <= filled or migrated.schema < 4


async def test_new_columns_are_filled(migrated: Migrated) -> None:
    organisations = {client["id"]: client["organisation"] for client in migrated.after["clients"]}
    for table in ("tokens", "one_time_credentials"):
        for row in migrated.after[table]:
            assert row["organisation"] == organisations[row["client"]]
    for row in migrated.after["accounts"]:
        document = msgspec.json.decode(row["document"])
        assert (row["id"], row["status"]) == (document["id"], document["status"])


async def test_clients_still_rotate_refresh_tokens(migrated: Migrated) -> None:
    for row in migrated.before["clients"]:
        client = await migrated.store.clients.get(row["id"])
        assert client is not None and client[0].rotate_refresh_tokens


async def test_tokens_and_codes_of_clients_that_are_gone_are_removed(fresh_url: str, tmp_path: Path) -> None:
    """They would stop the migration: nobody knows their organisation."""
    await stored_data.load(stored_data.FOLDER / "0004", fresh_url, tmp_path / "stamkund.key")
    for table in ("tokens", "one_time"):
        await executed(fresh_url, f"UPDATE {table} SET client = 'gone'")
    engine = opening.engine_for(fresh_url)
    await engine.open()
    try:
        await opening.migrate(engine, NOW)
    finally:
        await engine.close()
    after = await contents(fresh_url)
    assert after["tokens"] == after["one_time_credentials"] == []


async def test_an_insert_must_name_the_new_columns(postgres: PostgresServer) -> None:
    """A default would hide an insert that forgets one. (SQLite can't drop a default.)"""
    url = postgres.create_database("defaults")
    await opening.migrate_database(Settings(database_url=url), lambda: NOW)
    new = [("accounts", "id"), ("accounts", "status"), ("one_time_credentials", "organisation")]
    new += [("tokens", "organisation")]
    named = ", ".join(str(column) for column in new)
    defaults = "SELECT table_name, column_name, column_default FROM information_schema.columns"
    columns = await rows(url, f"{defaults} WHERE (table_name, column_name) IN ({named}) ORDER BY 1, 2")
    assert columns == [(table, column, None) for table, column in new]


async def test_a_process_of_the_older_version_can_not_add_an_account_without_a_status(fresh_url: str) -> None:
    """It does not name the new column. Nobody could log in to such an account."""
    await opening.migrate_database(Settings(database_url=fresh_url), lambda: NOW)
    await executed(fresh_url, "INSERT INTO organisations (id, document) VALUES ('north', '{}')")
    with pytest.raises((sqlite3.IntegrityError, asyncpg.NotNullViolationError), match="status"):
        await executed(fresh_url, "INSERT INTO accounts (organisation, id, document) VALUES ('north', 'a', '{}')")


async def test_a_row_that_can_not_be_migrated_is_not_quoted(fresh_url: str, tmp_path: Path) -> None:
    await stored_data.load(stored_data.FOLDER / "0004", fresh_url, tmp_path / "stamkund.key")
    await executed(fresh_url, """UPDATE accounts SET document = replace(document, '"status":', '"state":')""")
    with pytest.raises(Unavailable, match="the database schema stays at step 4; the next step failed: ") as raised:
        await opening.migrate_database(Settings(database_url=fresh_url), lambda: NOW)
    assert "example.com" not in str(raised.value) and raised.value.__cause__ is None
