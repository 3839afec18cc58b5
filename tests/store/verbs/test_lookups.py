"""The hot path: a token with its client, its organisation and the account looked up."""

from __future__ import annotations

import asyncio
from typing import Any

from stamkund.rules import identifiers
from stamkund.rules.account import Account, ExternalId
from stamkund.rules.identifiers import Identifier
from stamkund.rules.person_number import PersonNumber
from stamkund.store import TOKEN_ACCOUNT
from tests.store.conftest import StoredOrganisation
from tests.support.service import NOW

NUMBER = PersonNumber("800610-8230", "19")


async def test_a_token_opens_with_its_client_and_organisation(paper: StoredOrganisation) -> None:
    token = await paper.store.tokens.authenticate(
        await paper.token(scopes="/external/account/r /gone", expires=NOW + 7), None
    )
    assert token is not None
    assert (token.client.id, token.organisation.id) == (paper.client.id, paper.id)
    assert (token.scopes, token.expires, token.kind) == (frozenset({"/external/account/r"}), NOW + 7, "access")
    assert (token.account_row, token.document) == (None, None)


async def test_an_unknown_token_opens_nothing(paper: StoredOrganisation) -> None:
    for subject in (None, TOKEN_ACCOUNT, Identifier("email", "a@example.com")):
        assert await paper.store.tokens.authenticate(b"unknown", subject) is None


async def test_a_token_opens_the_account_that_it_stands_for(paper: StoredOrganisation) -> None:
    row, account_id = await paper.activate(await paper.customer())
    token = await paper.store.tokens.authenticate(await paper.token(row), TOKEN_ACCOUNT)
    assert token is not None and token.account_row == row
    account = paper.account(token)
    assert account is not None and account.id == account_id
    without_identity = await paper.store.tokens.authenticate(await paper.token(), TOKEN_ACCOUNT)
    assert without_identity is not None and without_identity.document is None


async def test_every_identifier_finds_the_account(paper: StoredOrganisation) -> None:
    made = await paper.customer("77", identity_mapping=[ExternalId("crm", "1"), ExternalId("web", "2")])
    _, account_id = await paper.activate(made, "Åsa.A@Example.com", alias="Åsa", social_security_number=NUMBER)
    for kind, value in (
        ("id", account_id),
        ("email", "åsa.a@example.com"),
        ("customer_number", "77"),
        ("social_security_number", paper.vault.number_lookup_hash(paper.id, "800610-8230")),
        ("alias", "Åsa"),
        ("tulo_customer_number", "00001"),
        identifiers.external_id("crm", "1"),
        identifiers.external_id("web", "2"),
    ):
        account = await paper.find(kind, value, store=paper.other)
        assert account is not None and account.id == account_id, kind
    for kind, value in (("email", "Åsa.A@Example.com"), ("alias", "åsa"), ("id", "77"), ("none", "77")):
        assert await paper.find(kind, value) is None, kind


async def test_a_document_comes_back_as_it_was(paper: StoredOrganisation) -> None:
    made = await paper.customer("1", first_name='Å"\\ 😀\u2028', social_security_number=NUMBER)
    row, _ = await paper.activate(made)
    token = await paper.other.tokens.authenticate(await paper.token(row), TOKEN_ACCOUNT)
    assert token is not None
    account = paper.account(token)
    assert account is not None and account.social_security_number is not None
    assert account.first_name == 'Å"\\ 😀\u2028' and account.social_security_number == NUMBER
    rows = await paper.rows("SELECT document FROM accounts WHERE organisation = $1", paper.id)
    assert "800610" not in rows[0]["document"] and "8230" not in rows[0]["document"]


async def test_a_hundred_look_ups_at_once_each_get_their_own_row(paper: StoredOrganisation) -> None:
    """Known and unknown tokens and keys, mixed: on PostgreSQL they go to the server together."""
    ids = {}
    for number in range(10):
        ids[number] = await paper.activate(await paper.customer(str(number)), f"{number}@example.com")
    own = {number: await paper.token(row) for number, (row, _) in ids.items()}
    lookups: list[tuple[bytes, Any, str | None]] = []
    for place in range(120):
        number = place % 10
        account_id = ids[number][1]
        lookups.append(
            [
                (own[number], TOKEN_ACCOUNT, account_id),
                (own[number], Identifier("email", f"{(number + 3) % 10}@example.com"), ids[(number + 3) % 10][1]),
                (own[number], Identifier("email", "nobody@example.com"), None),
                (b"unknown %d" % place, Identifier("customer_number", str(number)), "unknown token"),
                (own[number], None, None),
                (b"unknown", TOKEN_ACCOUNT, "unknown token"),
            ][place % 6]
        )
    responses = await asyncio.gather(
        *(paper.store.tokens.authenticate(token, subject) for token, subject, _ in lookups)
    )
    account_ids = ["unknown token" if r is None else _id(paper.account(r)) for r in responses]
    assert account_ids == [expected for *_, expected in lookups]
    rows = [None if r is None else r.account_row for r in responses]
    expected_rows = {token: ids[number][0] for number, token in own.items()}
    assert rows == [expected_rows.get(token) for token, *_ in lookups]


def _id(account: Account | None) -> str | None:
    return None if account is None else account.id


async def test_a_cancelled_lookup_cancels_no_other(paper: StoredOrganisation) -> None:
    tokens = [await paper.token() for _ in range(20)]
    tasks = [asyncio.ensure_future(paper.store.tokens.authenticate(token, None)) for token in tokens]
    await asyncio.sleep(0)
    cancelled = [task.cancel() for task in tasks[::2]]
    assert cancelled == [paper.store.engine.name == "postgres"] * 10, "SQLite has returned the rows already"
    responses = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(r, asyncio.CancelledError) for r in responses[::2]] == cancelled
    assert all(getattr(r, "client", None) is not None for r in responses[1::2])
