"""On PostgreSQL a look-up by identifier reads its key, and nothing else of the table (docs/decisions/0018)."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from tests.support.postgres_server import PostgresServer
from tests.support.service import open_new


@pytest.mark.parametrize(("table", "row"), [("identifiers", "account"), ("customer_identifiers", "customer")])
async def test_a_key_holds_the_row_that_it_leads_to(
    postgres: PostgresServer, tmp_path: Path, table: str, row: str
) -> None:
    url = postgres.new_database("keys")
    await (await open_new(url, tmp_path / "a.key")).close()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            f"INSERT INTO {table} (organisation, kind, value, {row}) "
            "SELECT 'o', 'email', 'a' || n || '@example.com', n FROM generate_series(1, 10000) AS n"
        )
        await connection.execute(f"VACUUM ANALYZE {table}")
        condition = "organisation = 'o' AND kind = 'email' AND value = 'a1@example.com'"
        plan = await connection.fetchval(f"EXPLAIN SELECT {row} FROM {table} WHERE {condition}")
    finally:
        await connection.close()
    assert plan.startswith(f"Index Only Scan using {table}_pkey on {table}")
