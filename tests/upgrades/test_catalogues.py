"""Step 2 of the schema, catalogues: what the first schema held reads as before, and catalogues can be loaded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stamkund.rules import scopes
from stamkund.rules.catalogue import Catalogue
from stamkund.rules.customer import account_of
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client, Organisation
from stamkund.store import TOKEN_ACCOUNT, CustomerChange, Issue, NewToken, Store, WrongSchema, migrations
from stamkund.store import open as opening
from tests.endpoints.shop import CATALOGUE, EMAIL
from tests.support.stage import NOW, customer

TOKEN = b"hash of a token"


@pytest.fixture
async def first(fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A store on a database of the first schema, with an organisation, an account and a token; steps end there."""
    monkeypatch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
    engine = opening.engine_for(fresh_url)
    await engine.open()
    assert await opening.migrate(engine, NOW) == ["0001 first"]
    store = Store(engine, await opening.vault_for(engine, tmp_path / "stamkund.key", NOW))
    await fill(store)
    monkeypatch.undo()
    yield store
    await engine.close()


async def fill(store: Store) -> None:
    await store.organisations.change("herald", lambda _: Organisation("herald", "The Herald"))
    client = Client(new_id(NOW), "herald", "Website", NOW, [scopes.ME_WRITE], [])
    await store.clients.add(client)
    made = customer("100001", NOW)
    await store.customers.put("herald", [CustomerChange("100001", lambda _: made)], NOW)
    row, _ = await store.accounts.activate("herald", made.id, lambda c: account_of(c, EMAIL, NOW), "a hash", client.id, NOW)
    new = NewToken(TOKEN, "access", client.id, row, scopes.ME_WRITE, NOW, NOW + 3600, "family")
    await store.tokens.add([new], Issue("herald", client.id, "password", NOW))


async def test_data_of_the_first_schema_reads_after_it(first: Store) -> None:
    before = await first.opened(TOKEN, TOKEN_ACCOUNT)
    assert before is not None and before.document is not None
    with pytest.raises(WrongSchema, match="stamkund migrate"):
        await opening.check_schema(first.engine)
    done = await opening.migrate(first.engine, NOW)
    assert done[0] == "0002 catalogues"
    await opening.check_schema(first.engine)

    after = await first.opened(TOKEN, TOKEN_ACCOUNT, True)
    assert after == before, "nothing of it changed, and there is no catalogue yet"
    account = first.account(after.document or b"")
    assert (account.email, [p.product_code for p in account.user_products]) == (EMAIL, ["package_code"])
    assert account.social_security_number is not None and account.social_security_number.ten == "620817-9256"
    assert await first.catalogue("herald", after.catalogue) == Catalogue()


async def test_a_catalogue_can_be_loaded_after_it(first: Store) -> None:
    await opening.migrate(first.engine, NOW)
    assert (await first.put_catalogue("herald", CATALOGUE, NOW)).version == 1
    opened = await first.opened(TOKEN, None, True)
    assert opened is not None and opened.catalogue is not None
    assert await first.catalogue("herald", opened.catalogue) == CATALOGUE
    assert await opening.migrate(first.engine, NOW) == []
