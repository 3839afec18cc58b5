"""Fills an installation of ours with an organisation, a client, invented accounts, and tokens for some of them."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from bench import accounts
from bench.accounts import ORGANISATION, USER_PRODUCTS, email
from stamkund.identity.client_secrets import ClientSecrets
from stamkund.identity.tokens import token_digest
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client, Organisation, Secret, new_secret
from stamkund.settings import Settings
from stamkund.store import ACCESS, Issue, NewToken
from stamkund.store.open import Installation, engine_for, migrate, open_installation

SCOPES = ["/external/account/r", "/external/account/w", "/external/me/w"]
KEYS = 10_000
"""How many different accounts the requests are about, at most."""


@dataclass(frozen=True)
class Seeded:
    """The tokens and keys of a benchmark's requests."""

    client_id: str
    client_secret: str
    system_token: str
    reader_tokens: list[str]
    emails: list[str]


def seed(
    settings: Settings, count: int, now: int, *, tokens: int = 1_000, user_products: int = USER_PRODUCTS
) -> Seeded:
    """Makes an organisation with a client, `count` accounts and reader tokens for some of them."""
    client, secret = asyncio.run(_prepare(settings, now))
    accounts.load(accounts.Population(settings, count, user_products, now))
    chosen = random.Random(1).sample(range(count), min(tokens, count))
    asyncio.run(_add_tokens(settings, client, chosen, now))
    emails = [email(number) for number in random.Random(2).sample(range(count), min(KEYS, count))]
    return Seeded(client, secret, "system", [_token(number).decode() for number in chosen], emails)


async def _prepare(settings: Settings, now: int) -> tuple[str, str]:
    """Makes the schema, the organisation and its client; returns the client's id and secret."""
    engine = engine_for(settings.database_url)
    await engine.open()
    await migrate(engine, now)
    await engine.close()
    installation = await open_installation(settings, lambda: now)
    try:
        store, secret = installation.store, new_secret()
        await store.organisations.change(ORGANISATION, lambda _: Organisation(ORGANISATION, "Bench"))
        client = _client(installation, secret, now)
        await store.clients.add(client)
        return client.id, secret
    finally:
        await installation.close()


def _client(installation: Installation, secret: str, now: int) -> Client:
    client = Client(new_id(now), ORGANISATION, "bench", now, SCOPES, [])
    client.secrets = [Secret(ClientSecrets(installation.vault).seal(client, secret), now)]
    return client


async def _add_tokens(settings: Settings, client: str, numbers: list[int], now: int) -> None:
    """Adds a token for each of these accounts, and one without an account."""
    owners = [(b"system", None), *((_token(number), number + 1) for number in numbers)]
    scopes, expires = " ".join(SCOPES), now + 10**8
    new = [NewToken(token_digest(text), ACCESS, client, row, scopes, now, expires, "") for text, row in owners]
    installation = await open_installation(settings, lambda: now)
    try:
        await installation.store.tokens.add(new, Issue(ORGANISATION, client, "bench", now))
    finally:
        await installation.close()


def _token(number: int) -> bytes:
    return b"reader-%d" % number
