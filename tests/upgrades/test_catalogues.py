"""Step 2 of the schema, catalogues: a database from before it has none, and one can be loaded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stamkund.identity.tokens import token_digest
from stamkund.rules.catalogue import Catalogue
from stamkund.store import TOKEN_ACCOUNT, AuthenticatedToken, Store
from stamkund.store import open as opening
from stamkund.store.verbs.binding import bind
from tests.support.catalogue import CATALOGUE
from tests.support.service import NOW
from tests.upgrades import stored_data

FIRST = stored_data.FOLDER / "0001"
TOKEN = token_digest(stored_data.calls(FIRST)["tokens"]["reader"].encode())


@pytest.fixture
async def store(fresh_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    """A store on data of the first schema, brought up to date."""
    await stored_data.load(FIRST, fresh_url, tmp_path / "stamkund.key")
    engine = opening.engine_for(fresh_url)
    await engine.open()
    try:
        await opening.migrate(engine, NOW)
        vault = await opening.vault_for(engine, tmp_path / "stamkund.key", NOW)
        await bind(engine, vault)
        yield Store(engine, vault)
    finally:
        await engine.close()


async def authenticated(store: Store) -> AuthenticatedToken:
    token = await store.tokens.authenticate(TOKEN, TOKEN_ACCOUNT, True)
    assert token is not None
    return token


async def test_data_of_the_first_schema_has_no_catalogue(store: Store) -> None:
    token = await authenticated(store)
    account = store.documents.account("north", token.document or b"")
    assert (account.email, [p.product_code for p in account.user_products]) == ("Kalle@example.com", ["paper", "web"])
    assert account.social_security_number is not None and account.social_security_number.ten == "800610-8230"
    assert await store.catalogues.cached("north", token.catalogue) == Catalogue()


async def test_a_catalogue_can_be_loaded(store: Store) -> None:
    assert (await store.catalogues.replace("north", CATALOGUE, NOW)).version == 1
    token = await authenticated(store)
    assert token.catalogue is not None
    assert await store.catalogues.cached("north", token.catalogue) == CATALOGUE
