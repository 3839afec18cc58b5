"""Fills an installation of ours with invented accounts and tokens, through the store's own documents and keys."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial

import asyncpg

from stamkund.identity.client_secrets import ClientSecrets
from stamkund.identity.tokens import token_digest
from stamkund.rules import person_number
from stamkund.rules.account import Account, Address, ExternalId, MarketingPermission, UserProduct
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client, Organisation, Secret, new_secret
from stamkund.settings import Settings
from stamkund.store import ACCESS, Issue, NewToken, Store
from stamkund.store.open import engine_for, migrate, open_installation
from stamkund.store.work import BulkInsert, Execute, Sql, Work

ORGANISATION = "bench"
BATCH = 5_000
SCOPES = ["/external/account/r", "/external/account/w", "/external/me/w"]
# The documents' own example; an invented reader has it, or has none, so that decryption is part of what is measured.
EXAMPLE_NUMBER = "800610-8230"


@dataclass(frozen=True)
class Seeded:
    """The tokens and keys of a benchmark's requests."""

    client_id: str
    client_secret: str
    system_token: str
    reader_tokens: list[str]
    emails: list[str]


def account(number: int, now: int) -> Account:
    """An invented account of about 1.5 KB as JSON, with two user products."""
    started = now - random.Random(number).randrange(5 * 365 * 86_400)
    return Account(
        id=new_id(now),
        email=f"user{number}@example.com",
        status="active",
        verified=True,
        created=started,
        updated=started,
        customer_number=str(1_000_000 + number),
        tulo_customer_number=f"seed{number}",
        first_name="Kalle",
        last_name="Ankarström",
        mobile_phone_number="0701234567",
        birth_date=date(1980, 6, 10),
        social_security_number=person_number.parse(EXAMPLE_NUMBER, date(2026, 1, 1)) if number == 0 else None,
        alias=f"Kalle{number}",
        account_origin="DEMO",
        address=Address("Kalle", "Ankarström", "Storgatan", "12", "A", "3", "13", "83242", "Östersund", None, "SE"),
        identity_mapping=[ExternalId("crm", f"crm-{number}"), ExternalId("app", f"app-{number}")],
        user_products=[_product(number, p, started, now) for p in range(2)],
        accepted_marketing_permissions=[MarketingPermission("5ba4a64509c04c5ab4000001", "sms")],
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
        subscription_number=str(500_000 + number * 2 + place),
    )


async def seed(settings: Settings, accounts: int, now: int, tokens: int = 1_000) -> Seeded:
    """Makes an organisation with a client, `accounts` accounts and reader tokens for some of them."""
    await _migrated(settings, now)
    installation = await open_installation(settings, lambda: now)
    store = installation.store
    try:
        await store.organisations.change(ORGANISATION, lambda _: Organisation(ORGANISATION, "Bench"))
        secret = new_secret()
        client = Client(
            new_id(now),
            ORGANISATION,
            "bench",
            now,
            SCOPES,
            [Secret(ClientSecrets(installation.vault).seal(secret), now)],
        )
        await store.clients.add(client)
        for first in range(0, accounts, BATCH):
            batch = range(first, min(first + BATCH, accounts))
            await store.engine.write(partial(_load, store, batch, now))
        await store.engine.write(_go_on_counting)
        chosen = random.Random(1).sample(range(accounts), min(tokens, accounts))
        new = [
            NewToken(token_digest(_token(n)), ACCESS, client.id, n + 1, " ".join(SCOPES), now, now + 10**8, "")
            for n in chosen
        ]
        system = NewToken(token_digest(b"system"), ACCESS, client.id, None, " ".join(SCOPES), now, now + 10**8, "")
        await store.tokens.add([system, *new], Issue(ORGANISATION, client.id, "bench", now))
        emails = [f"user{n}@example.com" for n in random.Random(2).choices(range(accounts), k=20_000)]
        await _tidied(settings.database_url)
        return Seeded(client.id, secret, "system", [_token(n).decode() for n in chosen], emails)
    finally:
        await installation.close()


def _go_on_counting() -> Work[None]:
    """PostgreSQL numbers new accounts from a sequence, which rows with numbers of their own have passed by."""
    sequence = "SELECT setval(pg_get_serial_sequence('accounts', 'row'), (SELECT max(row) FROM accounts))"
    yield Execute(Sql(sequence, sqlite="SELECT 1"))


async def _migrated(settings: Settings, now: int) -> None:
    engine = engine_for(settings.database_url)
    await engine.open()
    await migrate(engine, now)
    await engine.close()


def _token(number: int) -> bytes:
    return b"reader-%d" % number


def _load(store: Store, numbers: range, now: int) -> Work[None]:
    made = [(n + 1, account(n, now)) for n in numbers]
    text = store.documents.text
    yield BulkInsert(
        "accounts",
        ("row", "organisation", "id", "status", "document"),
        [(row, ORGANISATION, a.id, a.status, text(a)) for row, a in made],
    )
    keys: Iterator[tuple[str, str, str, int]] = (
        (ORGANISATION, *key, row) for row, a in made for key in store.documents.account_identifiers(a)
    )
    yield BulkInsert("identifiers", ("organisation", "kind", "value", "account"), sorted(keys))


async def _tidied(url: str) -> None:
    """PostgreSQL does this by itself after a while; the peers' tables are tidied too before they are measured."""
    if url.startswith("postgresql:"):
        connection = await asyncpg.connect(url)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()


def seed_now(settings: Settings, accounts: int, now: int) -> Seeded:
    return asyncio.run(seed(settings, accounts, now))
