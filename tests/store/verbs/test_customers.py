"""Imported customers: created, changed, left alone, refused."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from stamkund.rules.customer import Customer, Subscription
from stamkund.rules.identifiers import Identifier
from stamkund.rules.ids import new_id
from stamkund.store import CustomerChange
from stamkund.store.verbs import customers
from stamkund.store.work import Sql
from tests.store.conftest import StoredOrganisation
from tests.support.service import NOW, customer


async def test_customers_are_made_changed_and_left_alone(paper: StoredOrganisation) -> None:
    first = customer("1", NOW, social_security_number=None)
    outcome = await paper.put(first, customer("2", NOW, social_security_number=None))
    assert (outcome.created, outcome.updated, outcome.unchanged, outcome.rejected) == (2, 0, 0, [])
    seen = []

    def look(before: Customer | None) -> Customer:
        assert before is not None
        seen.append(before.id)
        return before

    def rename(before: Customer | None) -> Customer:
        assert before is not None
        return msgspec.structs.replace(before, first_name="Åke")

    outcome = await paper.store.customers.put(paper.id, [CustomerChange("1", rename), CustomerChange("2", look)], NOW)
    assert (outcome.created, outcome.updated, outcome.unchanged) == (0, 1, 1)
    candidate = await paper.candidate("1")
    assert candidate is not None and (candidate.customer.first_name, candidate.customer.id) == ("Åke", first.id)
    assert await paper.count("customers") == 2


async def test_new_numbers_with_none_stored_between_are_not_looked_up(
    paper: StoredOrganisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first import in the order of its numbers: one look at the index is enough for a batch (docs/decisions/0019)."""
    monkeypatch.setattr(customers, "_PRESENT", Sql("no statement"))
    await paper.customer("100")
    await paper.customer("200")
    with pytest.raises(Exception, match="no"):
        await paper.put(customer("1500", NOW), customer("1000", NOW), customer("2500", NOW))


async def test_a_dry_run_writes_nothing(paper: StoredOrganisation) -> None:
    outcome = await paper.put(customer("1", NOW), dry_run=True)
    assert outcome.created == 1 and await paper.count("customers") == 0


async def test_what_is_one_customers_is_refused_to_another(paper: StoredOrganisation) -> None:
    """In the database and within the batch; the rest of the batch goes in."""
    await paper.customer("1", social_security_number="800610-8230")
    batch = [
        customer("2", NOW, social_security_number="800610-8230"),
        customer("3", NOW, social_security_number="910820-5205"),
        customer("4", NOW, social_security_number="910820-5205"),
        customer("5", NOW, social_security_number=None),
    ]
    outcome = await paper.put(*batch)
    assert [(t.place, t.kind) for t in outcome.rejected] == [
        (0, "social_security_number"),
        (2, "social_security_number"),
    ]
    assert outcome.created == 2
    assert [(await paper.candidate(n)) is not None for n in "12345"] == [True, False, True, False, True]


async def test_a_number_that_moves_leaves_its_old_owner(paper: StoredOrganisation) -> None:
    made = await paper.customer("1", social_security_number="800610-8230")
    await paper.put(msgspec.structs.replace(made, social_security_number=None))
    second = await paper.customer("2", social_security_number="800610-8230")
    sent = [Identifier("social_security_number", paper.vault.number_lookup_hash(paper.id, "800610-8230"))]
    candidate = await paper.store.candidates.find(paper.id, sent)
    assert candidate is not None and candidate.customer.id == second.id


async def test_an_account_follows_its_customer(paper: StoredOrganisation) -> None:
    made = await paper.customer()
    await paper.activate(made)
    more = Subscription(new_id(NOW), "more", valid_from=NOW)
    await paper.put(msgspec.structs.replace(made, subscriptions=[*made.subscriptions, more]))
    account = await paper.find("email", "a@example.com")
    assert account is not None
    assert [p.product_code for p in account.user_products] == ["package_code", "more"]


async def test_imports_and_activations_at_once(paper: StoredOrganisation) -> None:
    made = [await paper.customer(str(n)) for n in range(10)]

    def more(before: Customer | None) -> Customer:
        assert before is not None
        return msgspec.structs.replace(
            before, subscriptions=[*before.subscriptions, Subscription(before.id[::-1], "more")]
        )

    changes = [CustomerChange(str(n), more) for n in range(10)]
    await asyncio.gather(
        paper.other.customers.put(paper.id, changes, NOW),
        *(paper.activate(c, f"{c.customer_number}@example.com") for c in made),
    )
    for n in range(10):
        account = await paper.find("customer_number", str(n))
        assert account is not None
        assert [p.product_code for p in account.user_products] == ["package_code", "more"], n


async def test_stored_customers_are_found_whatever_their_numbers_are(paper: StoredOrganisation) -> None:
    """A batch looks first whether any is stored between its lowest and its highest number, in the database's order."""
    numbers = ["10", "9", "B", "a", "_1", "-2", "Z", "b", "99"]
    for number in numbers[::2]:
        await paper.put(customer(number, NOW, social_security_number=None))
    for batch in (["9"], ["99"], ["a", "Z"], ["_1", "B"], ["-2", "b"], numbers):
        outcome = await paper.put(*(customer(n, NOW, social_security_number=None) for n in batch), dry_run=True)
        assert outcome.created == len(set(batch) - set(numbers[::2])), batch
    assert (await paper.put(*(customer(n, NOW, social_security_number=None) for n in numbers))).created == 4
    assert await paper.count("customers") == len(numbers)


async def test_an_encoded_customer_shows_nothing(paper: StoredOrganisation) -> None:
    """Neither a log nor a traceback."""
    encoded = paper.store.documents.encoded_customer(paper.id, customer("1", NOW))
    assert b"Ove" in encoded.document and "Ove" not in repr(encoded)
