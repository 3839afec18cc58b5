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
from stamkund.store import REFRESH, TOKEN_ACCOUNT, NewToken, RefreshPolicy
from tests.store.conftest import DAY, StoredOrganisation, new_paper
from tests.support.service import NOW, customer, open_new
from tests.support.statements import Statements, listened


@pytest.fixture
async def counted(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[StoredOrganisation, Statements]]:
    """An organisation in a store whose statements are listened to."""
    statements = listened(monkeypatch)
    installation = await open_new(fresh_url, tmp_path / "a.key")
    yield await new_paper(installation, installation), statements
    await installation.close()


async def cost(statements: Statements, work: Any) -> int:
    """The statements of one verb. asyncpg reports them a turn of the loop later."""
    await asyncio.sleep(0)
    statements.take()
    await work
    await asyncio.sleep(0)
    return len(statements.take())


async def test_a_hot_read_is_one_statement(counted: tuple[StoredOrganisation, Statements]) -> None:
    paper, statements = counted
    row, account_id = await paper.activate(await paper.customer())
    token = await paper.token(row)
    for subject in (None, TOKEN_ACCOUNT, Identifier("id", account_id), Identifier("email", "nobody@example.com")):
        assert await cost(statements, paper.store.tokens.authenticate(token, subject)) == 1
    assert await cost(statements, paper.store.tokens.authenticate(b"unknown", TOKEN_ACCOUNT)) == 1


async def test_a_hundred_lookups_at_once(counted: tuple[StoredOrganisation, Statements], engine_name: str) -> None:
    """PostgreSQL gets one statement for all look-ups of a turn; SQLite is in this process anyway."""
    paper, statements = counted
    tokens = [await paper.token() for _ in range(100)]

    async def at_once() -> None:
        await asyncio.gather(*(paper.store.tokens.authenticate(token, None) for token in tokens))

    assert await cost(statements, at_once()) == (1 if engine_name == "postgres" else 100)


async def test_what_the_other_verbs_cost(counted: tuple[StoredOrganisation, Statements], engine_name: str) -> None:
    paper, statements = counted
    store, by_number = paper.store, Identifier("customer_number", "1")
    made = await paper.customer("1", social_security_number="800610-8230", email="c@example.com", password_hash="x")
    by_ssn = Identifier("social_security_number", paper.vault.number_lookup_hash(paper.id, "800610-8230"))
    find = store.candidates.find
    assert await cost(statements, find(paper.id, [by_number])) == 3, "the customer, then two numbers"
    assert await cost(statements, find(paper.id, [by_number, by_ssn])) == 4
    assert await cost(statements, find(paper.id, [by_number], "a@example.com")) == 5, "and who has that e-mail"
    assert await cost(statements, find(paper.id, [Identifier("customer_number", "9")])) == 1
    assert await cost(statements, store.logins.find(paper.id, identifiers.email("nobody@example.com"))) == 2
    assert await cost(statements, store.logins.find(paper.id, identifiers.email("c@example.com"))) == 5, (
        "with its lockout"
    )
    # One looks whose imported login the e-mail is, two hand a brought login over, and each identifier is one: number,
    # customer number, e-mail, id, tulo number.
    # SQLite reports the account twice, once for its trigger.
    activation = 8 + 2 + 5 + (engine_name == "sqlite")
    assert await cost(statements, paper.activate(made)) == activation
    assert await cost(statements, store.logins.find(paper.id, identifiers.email("a@example.com"))) == 2
    assert await cost(statements, store.accounts.upgrade_password(1, "hash", "new")) == 1


async def test_what_attempts_cost(counted: tuple[StoredOrganisation, Statements]) -> None:
    paper, statements = counted
    store = paper.store
    await paper.activate(await paper.customer())
    login = await store.logins.find(paper.id, identifiers.email("a@example.com"))
    assert login is not None
    context = LoginContext(paper.id, PASSWORD_GRANT, paper.client.id, None, None, NOW)

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
        await cost(statements, store.login_attempts.record_unknown(context, "nobody@example.com", LockoutPolicy())) == 5
    ), "as many as a reader's, or the time would tell"
    assert await cost(statements, store.call_counts.add(NOW, {f"{n:032}": n for n in range(100)})) == 1


async def test_what_tokens_cost(counted: tuple[StoredOrganisation, Statements]) -> None:
    paper, statements = counted
    store = paper.store
    assert await cost(statements, store.clients.get(paper.client.id)) == 2
    assert await cost(statements, paper.token()) == 2
    held = await paper.token(kind=REFRESH)
    new = NewToken(b"new", "access", paper.client.id, None, "", NOW, NOW + DAY, "f")
    using = store.tokens.use_refresh(
        held, paper.client.id, NOW, RefreshPolicy(rotates=False), lambda _: [new], paper.issue()
    )
    assert await cost(statements, using) == 4
    for n in range(50):
        await paper.token(expires=n)
    assert await cost(statements, store.tokens.remove_expired(50)) == 1


async def test_an_import_of_a_hundred_rows_costs_as_many_selects_as_one(
    counted: tuple[StoredOrganisation, Statements],
) -> None:
    paper, statements = counted
    selects = []
    for first, size in ((0, 1), (1, 100)):
        batch = [customer(str(n), NOW, social_security_number=None) for n in range(first, first + size)]
        await asyncio.sleep(0)
        statements.take()
        await paper.put(*batch)
        await asyncio.sleep(0)
        selects.append(sum(s.startswith("SELECT") for s in statements.take()))
    assert selects[0] == selects[1] == 2
