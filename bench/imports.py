"""Imports: `stamkund import customers` beside a bare bulk insert of the same rows and keys into the same engine.

Also the same file again, and a million customers: how long they take, and how much memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg
import psutil
from tests.support.postgres_server import PostgresServer

from bench import bulk_insert
from bench.ours import STAMKUND
from bench.report import Line, Report

CUSTOMERS = 200_000
MANY = 1_000_000
ROUNDS = 3
LOOK_SECONDS = 0.3
TABLES = {
    "customers": ("row", "organisation", "account", "document"),
    "customer_identifiers": ("organisation", "kind", "value", "customer"),
}
# As the file had them: a table in the order of its own key would be inserted faster than anybody's data comes.
ORDER = {"customers": "row", "customer_identifiers": "customer"}


def run(report: Report, folder: Path, postgres: PostgresServer) -> None:
    file, many = folder / "customers.jsonl", folder / "many.jsonl"
    _write(file, CUSTOMERS)
    _write(many, MANY)
    for engine in ("sqlite", "postgres"):
        rounds = [_round(engine, number, folder, postgres, file) for number in range(ROUNDS)]
        bare, ours, again = (median(seconds) for seconds in zip(*rounds, strict=True))
        report.add(
            Line(
                f"import of {CUSTOMERS:,} customers with two subscriptions, {engine}, of a bare bulk insert",
                bare / ours,
                0.45,
                f"bare {CUSTOMERS / bare:,.0f} customers/s; ours {CUSTOMERS / ours:,.0f}/s",
            )
        )
        report.add(
            Line(
                f"import of the same {CUSTOMERS:,} customers again, {engine}, of the bare bulk insert",
                bare / again,
                0.35,
                f"bare {CUSTOMERS / bare:,.0f} customers/s; ours, unchanged {CUSTOMERS / again:,.0f}/s",
            )
        )
        _, small = _import_watched(_target(engine, "few", folder, postgres), file)
        seconds, large = _import_watched(_target(engine, "many", folder, postgres), many)
        report.add(
            Line(
                f"seconds to import {MANY:,} customers with two subscriptions each, {engine}",
                seconds,
                90,
                f"{MANY / seconds:,.0f} customers/s",
                most=True,
            )
        )
        report.add(
            Line(
                f"memory for {MANY:,} customers, {engine}, times that for {CUSTOMERS:,}",
                large / small,
                1.25,
                f"both processes: {small:.0f} and {large:.0f} MiB",
                most=True,
            )
        )


@dataclass(frozen=True)
class Target:
    """Where an import goes."""

    url: str
    key_file: Path

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"STAMKUND_DATABASE_URL": self.url, "STAMKUND_KEY_FILE": str(self.key_file)}


def _target(engine: str, name: str, folder: Path, postgres: PostgresServer) -> Target:
    """An empty database with an organisation."""
    name = f"{engine}_{name}"
    url = f"sqlite:///{folder / name}.db" if engine == "sqlite" else postgres.create_database(name)
    target = Target(url, folder / f"{name}.key")
    command = [*STAMKUND, "init", "--organisation", "bench"]
    subprocess.run(command, env=target.environment, check=True, capture_output=True)
    return target


def _round(engine: str, number: int, folder: Path, postgres: PostgresServer, file: Path) -> tuple[float, float, float]:
    """Seconds of a bare insert of the rows that the import made, of the import itself, and of the same again."""
    target = _target(engine, str(number), folder, postgres)
    ours = _import(target, file)
    if engine == "sqlite":
        path = folder / f"{engine}_{number}.db"
        bare = _bare_sqlite(path, path.with_name(f"{number}-bare.db"))
    else:
        bare = asyncio.run(_bare_postgres(target.url, postgres.create_database(f"{engine}_{number}_bare")))
    return bare, ours, _import(target, file)


def _import(target: Target, file: Path) -> float:
    """Seconds of an import."""
    started = time.perf_counter()
    subprocess.run(_command(file), env=target.environment, check=True, capture_output=True)
    return time.perf_counter() - started


def _import_watched(target: Target, file: Path) -> tuple[float, float]:
    """Seconds of an import, and the most memory that its processes have together, in MiB.

    Looking takes time of its own, so it is done seldom in a long import.
    """
    started = time.perf_counter()
    process = psutil.Popen(_command(file), env=target.environment, stdout=subprocess.DEVNULL)
    most = 0
    while True:
        with suppress(psutil.Error):  # it has just ended
            most = max(most, sum(_own_bytes(one) for one in (process, *process.children())))
        try:
            status = process.wait(LOOK_SECONDS)
        except psutil.TimeoutExpired:
            continue
        assert status == 0, status
        return time.perf_counter() - started, most / (1 << 20)


def _own_bytes(process: psutil.Process) -> int:
    """The memory of a process without that of mapped files: the pages of SQLite's database can be dropped any time."""
    memory = process.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


def _command(file: Path) -> list[str]:
    return [*STAMKUND, "import", "customers", str(file), "--organisation", "bench", "--json"]


_KEY_OF_IDENTIFIERS = (
    "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'customer_identifiers'::regclass "
    "AND contype = 'p'"
)


def _bare_sqlite(source: Path, target: Path) -> float:
    database = sqlite3.connect(source)
    tables = []
    for name, columns in TABLES.items():
        (create,) = database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        rows = database.execute(f"SELECT {', '.join(columns)} FROM {name} ORDER BY {ORDER[name]}").fetchall()
        marks = ", ".join("?" * len(columns))
        tables.append((create, f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", rows))
    return bulk_insert.sqlite(str(target), tables).seconds


async def _bare_postgres(source: str, target: str) -> float:
    connection = await asyncpg.connect(source)
    rows: dict[str, list[asyncpg.Record]] = {
        name: await connection.fetch(f"SELECT {', '.join(columns)} FROM {name} ORDER BY {ORDER[name]}")
        for name, columns in TABLES.items()
    }
    key = await connection.fetchval(_KEY_OF_IDENTIFIERS)
    await connection.close()
    creates = {
        "customers": "CREATE TABLE customers (row bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "
        "organisation text NOT NULL, account bigint, document text NOT NULL)",
        "customer_identifiers": "CREATE TABLE customer_identifiers (organisation text NOT NULL, kind text NOT NULL, "
        f"value text NOT NULL, customer bigint NOT NULL, {key})",
    }
    tables: list[bulk_insert.PostgresTable] = [
        (creates[n], n, TABLES[n], [tuple(row) for row in rows[n]]) for n in TABLES
    ]
    return (await asyncio.to_thread(bulk_insert.postgres, target, tables)).seconds


def _write(file: Path, count: int) -> None:
    """Invented customers, two subscriptions each, no social security numbers."""
    with file.open("w") as lines:
        lines.writelines(_lines(count))


def _lines(count: int) -> Iterable[str]:
    for number in range(count):
        subscriptions = [
            {
                "package_code": f"package_{place}",
                "title_code": "TITLE",
                "valid_from": "2024-03-01",
                "valid_to": "2031-03-01",
                "subscription_number": str(number * 2 + place),
                "subscription_type": "recurring",
                "provision_service": "kayak",
            }
            for place in range(2)
        ]
        customer = {
            "customer_number": str(1_000_000 + number),
            "email": f"user{number}@example.com",
            "first_name": "Kalle",
            "last_name": "Ankarström",
            "mobile_phone_number": "0701234567",
            "zip_code": "83242",
            "birth_date": "1980-06-10",
            "address": {"street": "Storgatan", "street_number": "12", "zip_code": "83242", "city": "Östersund"},
            "subscriptions": subscriptions,
        }
        yield json.dumps(customer, ensure_ascii=False) + "\n"
