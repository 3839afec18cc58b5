"""Invented accounts, and millions of them loaded into an empty database: the store's own documents and identifiers.

Loading goes past the store's verbs, which make every batch durable and, on SQLite, write it twice.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import sqlite3
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

from stamkund.rules import person_number
from stamkund.rules.account import Account, Address, ExternalId, MarketingPermission, UserProduct
from stamkund.rules.ids import new_id
from stamkund.settings import Settings
from stamkund.store.documents import Documents
from stamkund.store.work import BulkInsert
from stamkund.vault import Vault

ORGANISATION = "bench"
USER_PRODUCTS = 2
BATCH = 5_000
# The documents' own example; an invented reader has it, or has none, so that decryption is part of what is measured.
EXAMPLE_NUMBER = "800610-8230"

_FIVE_YEARS = 5 * 365 * 86_400
_ADDRESS = Address("Kalle", "Ankarström", "Storgatan", "12", "A", "3", "13", "83242", "Östersund", None, "SE")
_PERMISSION = MarketingPermission("5ba4a64509c04c5ab4000001", "sms")


def email(number: int) -> str:
    """As many digits for all, so that e-mails are in the order of the accounts, and loading appends to the index."""
    return f"user{number:07}@example.com"


def account(number: int, now: int, user_products: int = USER_PRODUCTS) -> Account:
    """An invented account of about 1.4 KB as JSON, with two user products."""
    started = now - number * 2_654_435_761 % _FIVE_YEARS
    return Account(
        id=new_id(now),
        email=email(number),
        status="active",
        verified=True,
        created=started,
        updated=started,
        customer_number=f"{1_000_000 + number}",
        tulo_customer_number=f"seed{number:07}",
        first_name="Kalle",
        last_name="Ankarström",
        mobile_phone_number="0701234567",
        birth_date=date(1980, 6, 10),
        social_security_number=person_number.parse(EXAMPLE_NUMBER, date(2026, 1, 1)) if number == 0 else None,
        alias=f"Kalle{number:07}",
        account_origin="DEMO",
        address=_ADDRESS,
        identity_mapping=[ExternalId("crm", f"crm-{number:07}"), ExternalId("app", f"app-{number:07}")],
        user_products=[_product(number, place, started, now) for place in range(user_products)],
        accepted_marketing_permissions=[_PERMISSION],
    )


def _product(number: int, place: int, started: int, now: int) -> UserProduct:
    return UserProduct(
        id=new_id(now),
        product_code=f"package_{place}",
        created=started,
        updated=started + 3600 * place,
        state="activated",
        valid_from=started,
        valid_to=now + 86_400 * (30 + number % 300),
        title_code="TITLE_CODE",
        order_id=f"BENCH-{number}-{place}",
        provision_service="tulo",
        subscription_type="recurring",
        subscription_number=f"{500_000 + number * 2 + place}",
    )


@dataclass(frozen=True)
class Population:
    """The accounts to be loaded. Account number n is row n + 1."""

    settings: Settings
    accounts: int
    user_products: int
    now: int

    @property
    def batches(self) -> Sequence[range]:
        return [range(n, min(n + BATCH, self.accounts)) for n in range(0, self.accounts, BATCH)]


Batch = tuple[BulkInsert, BulkInsert]
"""Accounts, and their identifiers in the order of their key."""


def made(population: Population, numbers: range) -> Batch:
    """The rows of these accounts."""
    documents = _documents(population.settings.key_file)
    rows = [(n + 1, account(n, population.now, population.user_products)) for n in numbers]
    keys = [(ORGANISATION, *key, row) for row, one in rows for key in documents.account_identifiers(ORGANISATION, one)]
    return (
        BulkInsert(
            "accounts",
            ("row", "organisation", "id", "status", "document"),
            [(row, ORGANISATION, one.id, one.status, documents.sealed_text(ORGANISATION, one)) for row, one in rows],
        ),
        BulkInsert("identifiers", ("organisation", "kind", "value", "account"), sorted(keys)),
    )


@cache
def _documents(key_file: str) -> Documents:
    return Documents(Vault(Path(key_file)))


def load(population: Population) -> None:
    """Loads the accounts into a database that has its schema, and that nobody has open."""
    processes = os.cpu_count() or 1
    # Without the garbage collector, which would walk over the rows again and again and double the time.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=gc.disable) as pool:
        if population.settings.sqlite:
            _load_sqlite(population, pool, processes)
        else:
            for part in [pool.submit(_load_postgres, population, n, processes) for n in range(processes)]:
                part.result()
            asyncio.run(_tidy_postgres(population.settings.database_url))


def _load_sqlite(population: Population, pool: Executor, processes: int) -> None:
    """The rows are made by the pool, and inserted here: SQLite has one writer."""
    connection = sqlite3.connect(population.settings.database_url.removeprefix("sqlite:///"), isolation_level=None)
    try:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -2000000", "locking_mode = EXCLUSIVE"):
            connection.execute(f"PRAGMA {pragma}")
        ahead: deque[Future[Batch]] = deque()
        for numbers in population.batches:
            ahead.append(pool.submit(made, population, numbers))
            if len(ahead) > 2 * processes:
                _insert(connection, ahead.popleft().result())
        while ahead:
            _insert(connection, ahead.popleft().result())
    finally:
        connection.close()


def _insert(connection: sqlite3.Connection, batch: Batch) -> None:
    connection.execute("BEGIN")
    for insert in batch:
        connection.executemany(insert.insert, insert.rows)
    connection.execute("COMMIT")


def _load_postgres(population: Population, part: int, parts: int) -> None:
    """Every `parts`th batch, by a connection of this process's own."""
    asyncio.run(_copy(population, population.batches[part::parts]))


async def _copy(population: Population, batches: Sequence[range]) -> None:
    connection = await asyncpg.connect(population.settings.database_url)
    try:
        await connection.execute("SET synchronous_commit = off")
        for numbers in batches:
            for insert in made(population, numbers):
                await connection.copy_records_to_table(insert.table, records=insert.rows, columns=insert.columns)
    finally:
        await connection.close()


async def _tidy_postgres(url: str) -> None:
    """Numbers new accounts from where the loaded ones end, and does what PostgreSQL does by itself after a while."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(url)
    try:
        sequence = "SELECT setval(pg_get_serial_sequence('accounts', 'row'), (SELECT max(row) FROM accounts))"
        await connection.execute(sequence)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
