"""A publisher on each engine: an organisation of its own in a store that all tests share, and a folder for files."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from stamkund.importing import BadRow, Remark, Report, Summary, import_customers
from stamkund.rules import identifiers
from stamkund.rules.account import Account
from stamkund.rules.customer import Customer, account_of
from stamkund.rules.identifiers import Identifier
from stamkund.rules.organisation import Organisation
from stamkund.store import Store
from stamkund.store import open as opening
from stamkund.store.open import Installation
from stamkund.vault import Vault
from tests.support.postgres_server import PostgresServer

NOW = 1_760_000_000  # 9 October 2025
_numbers = itertools.count(1)


@dataclass
class Publisher:
    """What a test does with an import, in few words."""

    store: Store
    vault: Vault
    folder: Path
    organisation: Organisation
    progress: list[tuple[int, int]] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    """Those of the latest import, as are the next."""
    missing: list[str] = field(default_factory=list)

    def file(self, name: str, content: str | bytes | list[Any]) -> Path:
        """A file of this content; a list becomes JSON Lines."""
        if isinstance(content, list):
            content = "".join(json.dumps(row) + "\n" for row in content)
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    async def read(
        self, path: Path, subscriptions: Path | None = None, *, now: int = NOW, dry_run: bool = False, **options: Any
    ) -> tuple[Summary, list[BadRow]]:
        """Imports files; returns the summary and the rejected rows."""
        bad: list[BadRow] = []
        self.remarks, self.missing = [], []

        def report(one: Report) -> None:
            if isinstance(one, BadRow):
                bad.append(one)
            elif isinstance(one, Remark):
                self.remarks.append(one)
            else:
                self.missing.append(one.customer_number)

        summary = await import_customers(
            self.store,
            self.organisation,
            path,
            subscriptions,
            now=now,
            dry_run=dry_run,
            report=report,
            progress=lambda done, rows: self.progress.append((done, rows)),
            **options,
        )
        return summary, bad

    async def rows(self, *rows: Any, **options: Any) -> tuple[Summary, list[BadRow]]:
        """Imports JSON Lines of these rows."""
        return await self.read(self.file("rows.jsonl", list(rows)), **options)

    async def csv(
        self, content: str | bytes, subscriptions: str | None = None, **options: Any
    ) -> tuple[Summary, list[BadRow]]:
        second = None if subscriptions is None else self.file("subscriptions.csv", subscriptions)
        return await self.read(self.file("rows.csv", content), second, **options)

    async def customer(self, number: str) -> Customer | None:
        return await self.find(Identifier(identifiers.CUSTOMER_NUMBER, number))

    async def existing_customer(self, number: str) -> Customer:
        customer = await self.customer(number)
        assert customer is not None
        return customer

    async def find(self, identifier: Identifier) -> Customer | None:
        candidate = await self.store.candidates.find(self.organisation.id, [identifier])
        return None if candidate is None else candidate.customer

    async def activate(self, number: str, email: str = "ove.ovesson@example.com") -> None:
        customer = await self.existing_customer(number)
        await self.store.accounts.activate(
            self.organisation.id, customer.id, lambda fresh: account_of(fresh, email, NOW), "hash", "client", NOW
        )

    async def products(self, email: str = "ove.ovesson@example.com") -> list[str]:
        """The codes of the user products that have not ended."""
        return [p.product_code for p in (await self.account(email)).user_products if p.state != "deactivated"]

    async def account(self, email: str = "ove.ovesson@example.com") -> Account:
        login = await self.store.logins.find(self.organisation.id, identifiers.email(email))
        assert login is not None and login.account is not None
        return login.account


async def new_installation(url: str, folder: Path) -> Installation:
    engine = opening.engine_for(url)
    await engine.open()
    await opening.migrate(engine, NOW)
    vault = await opening.vault_for(engine, folder / "stamkund.key", NOW)
    return Installation(Store(engine, vault), vault)


@pytest.fixture(scope="session")
async def installation(
    engine_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    folder = tmp_path_factory.mktemp("store")
    if engine_name == "sqlite":
        made = await new_installation(f"sqlite:///{folder}/stamkund.db", folder)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        made = await new_installation(server.new_database("importing"), folder)
    yield made
    await made.close()


@pytest.fixture
def store(installation: Installation) -> Store:
    return installation.store


@pytest.fixture
def publisher(installation: Installation, tmp_path: Path) -> Publisher:
    return Publisher(
        installation.store, installation.vault, tmp_path, Organisation(f"paper-{next(_numbers)}", "The Paper")
    )
