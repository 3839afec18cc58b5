"""Stores without HTTP: two on one database, as two processes would have, and a fresh organisation for each test."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from stamkund import store as stores
from stamkund.caller import token_hash
from stamkund.rules import identifiers
from stamkund.rules.account import Account
from stamkund.rules.customer import Customer, account_of
from stamkund.rules.identifiers import Identifier
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client, Organisation
from stamkund.store import ACCESS, Candidate, Issue, NewToken, Opened, Outcome, Store, Wanted
from stamkund.store.work import Ask, Row, Sql, Work
from tests.support.postgres_server import PostgresServer
from tests.support.stage import NOW, customer

DAY = 86_400
_counter = itertools.count(1)


@dataclass
class House:
    """One organisation in a store, and short ways to what these tests need of it."""

    store: Store
    other: Store
    organisation: Organisation
    client: Client
    tokens: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def id(self) -> str:
        return self.organisation.id

    async def customer(self, number: str = "1", **fields: Any) -> Customer:
        made = customer(number, NOW, **{"social_security_number": None, **fields})
        outcome = await self.put(made)
        assert not outcome.rejected, outcome
        return made

    async def put(self, *made: Customer, dry_run: bool = False) -> Outcome:
        wanted = [Wanted(c.customer_number, lambda _, c=c: c) for c in made]  # type: ignore[misc]
        return await self.store.put_customers(self.id, wanted, NOW, dry_run=dry_run)

    async def activate(
        self, made: Customer, email: str = "a@example.com", *, store: Store | None = None, **fields: Any
    ) -> tuple[int, str]:
        """Activates as it stands, with whatever fields the account is to have."""

        def account(known: Customer) -> Account:
            account = account_of(known, email, NOW)
            for name, value in fields.items():
                setattr(account, name, value)
            return account

        return await (store or self.store).activate(self.id, made.id, account, "hash", self.client.id, NOW)

    def issue(self, grant: str = "none") -> Issue:
        return Issue(self.id, self.client.id, grant, NOW)

    async def token(self, account: int | None = None, **fields: Any) -> bytes:
        """The hash of a new token."""
        made = token_hash(f"{self.client.id} {next(self.tokens)}".encode())
        values = {"kind": ACCESS, "scopes": "/external/account/r", "expires": NOW + DAY, "family": "f", **fields}
        new = NewToken(hash=made, client=self.client.id, account=account, created=NOW, **values)
        await self.store.tokens.add([new], self.issue())
        return made

    async def find(self, kind: str, value: str, *, store: Store | None = None) -> Account | None:
        """The account with an identifier, found as a call finds it."""
        opened = await (store or self.store).opened(await self.token(), Identifier(kind, value))
        assert opened is not None
        return self.account(opened)

    def account(self, opened: Opened) -> Account | None:
        return None if opened.document is None else self.store.account(opened.document)

    async def candidate(self, customer_number: str = "1", **more: Any) -> Candidate | None:
        asked = [Identifier(identifiers.CUSTOMER_NUMBER, customer_number)]
        return await self.store.find_candidate(self.id, asked, **more)

    async def count(self, table: str) -> int:
        """Rows of this organisation in a table."""
        rows = await self.rows(f"SELECT count(*) FROM {table} WHERE organisation = $1", self.id)
        return int(rows[0][0])

    async def rows(self, sql: str, *values: Any) -> list[Row]:
        def work() -> Work[list[Row]]:
            return (yield Ask(Sql(sql), values))

        return await self.store.engine.read(work)


async def house_in(store: Store, other: Store) -> House:
    name = f"house-{next(_counter)}"
    organisation = Organisation(name, name.title())
    await store.change_organisation(name, lambda _: organisation)
    client = Client(new_id(NOW), name, "Test", NOW, ["/external/account/r"], [])
    await store.add_client(client)
    return House(store, other, organisation, client)


async def opened_store(url: str, key_file: Path) -> Store:
    engine = stores.engine_for(url)
    await engine.open()
    await stores.migrate(engine, NOW)
    return Store(engine, await stores.vault_for(engine, key_file, NOW))


@pytest.fixture(scope="session")
async def pair(
    engine_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Store, Store]]:
    """Two stores on one database, which all tests of the store share."""
    folder = tmp_path_factory.mktemp("pair")
    url = f"sqlite:///{folder / 'stamkund.db'}"
    if engine_name == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database("pair")
    made = [await opened_store(url, folder / "stamkund.key") for _ in range(2)]
    yield made[0], made[1]
    await asyncio.gather(*(store.engine.close() for store in made))


@pytest.fixture
async def house(pair: tuple[Store, Store]) -> House:
    return await house_in(*pair)


@pytest.fixture
async def neighbour(pair: tuple[Store, Store]) -> House:
    """Another organisation in the same database."""
    return await house_in(*pair)
