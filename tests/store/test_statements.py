"""How many statements each verb costs. A number that grows here is felt by every caller: change it knowingly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stamkund.rules import identifiers
from stamkund.rules.identifiers import Identifier
from stamkund.rules.lockout import PASSWORD_GRANT, LockoutPolicy, LoginContext
from stamkund.store import REFRESH, TOKEN_ACCOUNT, NewToken
from tests.store.conftest import DAY, House, house_in, opened
from tests.support.service import NOW, customer
from tests.support.statements import Statements, listened


@pytest.fixture
async def counted(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[House, Statements]]:
    """An organisation in a store whose statements are listened to."""
    statements = listened(monkeypatch)
    installation = await opened(fresh_url, tmp_path / "a.key")
    yield await house_in(installation, installation), statements
    await installation.close()


async def cost(statements: Statements, work: Any) -> int:
    """The statements of one verb. asyncpg tells of them a turn of the loop later."""
    await asyncio.sleep(0)
    statements.taken()
    await work
    await asyncio.sleep(0)
    return len(statements.taken())


async def test_a_hot_read_is_one_statement(counted: tuple[House, Statements]) -> None:
    house, statements = counted
    row, account_id = await house.activate(await house.customer())
    token = await house.token(row)
    for subject in (None, TOKEN_ACCOUNT, Identifier("id", account_id), Identifier("email", "nobody@example.com")):
        assert await cost(statements, house.store.tokens.authenticate(token, subject)) == 1
    assert await cost(statements, house.store.tokens.authenticate(b"unknown", TOKEN_ACCOUNT)) == 1


async def test_a_hundred_look_ups_of_one_moment(counted: tuple[House, Statements], engine_name: str) -> None:
    """PostgreSQL is asked once for all that arrive in the same turn; SQLite is in this process anyway."""
    house, statements = counted
    tokens = [await house.token() for _ in range(100)]

    async def at_once() -> None:
        await asyncio.gather(*(house.store.tokens.authenticate(token, None) for token in tokens))

    assert await cost(statements, at_once()) == (1 if engine_name == "postgres" else 100)


async def test_what_the_other_verbs_cost(counted: tuple[House, Statements]) -> None:
    house, statements = counted
    store, by_number = house.store, Identifier("customer_number", "1")
    made = await house.customer("1", social_security_number="800610-8230", email="c@example.com", password_hash="x")
    by_ssn = Identifier("social_security_number", house.vault.number_lookup_hash("800610-8230"))
    find = store.candidates.find
    assert await cost(statements, find(house.id, [by_number])) == 3, "the customer, then two numbers"
    assert await cost(statements, find(house.id, [by_number, by_ssn])) == 4
    assert await cost(statements, find(house.id, [by_number], "a@example.com")) == 4
    assert await cost(statements, find(house.id, [Identifier("customer_number", "9")])) == 1
    assert await cost(statements, store.logins.find(house.id, identifiers.email("nobody@example.com"))) == 2
    assert await cost(statements, store.logins.find(house.id, identifiers.email("c@example.com"))) == 5, (
        "with its lockout"
    )
    # Two hand a brought login over, and each identifier is one: number, customer number, e-mail, id, tulo number.
    activation = 7 + 2 + 5
    assert await cost(statements, house.activate(made)) == activation
    assert await cost(statements, store.logins.find(house.id, identifiers.email("a@example.com"))) == 2
    assert await cost(statements, store.accounts.upgrade_password(1, "hash", "new")) == 1


async def test_what_attempts_cost(counted: tuple[House, Statements]) -> None:
    house, statements = counted
    store = house.store
    await house.activate(await house.customer())
    login = await store.logins.find(house.id, identifiers.email("a@example.com"))
    assert login is not None
    context = LoginContext(house.id, PASSWORD_GRANT, house.client.id, None, None, NOW)

    def attempt(succeeded: bool) -> Any:
        return store.login_attempts.record(
            context, login.id, LockoutPolicy(max_failures=2), succeeded=succeeded, customer=False, audited=True
        )

    storing = 2  # the attempt, and dropping older ones
    assert await cost(statements, attempt(True)) == 3 + storing
    assert await cost(statements, attempt(False)) == 2 + storing + 1, "and the audit"
    assert await cost(statements, attempt(False)) == 2 + storing + 2, "that it froze, too"
    assert await cost(statements, attempt(False)) == 1 + storing + 1
    assert (
        await cost(statements, store.login_attempts.record_unknown(context, "nobody@example.com", LockoutPolicy())) == 3
    )
    assert await cost(statements, store.call_counts.add(NOW, {f"{n:032}": n for n in range(100)})) == 1


async def test_what_tokens_cost(counted: tuple[House, Statements]) -> None:
    house, statements = counted
    store = house.store
    assert await cost(statements, store.clients.get(house.client.id)) == 2
    assert await cost(statements, house.token()) == 2
    held = await house.token(kind=REFRESH)
    new = NewToken(b"new", "access", house.client.id, None, "", NOW, NOW + DAY, "f")
    using = store.tokens.use_refresh(held, house.client.id, NOW, NOW + DAY, lambda _: [new], house.issue())
    assert await cost(statements, using) == 4
    for n in range(50):
        await house.token(expires=n)
    assert await cost(statements, store.tokens.remove_expired(50)) == 1


async def test_an_import_asks_as_often_for_one_as_for_hundred(counted: tuple[House, Statements]) -> None:
    house, statements = counted
    selects = []
    for first, size in ((0, 1), (1, 100)):
        batch = [customer(str(n), NOW, social_security_number=None) for n in range(first, first + size)]
        await asyncio.sleep(0)
        statements.taken()
        await house.put(*batch)
        await asyncio.sleep(0)
        selects.append(sum(s.startswith("SELECT") for s in statements.taken()))
    assert selects[0] == selects[1] == 2
