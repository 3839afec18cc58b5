"""Activation and passwords of accounts: whole or not at all, also when several are activated at once."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from stamkund.rules import identifiers
from stamkund.rules.account import Account, ExternalId
from stamkund.rules.customer import Customer
from stamkund.rules.ids import new_id
from stamkund.rules.person_number import PersonNumber
from stamkund.store import UniqueConflict
from tests.store.conftest import StoredOrganisation
from tests.store.verbs.conftest import conflicting_kind
from tests.support.service import NOW

NUMBER = PersonNumber("800610-8230", "19")
ALL_TABLES = ("accounts", "identifiers", "audit", "outbox")


async def test_an_activation_leaves_everything_that_belongs_to_it(paper: StoredOrganisation) -> None:
    row, account_id = await paper.activate(await paper.customer("1", social_security_number="800610-8230"))
    assert [await paper.count(table) for table in ALL_TABLES] == [1, 5, 1, 1]
    audit = await paper.rows("SELECT at, event, client, account FROM audit WHERE organisation = $1", paper.id)
    assert tuple(audit[0]) == (NOW, "account_activated", paper.client.id, account_id)
    outbox = await paper.rows("SELECT at, event, account FROM outbox WHERE organisation = $1", paper.id)
    assert tuple(outbox[0]) == (NOW, "account_activated_for_existing_customer", account_id)
    spent = await paper.rows("SELECT account FROM customers WHERE organisation = $1", paper.id)
    assert spent[0]["account"] == row
    login = await paper.store.logins.find(paper.id, identifiers.email("A@example.com"))
    assert login is not None and (login.row, login.hash) == (row, "hash")


async def test_what_an_account_has_is_taken(paper: StoredOrganisation) -> None:
    """In this order: the candidate, its numbers, the e-mail, the alias, external ids."""
    pair = ExternalId("crm", "1")
    first = await paper.customer("1", identity_mapping=[pair])
    everything: dict[str, Any] = {"social_security_number": NUMBER, "alias": "a"}
    assert await conflicting_kind(paper.activate(msgspec.structs.replace(first, id=new_id(NOW)))) == "candidate"
    await paper.activate(first, **everything)
    assert await conflicting_kind(paper.activate(first)) == "candidate"
    second = await paper.customer("2")
    everything["identity_mapping"] = [pair]
    assert await conflicting_kind(paper.activate(second, customer_number="1", **everything)) == "customer_number"
    assert await conflicting_kind(paper.activate(second, "A@Example.com", **everything)) == "social_security_number"
    everything["social_security_number"] = None
    assert await conflicting_kind(paper.activate(second, "A@Example.com", **everything)) == "email"
    assert await conflicting_kind(paper.activate(second, "b@example.com", **everything)) == "alias"
    everything["alias"] = None
    assert await conflicting_kind(paper.activate(second, "b@example.com", **everything)) == "external_id"
    assert [await paper.count(table) for table in ALL_TABLES] == [1, 7, 1, 1]
    await paper.activate(second, "b@example.com")
    assert await paper.find("tulo_customer_number", "00002") is not None


async def test_a_fault_on_the_way_leaves_nothing(paper: StoredOrganisation) -> None:
    made = await paper.customer()

    def fail(_: Customer) -> Account:
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError):
        await paper.store.accounts.activate(paper.id, made.id, fail, "hash", paper.client.id, NOW)
    assert [await paper.count(table) for table in ALL_TABLES] == [0, 0, 0, 0]
    candidate = await paper.candidate()
    assert candidate is not None and not candidate.in_use
    await paper.activate(made)


@pytest.mark.parametrize("kind", ["candidate", "email", "alias", "social_security_number"])
async def test_of_any_number_at_once_exactly_one_succeeds(paper: StoredOrganisation, kind: str) -> None:
    """From two stores, ten at a time; whoever loses leaves nothing."""
    many = [await paper.customer(str(n)) for n in range(10)]
    fields: dict[str, Any] = {"alias": {"alias": "a"}, "social_security_number": {"social_security_number": NUMBER}}
    attempts = []
    for place, made in enumerate(many):
        store = (paper.store, paper.other)[place % 2]
        email = "same@example.com" if kind == "email" else f"{place}@example.com"
        attempts.append(
            paper.activate(many[0] if kind == "candidate" else made, email, store=store, **fields.get(kind, {}))
        )
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(r.kind if isinstance(r, UniqueConflict) else "done" for r in results) == sorted([kind] * 9 + ["done"])
    assert [await paper.count(table) for table in ("accounts", "audit", "outbox")] == [1, 1, 1]
    spent = await paper.rows(
        "SELECT count(*) AS number FROM customers WHERE organisation = $1 AND account IS NOT NULL", paper.id
    )
    assert spent[0]["number"] == 1
    assert await paper.find("tulo_customer_number", "00001") is not None
    assert await paper.find("tulo_customer_number", "00002") is None


async def test_different_candidates_at_once_all_succeed(paper: StoredOrganisation) -> None:
    many = [await paper.customer(str(n)) for n in range(20)]
    results = await asyncio.gather(
        *(
            paper.activate(made, f"{n}@example.com", store=(paper.store, paper.other)[n % 2])
            for n, made in enumerate(many)
        )
    )
    assert len({row for row, _ in results}) == len({i for _, i in results}) == await paper.count("accounts") == 20
    for number in range(1, 21):
        assert await paper.find("tulo_customer_number", f"{number:05}") is not None


async def test_crossed_identifiers_end_without_a_deadlock(paper: StoredOrganisation) -> None:
    """Each has the external id that the other wants next: one of them gets through, the other is refused."""
    for round_ in range(5):
        a, b = await paper.customer(f"a{round_}"), await paper.customer(f"b{round_}")
        crossed = [ExternalId("k", f"{round_}x"), ExternalId("k", f"{round_}y")]
        results = await asyncio.gather(
            paper.activate(a, f"a{round_}@example.com", identity_mapping=crossed),
            paper.activate(b, f"b{round_}@example.com", identity_mapping=crossed[::-1], store=paper.other),
            return_exceptions=True,
        )
        assert sorted(type(r).__name__ for r in results) == ["UniqueConflict", "tuple"]
