"""What is loaded past the store's verbs is what the store itself would have stored."""

from __future__ import annotations

import pytest
from bench.accounts import ORGANISATION, email
from bench.ours import Installation, installed

from stamkund.identity.tokens import token_digest
from stamkund.rules import identifiers
from stamkund.store import TOKEN_ACCOUNT
from stamkund.store.open import open_installation
from tests.support.postgres_server import PostgresServer
from tests.support.rows import executed, rows

COUNT = 5_100
"""More than one batch."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def installation(
    request: pytest.FixtureRequest, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    folder = tmp_path_factory.mktemp("seed")
    url = f"sqlite:///{folder / 'bench.db'}" if request.param == "sqlite" else postgres.new_database("bench")
    return installed(url, folder, COUNT, tokens=10, user_products=3)


async def test_every_account_is_there_with_its_identifiers(installation: Installation) -> None:
    url = installation.settings.database_url
    assert await rows(url, "SELECT count(*), max(row) FROM accounts") == [(COUNT, COUNT)]
    # id, e-mail, customer number, number here, alias, two external ids; and one social security number
    assert await rows(url, "SELECT count(*) FROM identifiers") == [(7 * COUNT + 1,)]


async def test_the_store_finds_them_by_e_mail_and_by_token(installation: Installation) -> None:
    loaded = await open_installation(installation.settings, lambda: 0)
    store, seeded = loaded.store, installation.seeded
    try:
        for number in (0, 4_999, 5_000, COUNT - 1):
            key = identifiers.email(email(number))
            authenticated = await store.tokens.authenticate(token_digest(seeded.system_token.encode()), key)
            assert authenticated is not None and authenticated.document is not None
            account = store.documents.account(ORGANISATION, authenticated.document)
            assert account.email == email(number) and len(account.user_products) == 3
            of_account = "SELECT kind, value FROM identifiers WHERE account = "
            stored = await rows(installation.settings.database_url, f"{of_account}{number + 1}")
            assert sorted(stored) == sorted(map(tuple, store.documents.account_identifiers(ORGANISATION, account)))
        for token in seeded.reader_tokens:
            authenticated = await store.tokens.authenticate(token_digest(token.encode()), TOKEN_ACCOUNT)
            assert authenticated is not None and authenticated.document is not None
            number = int(token.removeprefix("reader-"))
            assert store.documents.account(ORGANISATION, authenticated.document).email == email(number)
    finally:
        await loaded.close()


async def test_another_account_can_be_added(installation: Installation) -> None:
    url = installation.settings.database_url
    columns = "(organisation, id, status, document)"
    await executed(url, f"INSERT INTO accounts {columns} VALUES ('{ORGANISATION}', 'x', 'active', '{{}}')")
    assert await rows(url, "SELECT max(row) FROM accounts") == [(COUNT + 1,)]
    await executed(url, "DELETE FROM accounts WHERE id = 'x'")
