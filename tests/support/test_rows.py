"""The look into the database sees what is half made; else the tests that find nothing would say nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.rows import database_file, halves
from tests.support.service import RunningService


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM accounts",
        "DELETE FROM passwords",
        "DELETE FROM identifiers WHERE kind = 'email'",
        "DELETE FROM identifiers WHERE kind = 'social_security_number'",
        "DELETE FROM audit",
        "INSERT INTO outbox (organisation, at, event, account) SELECT organisation, at, event, account FROM outbox",
        "INSERT INTO outbox (organisation, at, event, account) "
        "VALUES ('o', 0, 'account_activated_for_existing_customer', 'nobody')",
        "UPDATE customers SET account = NULL",
        "UPDATE accounts SET document = json_set(document, '$.user_products', json('[]'))",
    ],
)
async def test_halves_are_seen(tmp_path: Path, damage: str) -> None:
    url = f"sqlite:///{tmp_path / 'damaged.db'}"
    async with RunningService(url, tmp_path / "stamkund.key") as service:
        await (await service.publisher()).activated()
    assert await halves(url) == []
    with closing(sqlite3.connect(database_file(url), isolation_level=None)) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute(damage)
    assert await halves(url) != []
