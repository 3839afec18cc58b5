"""Catalogues in the store: replaced as a whole, versioned, and remembered by their fingerprint."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, cast

import httpx
import pytest

from stamkund.endpoints import declared_endpoints
from stamkund.endpoints.products.titles import get_titles
from stamkund.reference.documentation import documentation_of
from stamkund.rules import scopes
from stamkund.rules.catalogue import Catalogue, Title
from stamkund.store import CatalogueVersion, Store
from stamkund.store.open import open_installation
from stamkund.wire.asgi import serve_request
from stamkund.wire.dispatch import Dispatch
from stamkund.wire.services import Services
from tests.support.catalogue import CATALOGUE, EMAIL, MINE, READABLE, load, reader, subscription
from tests.support.counting import CountingEngine
from tests.support.rows import rows
from tests.support.service import NOW, Publisher, RunningService

OTHER = Catalogue([Title("OTHER", "Another title")])


@pytest.fixture
async def counting(service: RunningService) -> AsyncIterator[CountingEngine]:
    """An engine of this test's own on the database of the service."""
    installation = await open_installation(service.settings, service.clock)
    yield CountingEngine(installation.store.engine)
    await installation.close()


@pytest.fixture
async def store(service: RunningService, counting: CountingEngine) -> Store:
    """A store as another process has it: it remembers nothing yet."""
    return Store(counting, service.vault)


@pytest.fixture
async def http(service: RunningService, store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """The calls on that store, over HTTP."""
    services = Services(
        service.settings,
        store,
        service.vault,
        cast(Any, None),
        service.clock,
        documentation=documentation_of(declared_endpoints()),
    )
    transport = httpx.ASGITransport(
        app=cast(Any, partial(serve_request, Dispatch(declared_endpoints(), services).respond))
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_versions_count_what_changed(publisher: Publisher) -> None:
    store = publisher.service.store
    assert await store.catalogues.current(publisher.id) is None
    done = [
        await store.catalogues.replace(publisher.id, c, NOW + n) for n, c in enumerate((CATALOGUE, CATALOGUE, OTHER))
    ]
    assert done == [CatalogueVersion(1, True), CatalogueVersion(1, False), CatalogueVersion(2, True)]
    loaded = await store.catalogues.current(publisher.id)
    assert loaded is not None
    assert (loaded.version, loaded.loaded, loaded.catalogue) == (2, NOW + 2, OTHER)


async def test_a_dry_run_reports_and_changes_nothing(publisher: Publisher) -> None:
    store = publisher.service.store
    assert await store.catalogues.replace(publisher.id, OTHER, NOW, dry_run=True) == CatalogueVersion(1, True)
    assert await store.catalogues.current(publisher.id) is None
    await load(publisher)
    for catalogue, would in ((CATALOGUE, CatalogueVersion(1, False)), (OTHER, CatalogueVersion(2, True))):
        assert await store.catalogues.replace(publisher.id, catalogue, NOW, dry_run=True) == would
    loaded = await store.catalogues.current(publisher.id)
    assert loaded is not None and loaded.catalogue == CATALOGUE


async def test_each_new_version_is_written_down(publisher: Publisher) -> None:
    for catalogue in (CATALOGUE, CATALOGUE, OTHER):
        await load(publisher, catalogue)
    audit = await rows(
        publisher.service.settings.database_url,
        f"SELECT event, at, detail FROM audit WHERE organisation = '{publisher.id}' ORDER BY row",
    )
    assert [tuple(row) for row in audit] == [
        ("catalogue_replaced", NOW, "version 1"),
        ("catalogue_replaced", NOW, "version 2"),
    ]


async def test_imports_at_once_are_versions_one_after_another(publisher: Publisher) -> None:
    store = publisher.service.store
    catalogues = [Catalogue([Title(f"T{n}", "A title")]) for n in range(10)]
    done = await asyncio.gather(*(store.catalogues.replace(publisher.id, c, NOW) for c in catalogues))
    assert sorted(d.version for d in done) == list(range(1, 11))
    loaded = await store.catalogues.current(publisher.id)
    assert loaded is not None and loaded.version == 10
    assert loaded.catalogue == catalogues[[d.version for d in done].index(10)]


async def test_calls_are_one_statement_once_the_catalogue_is_cached(
    publisher: Publisher, counting: CountingEngine, http: httpx.AsyncClient
) -> None:
    account_id = await reader(publisher, subscription())
    client, secret = await publisher.new_client(scopes.TITLE_READ)
    calls = [
        (f"{READABLE}?account_id={account_id}", await publisher.token()),
        (MINE, await publisher.reader_token(EMAIL)),
        (get_titles.paths[0], await publisher.token(client=client, secret=secret)),
    ]

    async def statements(path: str, token: str) -> int:
        before = counting.statements
        response = await http.get(path, headers={"authorization": f"Bearer {token}"})
        assert response.status_code == 200, response.text
        return counting.statements - before

    assert [await statements(*one) for one in calls] == [1, 1, 1], "no catalogue, nothing to read"
    await load(publisher)
    assert await statements(*calls[0]) == 2, "the first call reads the catalogue"
    assert [await statements(*one) for one in calls] == [1, 1, 1]
    await load(publisher)
    assert await statements(*calls[0]) == 1, "the same catalogue again is nothing new"
    await load(publisher, OTHER)
    assert [await statements(*one) for one in calls] == [2, 1, 1]


async def test_calls_at_once_read_a_new_catalogue_once(
    publisher: Publisher, counting: CountingEngine, store: Store
) -> None:
    await load(publisher)
    loaded = await store.catalogues.current(publisher.id)
    assert loaded is not None
    counting.statements = 0
    catalogues = await asyncio.gather(*(store.catalogues.cached(publisher.id, loaded.fingerprint) for _ in range(20)))
    assert all(one == CATALOGUE for one in catalogues)
    assert counting.statements == 1


async def test_a_look_up_that_is_older_than_the_catalogue_gets_the_newer_one(
    publisher: Publisher, store: Store
) -> None:
    await load(publisher)
    before = await store.catalogues.current(publisher.id)
    assert before is not None
    await load(publisher, OTHER)
    assert await store.catalogues.cached(publisher.id, before.fingerprint) == OTHER
