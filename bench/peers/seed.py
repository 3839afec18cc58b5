"""Create the peers' tables and fill them with invented accounts and tokens.

Indexes are made after the rows, as any bulk load would. The same number gives the same account
every time, so that runs can be compared.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql as postgresql_dialect
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from bench import bulk_insert
from bench.peers import common, models

Row = tuple[object, ...]
Rows = Callable[[int], Iterator[Row]]

CLIENT_ID = "c" * 24
NEVER = datetime(2099, 1, 1, tzinfo=UTC)
FIRST_NAMES = ("Alva", "Birk", "Ceder", "Disa", "Eskil", "Freja", "Gorm", "Hilda", "Ivar", "Juni")
LAST_NAMES = ("Alkvist", "Björkdunge", "Dalstig", "Ekbacke", "Forsvik", "Granlid", "Höglänta", "Lindäng")
STREETS = ("Almgatan", "Bäckstigen", "Dungevägen", "Ekliden", "Fågelgränd")
CITIES = ("Påhittsberg", "Diktby", "Sagoköping", "Exempelstad")
NUMBERS = ("800610-8230", "620817-9256", "910820-5205", None)
"""Published example numbers only; the peers do not require them to be unique."""


def identifier(kind: int, number: int, part: int = 0) -> str:
    return f"{kind:02x}{part:02x}{number:020x}"


def _clients(_: int) -> Iterator[Row]:
    yield CLIENT_ID, "bench", common.token_digest("not used by the peers")


def _tokens(accounts: int) -> Iterator[Row]:
    scopes = f"{common.ACCOUNT_SCOPE} {common.ME_SCOPE}"
    yield common.token_digest(common.client_token()), CLIENT_ID, None, scopes, NEVER
    for number in range(common.IDENTITY_TOKENS):
        account = identifier(1, number % accounts)
        yield common.token_digest(common.identity_token(number)), CLIENT_ID, account, scopes, NEVER


def _accounts(accounts: int) -> Iterator[Row]:
    for number in range(accounts):
        pick = random.Random(number)
        social = pick.choice(NUMBERS)
        yield (
            identifier(1, number),
            common.email(number),
            "active",
            True,
            str(4_000_000 + number),
            str(9_000_000 + number),
            pick.choice(FIRST_NAMES),
            pick.choice(LAST_NAMES),
            f"+467017406{5 + number % 95:02}",  # numbers the regulator keeps for fiction
            social,
            "19" if social else None,
            date(1940, 1, 1) + timedelta(days=pick.randrange(24_000)),
            pick.choice(("female", "male")),
            None,
            None,
            f"alias{number}",
            "import",
        )


def _addresses(accounts: int) -> Iterator[Row]:
    for number in range(accounts):
        pick = random.Random(number)
        yield (
            identifier(2, number),
            identifier(1, number),
            pick.choice(FIRST_NAMES),
            pick.choice(LAST_NAMES),
            pick.choice(STREETS),
            str(pick.randrange(1, 120)),
            "A",
            "2",
            str(1001 + number % 900),
            f"{10_000 + number % 89_999}",
            pick.choice(CITIES),
            None,
            "SE",
        )


def _user_products(accounts: int) -> Iterator[Row]:
    start = datetime(2023, 1, 1, 8, 30, tzinfo=UTC)
    for number in range(accounts):
        for part in range(2):
            created = start + timedelta(minutes=number * 7 % 1_000_000, days=part)
            yield (
                identifier(3, number, part),
                identifier(1, number),
                created,
                created + timedelta(hours=5),
                ("paper_daily", "web_plus")[part],
                "exempelbladet",
                created,
                None if part else NEVER,
                "tulo",
                "subscription",
                str(7_000_000 + number * 2 + part),
                identifier(9, number, part),
                "active",
                False,
                None,
                created + timedelta(days=365),
            )


def _identity_mappings(accounts: int) -> Iterator[Row]:
    for number in range(accounts):
        yield identifier(4, number, 0), identifier(1, number), "crm", f"crm-{number}"
        yield identifier(4, number, 1), identifier(1, number), "newsletter", f"nl-{number}"


def _permissions(accounts: int) -> Iterator[Row]:
    for number in range(accounts):
        yield identifier(5, number), identifier(1, number), "email"


SOURCES: dict[type[models.Base], Rows] = {
    models.Client: _clients,
    models.Account: _accounts,
    models.Token: _tokens,
    models.Address: _addresses,
    models.UserProduct: _user_products,
    models.IdentityMapping: _identity_mappings,
    models.MarketingPermission: _permissions,
}


def _tables() -> list[tuple[Table, Rows]]:
    """Return the tables in the order foreign keys need."""
    by_name = {kind.__tablename__: rows for kind, rows in SOURCES.items()}
    return [(table, by_name[table.name]) for table in models.Base.metadata.sorted_tables]


def _indexes(dialect: Any) -> str:
    indexes = (index for table, _ in _tables() for index in sorted(table.indexes, key=lambda each: str(each.name)))
    return ";\n".join(str(CreateIndex(index).compile(dialect=dialect)) for index in indexes)


def _as_sqlite(value: object) -> object:
    """Write dates the way SQLAlchemy reads them: UTC without a zone."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value.isoformat() if isinstance(value, date) else value


def _seed_sqlite(path: str, accounts: int) -> bulk_insert.Result:
    for suffix in ("", "-wal", "-shm"):
        Path(path + suffix).unlink(missing_ok=True)
    dialect = sqlite_dialect.dialect()
    plan: list[bulk_insert.SqliteTable] = []
    for table, rows in _tables():
        marks = ", ".join("?" * len(table.columns))
        converted = (tuple(map(_as_sqlite, row)) for row in rows(accounts))
        create = str(CreateTable(table).compile(dialect=dialect))
        plan.append((create, f"INSERT INTO {table.name} VALUES ({marks})", converted))
    result = bulk_insert.sqlite(path, plan)
    connection = sqlite3.connect(path)
    connection.executescript(_indexes(dialect) + ";\nANALYZE;")
    connection.close()
    return result


def _seed_postgres(url: str, accounts: int) -> bulk_insert.Result:
    dialect = postgresql_dialect.dialect()
    plan: list[bulk_insert.PostgresTable] = []
    for table, rows in _tables():
        create = f"DROP TABLE IF EXISTS {table.name} CASCADE; {CreateTable(table).compile(dialect=dialect)}"
        columns: Sequence[str] = [column.name for column in table.columns]
        plan.append((create, table.name, columns, rows(accounts)))
    result = bulk_insert.postgres(url, plan)
    asyncio.run(_finish_postgres(url, _indexes(dialect)))
    return result


async def _finish_postgres(url: str, indexes: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(indexes)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def seed(url: str, accounts: int) -> bulk_insert.Result:
    """Replace the peers' tables in the database at `url` by `accounts` invented accounts."""
    if url.startswith("sqlite:///"):
        return _seed_sqlite(url.removeprefix("sqlite:///"), accounts)
    return _seed_postgres(url, accounts)


def main() -> None:
    """Seed DATABASE_URL."""
    parser = argparse.ArgumentParser(description="Seed the peers' database at DATABASE_URL")
    parser.add_argument("--accounts", type=int, default=10_000)
    result = seed(common.database_url(), parser.parse_args().accounts)
    print(f"{result.rows} rows in {result.seconds:.1f} s")


if __name__ == "__main__":
    main()
