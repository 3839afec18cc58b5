"""Stores without HTTP: two on one database, as two processes would have, and a fresh organisation for each test."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from stamkund.identity.tokens import token_digest
from stamkund.rules import identifiers
from stamkund.rules.account import Account
from stamkund.rules.customer import Customer, account_of
from stamkund.rules.identifiers import Identifier
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client, Organisation
from stamkund.store import ACCESS, AuthenticatedToken, BatchResult, Candidate, Issue, NewToken, Store
from stamkund.store.open import Installation
from stamkund.store.work import Execute, Row, Sql, Work
from stamkund.vault import Vault
from tests.support.postgres_server import PostgresServer
from tests.support.service import NOW, customer, open_new, replacement

DAY = 86_400
_counter = itertools.count(1)


@dataclass
class StoredOrganisation:
    """A newspaper: one organisation in a store, and short ways to what the tests of the store need."""

    store: Store
    other: Store
    vault: Vault
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

    async def put(self, *made: Customer, dry_run: bool = False) -> BatchResult:
        changes = [replacement(customer) for customer in made]
        return await self.store.customers.put(self.id, changes, NOW, dry_run=dry_run)

    async def activate(
        self, made: Customer, email: str = "a@example.com", *, store: Store | None = None, **fields: Any
    ) -> tuple[int, str]:
        """Activates as it stands, with whatever fields the account is to have."""

        def account(stored: Customer) -> Account:
            account = account_of(stored, email, NOW)
            for name, value in fields.items():
                setattr(account, name, value)
            return account

        return await (store or self.store).accounts.activate(self.id, made.id, account, "hash", self.client.id, NOW)

    def issue(self, grant: str = "none") -> Issue:
        return Issue(self.id, self.client.id, grant, NOW)

    async def token(self, account: int | None = None, **fields: Any) -> bytes:
        """The hash of a new token."""
        made = token_digest(f"{self.client.id} {next(self.tokens)}".encode())
        values = {"kind": ACCESS, "scopes": "/external/account/r", "expires": NOW + DAY, "family": "f", **fields}
        new = NewToken(digest=made, client=self.client.id, account=account, created=NOW, **values)
        await self.store.tokens.add([new], self.issue())
        return made

    async def find(self, kind: str, value: str, *, store: Store | None = None) -> Account | None:
        """The account with an identifier, found as a call finds it."""
        token = await (store or self.store).tokens.authenticate(await self.token(), Identifier(kind, value))
        assert token is not None
        return self.account(token)

    def account(self, token: AuthenticatedToken) -> Account | None:
        return None if token.document is None else self.store.documents.account(self.id, token.document)

    async def candidate(self, customer_number: str = "1", **more: Any) -> Candidate | None:
        identifiers_sent = [Identifier(identifiers.CUSTOMER_NUMBER, customer_number)]
        return await self.store.candidates.find(self.id, identifiers_sent, **more)

    async def deactivate(self, row: int) -> None:
        """Makes an account inactive, past the product, as no call does yet."""

        def work() -> Work[None]:
            yield Execute(Sql("UPDATE accounts SET status = 'inactive' WHERE row = $1"), (row,))

        await self.store.engine.write(work)

    async def count(self, table: str) -> int:
        """Rows of this organisation in a table."""
        rows = await self.rows(f"SELECT count(*) AS number FROM {table} WHERE organisation = $1", self.id)
        return int(rows[0]["number"])

    async def rows(self, sql: str, *values: Any) -> list[Row]:
        def work() -> Work[list[Row]]:
            return (yield Execute(Sql(sql), values))

        return await self.store.engine.read(work)


async def new_paper(installation: Installation, other: Installation) -> StoredOrganisation:
    store = installation.store
    name = f"paper-{next(_counter)}"
    organisation = Organisation(name, name.title())
    await store.organisations.change(name, lambda _: organisation)
    client = Client(new_id(NOW), name, "Test", NOW, ["/external/account/r"], [])
    await store.clients.add(client)
    return StoredOrganisation(store, other.store, installation.vault, organisation, client)


@pytest.fixture(scope="session")
async def pair(
    engine_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Installation, Installation]]:
    """Two stores on one database, which all tests of the store share."""
    folder = tmp_path_factory.mktemp("pair")
    url = f"sqlite:///{folder / 'stamkund.db'}"
    if engine_name == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database("pair")
    made = [await open_new(url, folder / "stamkund.key") for _ in range(2)]
    yield made[0], made[1]
    await asyncio.gather(*(installation.close() for installation in made))


@pytest.fixture
async def paper(pair: tuple[Installation, Installation]) -> StoredOrganisation:
    return await new_paper(*pair)


@pytest.fixture
async def neighbour(pair: tuple[Installation, Installation]) -> StoredOrganisation:
    """Another organisation in the same database."""
    return await new_paper(*pair)
