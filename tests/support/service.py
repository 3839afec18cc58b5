"""A running Stamkund for tests: the real application behind a real HTTP server, on a real database.

A `RunningService` serves one engine from a thread of this process, with a clock that tests can set. Each test makes its
own `Publisher` (an organisation with a client), so tests share a server without sharing data.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn

from stamkund.identity.client_secrets import ClientSecrets
from stamkund.rules import person_number
from stamkund.rules.account import Address
from stamkund.rules.customer import Customer, Subscription
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client, Organisation, Secret, new_secret
from stamkund.server import jobs
from stamkund.server.app import Application
from stamkund.server.process import PROTOCOL
from stamkund.settings import Settings
from stamkund.store import CustomerChange, Store
from stamkund.store import open as opening
from stamkund.store.open import Installation, open_installation
from stamkund.vault import Vault

NOW = int(datetime(2026, 1, 15, 12, 0, tzinfo=UTC).timestamp())
SCOPES = ("/external/account/r", "/external/account/w", "/external/me/w")
# Weak on purpose: these tests are about everything but the hash.
QUICK_HASHING = {"argon2_memory_kib": 8, "argon2_passes": 1}

_counter = itertools.count(1)


class TestClock:
    """A clock that stands still until a test moves it."""

    __test__ = False

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now

    @contextmanager
    def at(self, timestamp: int) -> Iterator[None]:
        before, self.now = self.now, timestamp
        try:
            yield
        finally:
            self.now = before


class RunningService:
    """One running application. Use as an async context manager."""

    def __init__(self, url: str, key_file: Path, **settings: Any) -> None:
        self.settings = Settings(
            database_url=url, key_file=str(key_file), log_level="info", **{**QUICK_HASHING, **settings}
        )
        self.clock = TestClock()
        self.store: Store
        self.vault: Vault
        self.client_secrets: ClientSecrets
        self.url = ""
        self.http: httpx.AsyncClient

    async def __aenter__(self) -> RunningService:
        await migrated(self.settings)
        installation = await open_installation(self.settings, self.clock)
        self.store, self.vault = installation.store, installation.vault
        self.client_secrets = ClientSecrets(self.vault)
        # With the protocol named, asyncio switches Nagle's algorithm off: else every response waits 40 ms for an ACK.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        if not self.settings.public_url:
            self.settings = msgspec.structs.replace(self.settings, public_url=self.url)
        config = uvicorn.Config(
            Application(self.settings, self.clock),
            log_level="error",
            timeout_keep_alive=600,  # tests share connections; one that closes while it is used fails a test
            **PROTOCOL,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([listening])))
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the application did not start")
            await asyncio.sleep(0.01)
        self.http = httpx.AsyncClient(base_url=self.url, timeout=30)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        self._server.should_exit = True
        await asyncio.to_thread(self._thread.join)
        await self.store.engine.close()

    def connections(self) -> set[Any]:
        """The server's ends of the connections that are open."""
        return set(self._server.server_state.connections)

    async def publisher(self, **changes: Any) -> Publisher:
        """A new organisation with a client that has every scope of the four calls."""
        name = f"org-{next(_counter)}"
        organisation = Organisation(name, name.title(), **changes)
        await self.store.organisations.change(name, lambda _: organisation)
        publisher = Publisher(self, organisation)
        publisher.client, publisher.secret = await publisher.new_client(*SCOPES)
        return publisher


@asynccontextmanager
async def applications(url: str, key_file: Path, workers: int, **settings: Any) -> AsyncIterator[list[RunningService]]:
    """As many applications on one database as there are workers, with one clock, which stands still.

    What may come again "at once" does so here however long the machine takes.
    """
    services = [RunningService(url, key_file, workers=workers, **settings) for _ in range(workers)]
    async with AsyncExitStack() as stack:
        for service in services:
            service.clock = services[0].clock
            await stack.enter_async_context(service)
        yield services


@asynccontextmanager
async def publisher_of_two(
    url: str, key_file: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> AsyncIterator[tuple[Publisher, Publisher]]:
    """One organisation and client at two applications, which share their counts twenty times a second."""
    monkeypatch.setattr(jobs, "_SHARE_SECONDS", 0.05)
    async with applications(url, key_file, 2, **settings) as (first, second):
        publisher = await first.publisher()
        other = Publisher(second, publisher.organisation)
        other.client, other.secret = publisher.client, publisher.secret
        yield publisher, other


async def migrated(settings: Settings) -> None:
    """Brings a database up to date, as `stamkund migrate` does."""
    await opening.migrate_database(settings, lambda: NOW)


async def open_new(url: str, key_file: Path) -> Installation:
    engine = opening.engine_for(url)
    await engine.open()
    await opening.migrate(engine, NOW)
    vault = await opening.vault_for(engine, key_file, NOW)
    return Installation(Store(engine, vault), vault)


@dataclass
class Publisher:
    """An organisation with a client, and short ways to what tests need of it."""

    service: RunningService
    organisation: Organisation
    client: Client = field(init=False)
    secret: str = field(init=False)
    _token: str | None = None

    @property
    def id(self) -> str:
        return self.organisation.id

    async def new_client(self, *scopes: str, **flags: Any) -> tuple[Client, str]:
        secret, now = new_secret(), self.service.clock()
        client = Client(new_id(now), self.id, "Test", now, list(scopes), [], **flags)
        client.secrets = [Secret(self.service.client_secrets.seal(client, secret), now)]
        await self.service.store.clients.add(client)
        return client, secret

    async def customer(self, number: str = "100001", **fields: Any) -> Customer:
        """Imports one customer; without fields it is the documents' Ove Ovesson with one subscription."""
        made = customer(number, self.service.clock(), **fields)
        outcome = await self.service.store.customers.put(self.id, [replacement(made)], made.created)
        assert not outcome.rejected, outcome
        return made

    async def token(self, *scopes: str, client: Client | None = None, secret: str | None = None) -> str:
        """A token without identity, with all of the client's scopes unless some are named."""
        response = await self.grant("none", scope=" ".join(scopes), client=client, secret=secret)
        assert response.status_code == 200, response.text
        return str(response.json()["access_token"])

    async def reader_token(self, email: str, password: str = "Df7Vdd8!!vnM", **more: Any) -> str:
        response = await self.grant("password", username=f"{self.id}^{email}", password=password, **more)
        assert response.status_code == 200, response.text
        return str(response.json()["access_token"])

    async def grant(
        self, grant_type: str, client: Client | None = None, secret: str | None = None, **fields: str
    ) -> httpx.Response:
        form = {
            "client_id": (client or self.client).id,
            "client_secret": secret or self.secret,
            "grant_type": grant_type,
            **{name: value for name, value in fields.items() if value},
        }
        return await self.service.http.post("/api/authorization/access_token", data=form)

    async def headers(self) -> dict[str, str]:
        if self._token is None:
            self._token = await self.token()
        return {"authorization": f"Bearer {self._token}"}

    async def get(self, path: str, **query: str) -> httpx.Response:
        return await self.service.http.get(path, params=query, headers=await self.headers())

    async def post(self, path: str, body: Any) -> httpx.Response:
        return await self.service.http.post(path, json=body, headers=await self.headers())

    async def put(self, path: str, body: Any, token: str | None = None) -> httpx.Response:
        """With the client's own token, unless another one is named."""
        headers = await self.headers() if token is None else {"authorization": f"Bearer {token}"}
        return await self.service.http.put(path, json=body, headers=headers)

    async def activated(self, email: str = "ove.ovesson@example.com", number: str = "100001", **fields: Any) -> str:
        """The id of an account activated from a new customer."""
        made = await self.customer(number, **fields)
        response = await self.post(
            "/external/api/v1/account/activate_candidate",
            {"account_candidate_id": made.id, "email": email, "password": "Df7Vdd8!!vnM"},
        )
        assert response.status_code == 201, response.text
        return str(response.json()["id"])


def replacement(customer: Customer) -> CustomerChange:
    """An import's row that makes a customer what it is here, whatever it was before."""
    return CustomerChange(customer.customer_number, lambda _: customer)


def customer(number: str, now: int, **fields: Any) -> Customer:
    """Ove Ovesson of the documents, an invented person, unless fields say otherwise."""
    values = {
        "email": "ove@example.com",
        "first_name": "Ove",
        "last_name": "Ovesson",
        "mobile_phone_number": "0701234567",
        "social_security_number": "620817-9256",
        "zip_code": "43921",
        "address": Address("Ove", "Ovesson", "The Streets", "12", "A", "3", "13", "43921", "Stockholm", None, "SE"),
        "subscriptions": [
            Subscription(
                new_id(now),
                "package_code",
                "TITLE_CODE",
                now - 86_400 * 30,
                now + 86_400 * 30,
                "12345",
                "recurring",
                provision_service="tulo",
            )
        ],
        **fields,
    }
    if isinstance(number_text := values["social_security_number"], str):
        values["social_security_number"] = person_number.parse(number_text, date(2026, 1, 15))
    return Customer(id=new_id(now), customer_number=number, created=now, updated=now, **values)
