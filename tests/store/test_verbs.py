"""What every engine must do: each verb of the store, alone and in races, whole or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stamkund.identity.passwords import Passwords
from stamkund.rules import identifiers, person_number
from stamkund.rules.account import Account, ExternalId
from stamkund.rules.customer import Customer, Subscription
from stamkund.rules.identifiers import Identifier
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.person_number import PersonNumber
from stamkund.server import jobs as upkeep
from stamkund.settings import Settings
from stamkund.store import REFRESH, TOKEN_ACCOUNT, CustomerChange, NewToken, Refresh, UniqueConflict
from stamkund.wire.services import Services
from tests.store.conftest import DAY, House, house_in, opened
from tests.support.service import NOW, customer

NUMBER = PersonNumber("800610-8230", "19")
ALL_TABLES = ("accounts", "identifiers", "audit", "outbox")


async def taken(work: Any) -> str:
    """The kind of identifier that stood in the way."""
    with pytest.raises(UniqueConflict) as caught:
        await work
    return caught.value.kind


# The hot path ----------------------------------------------------------------------------------------------


async def test_a_token_opens_with_its_client_and_organisation(house: House) -> None:
    opened = await house.store.tokens.authenticate(
        await house.token(scopes="/external/account/r /gone", expires=NOW + 7), None
    )
    assert opened is not None
    assert (opened.client.id, opened.organisation.id) == (house.client.id, house.id)
    assert (opened.scopes, opened.expires, opened.kind) == (frozenset({"/external/account/r"}), NOW + 7, "access")
    assert (opened.account_row, opened.document) == (None, None)


async def test_an_unknown_token_opens_nothing(house: House) -> None:
    for subject in (None, TOKEN_ACCOUNT, Identifier("email", "a@example.com")):
        assert await house.store.tokens.authenticate(b"unknown", subject) is None


async def test_a_token_opens_the_account_that_it_stands_for(house: House) -> None:
    row, account_id = await house.activate(await house.customer())
    opened = await house.store.tokens.authenticate(await house.token(row), TOKEN_ACCOUNT)
    assert opened is not None and opened.account_row == row
    account = house.account(opened)
    assert account is not None and account.id == account_id
    without_identity = await house.store.tokens.authenticate(await house.token(), TOKEN_ACCOUNT)
    assert without_identity is not None and without_identity.document is None


async def test_every_identifier_finds_the_account(house: House) -> None:
    made = await house.customer("77", identity_mapping=[ExternalId("crm", "1"), ExternalId("web", "2")])
    _, account_id = await house.activate(made, "Åsa.A@Example.com", alias="Åsa", social_security_number=NUMBER)
    for kind, value in (
        ("id", account_id),
        ("email", "åsa.a@example.com"),
        ("customer_number", "77"),
        ("social_security_number", house.vault.number_lookup_hash("800610-8230")),
        ("alias", "Åsa"),
        ("tulo_customer_number", "00001"),
        identifiers.external_id("crm", "1"),
        identifiers.external_id("web", "2"),
    ):
        found = await house.find(kind, value, store=house.other)
        assert found is not None and found.id == account_id, kind
    for kind, value in (("email", "Åsa.A@Example.com"), ("alias", "åsa"), ("id", "77"), ("none", "77")):
        assert await house.find(kind, value) is None, kind


async def test_a_document_comes_back_as_it_was(house: House) -> None:
    made = await house.customer("1", first_name='Å"\\ 😀\u2028', social_security_number=NUMBER)
    row, _ = await house.activate(made)
    opened = await house.other.tokens.authenticate(await house.token(row), TOKEN_ACCOUNT)
    assert opened is not None
    account = house.account(opened)
    assert account is not None and account.social_security_number is not None
    assert account.first_name == 'Å"\\ 😀\u2028' and account.social_security_number == NUMBER
    rows = await house.rows("SELECT document FROM accounts WHERE organisation = $1", house.id)
    assert "800610" not in rows[0]["document"] and "8230" not in rows[0]["document"]


async def test_a_hundred_look_ups_at_once_each_get_their_own_row(house: House) -> None:
    """Known and unknown tokens and keys, mixed: on PostgreSQL they go to the server together."""
    ids = {}
    for number in range(10):
        ids[number] = await house.activate(await house.customer(str(number)), f"{number}@example.com")
    own = {number: await house.token(row) for number, (row, _) in ids.items()}
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
        *(house.store.tokens.authenticate(token, subject) for token, subject, _ in lookups)
    )
    found = ["unknown token" if a is None else _id(house.account(a)) for a in responses]
    assert found == [expected for *_, expected in lookups]
    rows = [None if a is None else a.account_row for a in responses]
    expected_rows = {token: ids[number][0] for number, token in own.items()}
    assert rows == [expected_rows.get(token) for token, *_ in lookups]


def _id(account: Account | None) -> str | None:
    return None if account is None else account.id


async def test_a_caller_who_leaves_takes_nobody_along(house: House) -> None:
    tokens = [await house.token() for _ in range(20)]
    tasks = [asyncio.ensure_future(house.store.tokens.authenticate(token, None)) for token in tokens]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    responses = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(getattr(a, "client", None) is not None for a in responses[1::2])


# Candidates ------------------------------------------------------------------------------------------------


async def test_a_candidate_is_the_one_customer_that_everything_means(house: House) -> None:
    first = await house.customer("1", social_security_number="800610-8230")
    await house.customer("2", social_security_number="910820-5205")
    key = {
        n: Identifier("social_security_number", house.vault.number_lookup_hash(n))
        for n in ("800610-8230", "910820-5205")
    }
    by_number = Identifier("customer_number", "1")
    for sent, expected in (
        ([by_number], first.id),
        ([key["800610-8230"]], first.id),
        ([key["800610-8230"], by_number], first.id),
        ([Identifier("id", first.id)], first.id),
        ([key["910820-5205"], by_number], None),
        ([Identifier("customer_number", "9"), by_number], None),
        ([], None),
    ):
        found = await house.store.candidates.find(house.id, sent)
        assert (found.customer.id if found else None) == expected


async def test_a_candidate_is_taken_by_its_own_account_or_by_its_numbers(house: House) -> None:
    made = await house.customer("1", social_security_number="800610-8230")
    found = await house.candidate("1")
    assert found is not None and (found.in_use, found.email_in_use) == (False, False)
    await house.activate(await house.customer("2"), "b@example.com", social_security_number=NUMBER)
    found = await house.candidate("1", email="B@example.com")
    assert found is not None and (found.customer.id, found.in_use, found.email_in_use) == (made.id, True, True)
    found = await house.candidate("2")
    assert found is not None and found.in_use
    await house.customer("3")
    for number, is_taken in ((NUMBER, True), (PersonNumber("123499-0000"), False), (None, False)):
        found = await house.candidate("3", number=number)
        assert found is not None and found.in_use is is_taken


# Activation ------------------------------------------------------------------------------------------------


async def test_an_activation_leaves_everything_that_belongs_to_it(house: House) -> None:
    row, account_id = await house.activate(await house.customer("1", social_security_number="800610-8230"))
    assert [await house.count(table) for table in ALL_TABLES] == [1, 5, 1, 1]
    audit = await house.rows("SELECT at, event, client, account FROM audit WHERE organisation = $1", house.id)
    assert tuple(audit[0]) == (NOW, "account_activated", house.client.id, account_id)
    outbox = await house.rows("SELECT at, event, account FROM outbox WHERE organisation = $1", house.id)
    assert tuple(outbox[0]) == (NOW, "account_activated_for_existing_customer", account_id)
    spent = await house.rows("SELECT account FROM customers WHERE organisation = $1", house.id)
    assert spent[0]["account"] == row
    login = await house.store.logins.find(house.id, identifiers.email("A@example.com"))
    assert login is not None and (login.row, login.hash) == (row, "hash")


async def test_what_an_account_has_is_taken(house: House) -> None:
    """In this order: the candidate, its numbers, the e-mail, the alias, external ids."""
    pair = ExternalId("crm", "1")
    first = await house.customer("1", identity_mapping=[pair])
    everything: dict[str, Any] = {"social_security_number": NUMBER, "alias": "a"}
    assert await taken(house.activate(msgspec.structs.replace(first, id=new_id(NOW)))) == "candidate"
    await house.activate(first, **everything)
    assert await taken(house.activate(first)) == "candidate"
    second = await house.customer("2")
    everything["identity_mapping"] = [pair]
    assert await taken(house.activate(second, customer_number="1", **everything)) == "customer_number"
    assert await taken(house.activate(second, "A@Example.com", **everything)) == "social_security_number"
    everything["social_security_number"] = None
    assert await taken(house.activate(second, "A@Example.com", **everything)) == "email"
    assert await taken(house.activate(second, "b@example.com", **everything)) == "alias"
    everything["alias"] = None
    assert await taken(house.activate(second, "b@example.com", **everything)) == "external_id"
    assert [await house.count(table) for table in ALL_TABLES] == [1, 7, 1, 1]
    await house.activate(second, "b@example.com")
    assert await house.find("tulo_customer_number", "00002") is not None


async def test_a_fault_on_the_way_leaves_nothing(house: House) -> None:
    made = await house.customer()

    def fail(_: Customer) -> Account:
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError):
        await house.store.accounts.activate(house.id, made.id, fail, "hash", house.client.id, NOW)
    assert [await house.count(table) for table in ALL_TABLES] == [0, 0, 0, 0]
    found = await house.candidate()
    assert found is not None and not found.in_use
    await house.activate(made)


@pytest.mark.parametrize("kind", ["candidate", "email", "alias", "social_security_number"])
async def test_of_any_number_at_once_exactly_one_succeeds(house: House, kind: str) -> None:
    """From two stores, ten at a time; whoever loses leaves nothing."""
    many = [await house.customer(str(n)) for n in range(10)]
    fields: dict[str, Any] = {"alias": {"alias": "a"}, "social_security_number": {"social_security_number": NUMBER}}
    attempts = []
    for place, made in enumerate(many):
        store = (house.store, house.other)[place % 2]
        email = "same@example.com" if kind == "email" else f"{place}@example.com"
        attempts.append(
            house.activate(many[0] if kind == "candidate" else made, email, store=store, **fields.get(kind, {}))
        )
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(r.kind if isinstance(r, UniqueConflict) else "done" for r in results) == sorted([kind] * 9 + ["done"])
    assert [await house.count(table) for table in ("accounts", "audit", "outbox")] == [1, 1, 1]
    spent = await house.rows(
        "SELECT count(*) AS number FROM customers WHERE organisation = $1 AND account IS NOT NULL", house.id
    )
    assert spent[0]["number"] == 1
    assert await house.find("tulo_customer_number", "00001") is not None
    assert await house.find("tulo_customer_number", "00002") is None


async def test_different_candidates_at_once_all_succeed(house: House) -> None:
    many = [await house.customer(str(n)) for n in range(20)]
    results = await asyncio.gather(
        *(
            house.activate(made, f"{n}@example.com", store=(house.store, house.other)[n % 2])
            for n, made in enumerate(many)
        )
    )
    assert len({row for row, _ in results}) == len({i for _, i in results}) == await house.count("accounts") == 20
    for number in range(1, 21):
        assert await house.find("tulo_customer_number", f"{number:05}") is not None


async def test_crossed_identifiers_end_without_a_deadlock(house: House) -> None:
    """Each has the external id that the other wants next: one of them gets through, the other is told what is taken."""
    for round_ in range(5):
        a, b = await house.customer(f"a{round_}"), await house.customer(f"b{round_}")
        crossed = [ExternalId("k", f"{round_}x"), ExternalId("k", f"{round_}y")]
        results = await asyncio.gather(
            house.activate(a, f"a{round_}@example.com", identity_mapping=crossed),
            house.activate(b, f"b{round_}@example.com", identity_mapping=crossed[::-1], store=house.other),
            return_exceptions=True,
        )
        assert sorted(type(r).__name__ for r in results) == ["UniqueConflict", "tuple"]


# Logins ----------------------------------------------------------------------------------------------------


async def test_a_login_is_the_accounts_before_the_customers(house: House) -> None:
    made = await house.customer("1", email="Customer@example.com", password_hash="brought")
    login = await house.store.logins.find(house.id, identifiers.email("customer@EXAMPLE.com"))
    assert login is not None and login.customer is not None
    assert (login.row, login.account, login.customer.id, login.hash) == (None, None, made.id, "brought")
    row, _ = await house.activate(made, "other@example.com")
    assert await house.store.logins.find(house.id, identifiers.email("customer@example.com")) is None
    login = await house.store.logins.find(house.id, identifiers.email("other@example.com"))
    assert login is not None and login.account is not None
    assert (login.row, login.customer, login.hash) == (row, None, "hash")
    assert await house.store.logins.find(house.id, identifiers.email("nobody@example.com")) is None


async def test_a_customer_without_a_password_does_not_log_in(house: House) -> None:
    await house.customer("1", email="customer@example.com")
    assert await house.store.logins.find(house.id, identifiers.email("customer@example.com")) is None


async def test_a_customer_whose_number_an_account_uses_does_not_log_in(house: House) -> None:
    await house.customer("1", email="c@example.com", password_hash="brought", social_security_number="800610-8230")
    await house.activate(await house.customer("2"), social_security_number=NUMBER)
    assert await house.store.logins.find(house.id, identifiers.email("c@example.com")) is None


async def test_a_hash_is_upgraded_unless_it_was_changed_meanwhile(house: House) -> None:
    row, _ = await house.activate(await house.customer())
    for before, after, then in (("other", "x", "hash"), ("hash", "new", "new"), ("hash", "newer", "new")):
        await house.store.accounts.upgrade_password(row, before, after)
        login = await house.store.logins.find(house.id, identifiers.email("a@example.com"))
        assert login is not None and login.hash == then


# Tokens ----------------------------------------------------------------------------------------------------


async def test_tokens_are_kept_together_or_not_at_all(house: House) -> None:
    existing = await house.token()
    new = [NewToken(h, "access", house.client.id, None, "", NOW, NOW + DAY, "f") for h in (b"new" + existing, existing)]
    with pytest.raises(Exception, match=r"(?i)unique"):
        await house.store.tokens.add(new, house.issue())
    assert await house.store.tokens.authenticate(new[0].digest, None) is None
    assert await house.store.tokens.authenticate(existing, None) is not None


async def test_a_refresh_token_is_its_clients_until_it_ends(house: House, neighbour: House) -> None:
    row, account_id = await house.activate(await house.customer())
    held = await house.token(row, kind=REFRESH, scopes="a b", expires=NOW + DAY, family="family")
    new = NewToken(b"used" + held, "access", house.client.id, row, "a", NOW, NOW + 60, "family")
    seen = []

    async def use(token: bytes, at: int, client: str = house.client.id) -> str | None:
        def make(existing: Refresh) -> list[NewToken]:
            seen.append(existing)
            return [new]

        return await house.store.tokens.use_refresh(token, client, at, NOW + 2 * DAY, make, house.issue())

    assert await use(held, NOW + DAY) is None
    assert await use(held, NOW, neighbour.client.id) is None
    assert await use(await house.token(row), NOW) is None
    assert seen == []
    assert await use(held, NOW + DAY - 1) == account_id
    assert seen == [Refresh(row, "a b", "family", NOW + DAY)]
    opened = await house.store.tokens.authenticate(new.digest, None)
    assert opened is not None and opened.expires == NOW + 60


async def test_expired_tokens_go_in_batches(house: House) -> None:
    """Those of long ago, so that other tests' tokens are not among them; both stores clean at once."""
    over = [await house.token(expires=1000 - n) for n in range(25)]
    remaining = [await house.token(expires=1001), await house.token()]
    assert await house.store.tokens.remove_expired(1000, 10) == 10
    assert await house.store.tokens.authenticate(over[0], None) is not None, "the oldest go first"
    removed = await asyncio.gather(*(s.tokens.remove_expired(1000, 10) for s in (house.store, house.other)))
    assert sum(removed) + await house.store.tokens.remove_expired(1000, 10) == 15
    assert await house.store.tokens.remove_expired(1000, 10) == 0
    assert [await house.store.tokens.authenticate(t, None) for t in over] == [None] * 25
    assert None not in [await house.store.tokens.authenticate(t, None) for t in remaining]
    await house.store.tokens.remove_expired(1001)


async def test_upkeep_removes_all_batch_after_batch(house: House) -> None:
    over = [
        NewToken(b"upkeep%d" % n, "access", house.client.id, None, "", 0, 500, "f") for n in range(2 * upkeep.BATCH + 1)
    ]
    await house.store.tokens.add(over, house.issue())
    settings = Settings(argon2_memory_kib=8)
    services = Services(settings, house.store, house.vault, Passwords(settings), lambda: 500)
    assert await upkeep.remove_expired_tokens(services) == len(over)
    assert await upkeep.remove_expired_tokens(services) == 0
    services.passwords.close()


# Import: the basics ----------------------------------------------------------------------------------------


async def test_customers_are_made_changed_and_left_alone(house: House) -> None:
    first = customer("1", NOW, social_security_number=None)
    outcome = await house.put(first, customer("2", NOW, social_security_number=None))
    assert (outcome.created, outcome.updated, outcome.unchanged, outcome.rejected) == (2, 0, 0, [])
    seen = []

    def look(before: Customer | None) -> Customer:
        assert before is not None
        seen.append(before.id)
        return before

    def rename(before: Customer | None) -> Customer:
        assert before is not None
        return msgspec.structs.replace(before, first_name="Åke")

    outcome = await house.store.customers.put(house.id, [CustomerChange("1", rename), CustomerChange("2", look)], NOW)
    assert (outcome.created, outcome.updated, outcome.unchanged) == (0, 1, 1)
    found = await house.candidate("1")
    assert found is not None and (found.customer.first_name, found.customer.id) == ("Åke", first.id)
    assert await house.count("customers") == 2


async def test_a_dry_run_writes_nothing(house: House) -> None:
    outcome = await house.put(customer("1", NOW), dry_run=True)
    assert outcome.created == 1 and await house.count("customers") == 0


async def test_what_is_one_customers_is_refused_to_another(house: House) -> None:
    """In the database and within the batch; the rest of the batch goes in."""
    await house.customer("1", social_security_number="800610-8230")
    batch = [
        customer("2", NOW, social_security_number="800610-8230"),
        customer("3", NOW, social_security_number="910820-5205"),
        customer("4", NOW, social_security_number="910820-5205"),
        customer("5", NOW, social_security_number=None),
    ]
    outcome = await house.put(*batch)
    assert [(t.place, t.kind) for t in outcome.rejected] == [
        (0, "social_security_number"),
        (2, "social_security_number"),
    ]
    assert outcome.created == 2
    assert [(await house.candidate(n)) is not None for n in "12345"] == [True, False, True, False, True]


async def test_a_number_that_moves_leaves_its_old_owner(house: House) -> None:
    made = await house.customer("1", social_security_number="800610-8230")
    await house.put(msgspec.structs.replace(made, social_security_number=None))
    second = await house.customer("2", social_security_number="800610-8230")
    sent = [Identifier("social_security_number", house.vault.number_lookup_hash("800610-8230"))]
    found = await house.store.candidates.find(house.id, sent)
    assert found is not None and found.customer.id == second.id


async def test_an_account_follows_its_customer(house: House) -> None:
    made = await house.customer()
    await house.activate(made)
    more = Subscription(new_id(NOW), "more", valid_from=NOW)
    await house.put(msgspec.structs.replace(made, subscriptions=[*made.subscriptions, more]))
    account = await house.find("email", "a@example.com")
    assert account is not None
    assert [p.product_code for p in account.user_products] == ["package_code", "more"]


async def test_imports_and_activations_at_once(house: House) -> None:
    made = [await house.customer(str(n)) for n in range(10)]

    def more(before: Customer | None) -> Customer:
        assert before is not None
        return msgspec.structs.replace(
            before, subscriptions=[*before.subscriptions, Subscription(before.id[::-1], "more")]
        )

    changes = [CustomerChange(str(n), more) for n in range(10)]
    await asyncio.gather(
        house.other.customers.put(house.id, changes, NOW),
        *(house.activate(c, f"{c.customer_number}@example.com") for c in made),
    )
    for n in range(10):
        account = await house.find("customer_number", str(n))
        assert account is not None
        assert [p.product_code for p in account.user_products] == ["package_code", "more"], n


# The installation ------------------------------------------------------------------------------------------


async def test_organisations_are_made_and_changed(house: House) -> None:
    assert house.id in [o.id for o in await house.store.organisations.all()]
    assert await house.store.organisations.get("unknown") is None

    def change(before: Organisation | None) -> Organisation:
        assert before is not None
        return msgspec.structs.replace(before, timezone="UTC")

    changed = await house.store.organisations.change(house.id, change)
    assert changed.timezone == "UTC"
    assert await house.other.organisations.get(house.id) == changed


async def test_changes_of_one_organisation_at_once_are_all_kept(house: House) -> None:
    def longer(before: Organisation | None) -> Organisation:
        assert before is not None
        return msgspec.structs.replace(before, name=before.name + "!")

    await asyncio.gather(*((house.store, house.other)[n % 2].organisations.change(house.id, longer) for n in range(10)))
    remaining = await house.store.organisations.get(house.id)
    assert remaining is not None and remaining.name == house.organisation.name + "!" * 10


async def test_clients_are_added_listed_and_changed(house: House, neighbour: House) -> None:
    second = Client(new_id(NOW + 1), house.id, "Second", NOW, ["/x"], [])
    await house.store.clients.add(second)
    assert [c.id for c in await house.other.clients.of_organisation(house.id)] == [house.client.id, second.id]
    assert await house.store.clients.get(second.id) == (second, house.organisation)
    assert await house.store.clients.get("unknown") is None
    changed = await house.store.clients.change(second.id, lambda c: msgspec.structs.replace(c, disabled=True))
    assert changed is not None and changed.disabled
    assert (await house.other.clients.get(second.id)) == (changed, house.organisation)
    assert await house.store.clients.change("unknown", lambda c: c) is None
    with pytest.raises(Exception, match=r"(?i)unique"):
        await house.store.clients.add(second)
    assert neighbour.client.id not in [c.id for c in await house.store.clients.of_organisation(house.id)]


async def test_a_disabled_client_is_seen_by_the_next_look_up(house: House) -> None:
    token = await house.token()
    await house.other.clients.change(house.client.id, lambda c: msgspec.structs.replace(c, disabled=True))
    opened = await house.store.tokens.authenticate(token, None)
    assert opened is not None and opened.client.disabled


async def test_ping(house: House) -> None:
    await house.store.ping()


# Organisations held apart ----------------------------------------------------------------------------------


async def test_the_same_identifiers_in_two_organisations(house: House, neighbour: House) -> None:
    ids = {}
    for one in (house, neighbour):
        made = await one.customer("1", identity_mapping=[ExternalId("crm", "1")])
        ids[one.id] = (await one.activate(made, alias="a", social_security_number=NUMBER))[1]
    for kind, value in (
        ("email", "a@example.com"),
        ("customer_number", "1"),
        ("alias", "a"),
        ("tulo_customer_number", "00001"),
        ("social_security_number", house.vault.number_lookup_hash(NUMBER.ten)),
        identifiers.external_id("crm", "1"),
    ):
        for one in (house, neighbour):
            found = await one.find(kind, value)
            assert found is not None and found.id == ids[one.id]
    assert await house.find("id", ids[neighbour.id]) is None


async def test_another_organisations_customer_is_nobody(house: House, neighbour: House) -> None:
    theirs = await neighbour.customer("1", email="t@example.com", password_hash="brought")
    assert await house.candidate("1") is None
    assert await house.store.candidates.find(house.id, [Identifier("id", theirs.id)]) is None
    assert await taken(house.activate(theirs)) == "candidate"
    assert await house.store.logins.find(house.id, identifiers.email("t@example.com")) is None
    await neighbour.activate(theirs)
    assert await house.store.logins.find(house.id, identifiers.email("a@example.com")) is None


# Views -----------------------------------------------------------------------------------------------------


async def test_views_unfold_the_documents(house: House) -> None:
    """For people who query the database; none shows a social security number."""
    made = await house.customer("1", first_name="Åsa", social_security_number=NUMBER)
    row, account_id = await house.activate(made)
    await house.customer("2", subscriptions=[])
    subscription = made.subscriptions[0]
    for view, columns, expected in (
        (
            "account_list",
            "row, id, email, first_name, customer_number",
            [(row, account_id, "a@example.com", "Åsa", "1")],
        ),
        (
            "user_product_list",
            "account, id, product_code, state",
            [(row, subscription.id, "package_code", "activated")],
        ),
        ("customer_list", "account, id, customer_number, zip_code", [(row, made.id, "1", "43921")]),
        ("subscription_list", "id, package_code, state", [(subscription.id, "package_code", "activated")]),
    ):
        found = await house.rows(f"SELECT {columns} FROM {view} WHERE organisation = $1", house.id)
        assert set(expected) <= {tuple(r) for r in found}, view
        everything = await house.rows(f"SELECT * FROM {view} WHERE organisation = $1", house.id)
        assert "800610" not in str([tuple(r) for r in everything])


# Keys ------------------------------------------------------------------------------------------------------


async def test_everything_is_sealed_anew_with_a_new_key(fresh_url: str, tmp_path: Path) -> None:
    installation = await opened(fresh_url, tmp_path / "a.key")
    house, vault = await house_in(installation, installation), installation.vault
    try:
        made = await house.customer("1", social_security_number=NUMBER)
        await house.activate(made)
        old = await _sealed(house)
        new_key = vault.add_key(NOW)
        done: list[int] = []
        await house.store.encryption.reencrypt(vault, done.append, batch=1)
        assert sum(done) > 0
        await _readable(house)
        vault.drop_key("1")
        await house.store.encryption.drop_number_hashes("1")
        await _readable(house)
        assert old != await _sealed(house)
        assert all(f'"{new_key}.' in document for document in await _sealed(house))
        remaining = await house.rows("SELECT value FROM identifiers WHERE kind = 'social_security_number'")
        assert [row["value"].partition(".")[0] for row in remaining] == [new_key]
    finally:
        await installation.close()


async def _sealed(house: House) -> list[str]:
    found = await house.rows("SELECT document FROM accounts UNION ALL SELECT document FROM customers")
    return [row["document"] for row in found]


async def _readable(house: House) -> None:
    account = await house.find("social_security_number", house.vault.number_lookup_hash(NUMBER.ten))
    assert account is not None and account.social_security_number == NUMBER
    found = await house.candidate("1")
    assert found is not None and found.customer.social_security_number == NUMBER
    assert person_number.from_stored(NUMBER.stored()) == NUMBER


async def test_two_stores_at_once_make_one_schema_and_one_key_file(fresh_url: str, tmp_path: Path) -> None:
    """As two workers do at the first start."""
    one, two = await asyncio.gather(*(opened(fresh_url, tmp_path / "a.key") for _ in range(2)))
    house = await house_in(one, two)
    try:
        await house.customer("1", social_security_number=NUMBER)
        sent = [Identifier("social_security_number", two.vault.number_lookup_hash(NUMBER.ten))]
        assert await house.other.candidates.find(house.id, sent) is not None
    finally:
        await asyncio.gather(one.close(), two.close())
