"""Numbers and e-mails that move from one customer to another, and the accounts that follow."""

from __future__ import annotations

from typing import Any

import pytest

from stamkund.importing import CannotRun, Reading, Summary, run
from stamkund.rules import identifiers
from stamkund.rules.identifiers import Identifier
from stamkund.store import UniqueConflict
from stamkund.store.verbs.renumbering import MoveRefused
from tests.importing.conftest import NOW, Publisher

pytestmark = pytest.mark.both_engines

PHPASS = "$P$B12345678abcdefghijklmnopqrstuv"
OVE, ANNA, EVA = "620817-9256", "800610-8230", "860101-3348"
FULL = Reading(full=True)


def row(number: str, person: str | None = None, package: str = "total", **more: Any) -> dict[str, Any]:
    return {
        "customer_number": number,
        "social_security_number": person,
        "subscriptions": [{"package_code": package, "subscription_number": f"S-{package}"}],
        **more,
    }


def others(count: int) -> list[dict[str, Any]]:
    return [row(str(n), package="weekend") for n in range(500_000, 500_000 + count)]


async def account_number(publisher: Publisher, person: str) -> str | None:
    """The customer number of the account that is found by a social security number."""
    key = publisher.vault.number_lookup_hash(publisher.organisation.id, person)
    login = await publisher.store.logins.find(publisher.organisation.id, Identifier(identifiers.PERSON_NUMBER, key))
    return None if login is None or login.account is None else login.account.customer_number


async def activate(publisher: Publisher, number: str, email: str) -> str:
    await publisher.activate(number, email)
    return (await publisher.account(email)).id


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("apart", [0, 1500])
async def test_a_swap_within_a_file_is_no_conflict(publisher: Publisher, *, apart: int, dry_run: bool) -> None:
    between = others(apart)
    await publisher.rows(row("310031", OVE), *between, row("900032", ANNA))
    await activate(publisher, "310031", "ove@example.com")
    await activate(publisher, "900032", "anna@example.com")
    swapped = [row("310031", ANNA), *between, row("900032", OVE)]
    summary, bad = await publisher.rows(*swapped, dry_run=dry_run, now=NOW + 1)
    assert (summary, bad, publisher.remarks) == (Summary(updated=2, unchanged=apart), [], [])
    if not dry_run:
        assert await account_number(publisher, OVE) == "900032"
        assert await account_number(publisher, ANNA) == "310031"
        assert await publisher.rows(*swapped) == (Summary(unchanged=apart + 2), [])


@pytest.mark.parametrize("apart", [0, 1500])
async def test_a_chain_through_a_file_is_no_conflict(publisher: Publisher, apart: int) -> None:
    await publisher.rows(row("1", OVE), row("2", ANNA))
    summary, bad = await publisher.rows(row("3", OVE), *others(apart), row("1", ANNA), row("2", EVA))
    assert (summary.rejected, bad) == (0, [])


async def test_what_contradicts_itself_is_still_rejected(publisher: Publisher) -> None:
    """Nobody gives up the number, so the first keeps it; and a change that is refused frees nothing."""
    await publisher.rows(row("1", OVE), row("2", ANNA))
    summary, bad = await publisher.rows(row("3", ANNA), row("2", OVE), row("4", EVA))
    assert (summary.created, [(b.line, b.column) for b in bad]) == (
        1,
        [(1, "social_security_number"), (2, "social_security_number")],
    )


async def test_an_account_follows_the_new_social_security_number_of_its_customer(publisher: Publisher) -> None:
    """A person with a co-ordination number has got a personal number."""
    await publisher.rows(row("310041", "700163-2391"))
    await activate(publisher, "310041", "ove@example.com")
    assert await account_number(publisher, "700163-2391") == "310041"
    await publisher.rows(row("310041", ANNA), now=NOW + 1)
    assert await account_number(publisher, ANNA) == "310041"
    assert await account_number(publisher, "700163-2391") is None
    number = (await publisher.account("ove@example.com")).social_security_number
    assert number is not None and number.twelve == "198006108230"


async def test_an_account_keeps_its_number_where_another_account_has_the_new_one(publisher: Publisher) -> None:
    await publisher.rows(row("1", None), row("2", OVE))
    await activate(publisher, "2", "ove@example.com")
    await publisher.rows(row("2", EVA))
    await publisher.store.accounts.activate(
        publisher.organisation.id,
        (await publisher.existing_customer("1")).id,
        lambda _: _account_with(publisher, "anna@example.com", "1", OVE),
        "hash",
        "client",
        NOW,
    )
    summary, bad = await publisher.rows(row("2", OVE))
    assert (summary.updated, bad) == (1, [])
    assert [(r.column, r.customer_number) for r in publisher.remarks] == [("social_security_number", "2")]
    assert await account_number(publisher, OVE) == "1"
    assert await account_number(publisher, EVA) == "2"


def _account_with(publisher: Publisher, email: str, number: str, person: str) -> Any:
    from datetime import date

    from stamkund.rules import person_number
    from stamkund.rules.account import Account
    from stamkund.rules.ids import new_id

    parsed = person_number.parse(person, date(2025, 10, 9))
    return Account(new_id(NOW), email, "active", True, NOW, NOW, number, social_security_number=parsed)


class TestPreviousNumber:
    """`previous_customer_number` says that a customer had another number."""

    async def test_the_customer_and_the_account_follow(self, publisher: Publisher) -> None:
        await publisher.rows(row("310011", OVE))
        id_ = await activate(publisher, "310011", "ove@example.com")
        before = await publisher.existing_customer("310011")
        moved = row("310012", OVE, "sport", previous_customer_number="310011")
        summary, bad = await publisher.rows(moved, now=NOW + 1)
        assert (summary, bad, publisher.remarks) == (Summary(updated=1), [], [])
        after = await publisher.existing_customer("310012")
        assert after.id == before.id
        assert await publisher.customer("310011") is None
        account = await publisher.account("ove@example.com")
        assert (account.id, account.customer_number) == (id_, "310012")
        assert await publisher.products("ove@example.com") == ["sport"]
        assert await account_number(publisher, OVE) == "310012"
        assert await publisher.rows(moved) == (Summary(unchanged=1), [])

    async def test_a_customer_who_is_stored_under_both_is_one_from_now_on(self, publisher: Publisher) -> None:
        await publisher.rows(row("1", OVE), row("2", None, "sport"))
        id_ = await activate(publisher, "1", "ove@example.com")
        summary, bad = await publisher.rows(row("2", OVE, "sport", previous_customer_number=" 1 "), now=NOW + 1)
        assert (summary, bad, publisher.remarks) == (Summary(updated=1), [], [])
        assert await publisher.customer("1") is None
        account = await publisher.account("ove@example.com")
        assert (account.id, account.customer_number) == (id_, "2")
        assert await publisher.products("ove@example.com") == ["sport"]

    async def test_nothing_is_lost_when_two_become_one(self, publisher: Publisher) -> None:
        """The row says nothing but who the customer was: what only the old record had goes along."""
        login = {"email": "ove@example.com", "password_hash": PHPASS}
        old = row(
            "50", OVE, "sport", first_name="Ove", address={"city": "Umeå"}, identity_mapping={"crm": "7"}, **login
        )
        await publisher.rows(old, {"customer_number": "60", "last_name": "Ovesson", "identity_mapping": {"app": "8"}})
        link = {"customer_number": "60", "previous_customer_number": "50"}
        assert await publisher.rows(link, now=NOW + 1) == (Summary(updated=1), [])
        assert await publisher.customer("50") is None
        one = await publisher.existing_customer("60")
        assert (one.first_name, one.last_name, one.address.city) == ("Ove", "Ovesson", "Umeå")
        assert (one.email, one.password_hash is not None) == ("ove@example.com", True)
        assert one.social_security_number is not None and one.social_security_number.ten == OVE
        assert {(i.key, i.value) for i in one.identity_mapping} == {("crm", "7"), ("app", "8")}
        assert [(s.package_code, s.state) for s in one.subscriptions] == [("sport", "activated")]
        assert await publisher.rows(link, now=NOW + 2) == (Summary(unchanged=1), [])

    async def test_two_accounts_do_not_become_one(self, publisher: Publisher) -> None:
        await publisher.rows(row("1", OVE), row("2", ANNA))
        await activate(publisher, "1", "ove@example.com")
        await activate(publisher, "2", "anna@example.com")
        summary, bad = await publisher.rows(row("2", ANNA, "sport", previous_customer_number="1"))
        assert (summary.updated, bad) == (1, [])
        assert [r.column for r in publisher.remarks] == ["previous_customer_number"]
        assert await publisher.customer("1") is not None

    @pytest.mark.parametrize("backwards", [False, True])
    async def test_a_number_that_another_customer_gives_up(self, publisher: Publisher, backwards: bool) -> None:
        """Ove gets Anna's number, and she another one: nobody gets what is another's."""
        await publisher.rows(row("1", OVE), row("2", ANNA))
        oves, annas = (
            await activate(publisher, "1", "ove@example.com"),
            await activate(publisher, "2", "anna@example.com"),
        )
        rows = [row("2", OVE, "sport", previous_customer_number="1"), row("3", ANNA, previous_customer_number="2")]
        summary, bad = await publisher.rows(*(reversed(rows) if backwards else rows), now=NOW + 1)
        assert (summary, bad, publisher.remarks) == (Summary(updated=2), [], [])
        for id_, email, number, product in ((oves, "ove", "2", "sport"), (annas, "anna", "3", "total")):
            account = await publisher.account(f"{email}@example.com")
            assert (account.id, account.customer_number) == (id_, number)
            assert await publisher.products(f"{email}@example.com") == [product]
        assert await publisher.customer("1") is None

    async def test_a_number_that_another_row_keeps(self, publisher: Publisher) -> None:
        """The file contradicts itself: what it says of both numbers is stored, and reported."""
        await publisher.rows(row("1", OVE))
        summary, bad = await publisher.rows(row("1", OVE, "sport"), row("2", None, previous_customer_number="1"))
        assert (summary, bad) == (Summary(created=1, updated=1, remarks=1), [])
        assert [(r.customer_number, r.reason) for r in publisher.remarks] == [("2", MoveRefused.IN_USE.value)]

    async def test_a_number_that_a_row_far_away_keeps(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Anna has got Ove's number, and he another one: her row, in an earlier batch, is not undone."""
        monkeypatch.setattr(run, "BATCH", 2)
        await publisher.rows(row("50", OVE))
        file = [row("50", None, "sport", first_name="Anna"), *others(5), row("99", None, previous_customer_number="50")]
        summary, bad = await publisher.rows(*file, now=NOW + 1)
        assert (summary.created, summary.updated, bad) == (6, 1, [])
        assert [(r.customer_number, r.reason) for r in publisher.remarks] == [("99", MoveRefused.IN_USE.value)]
        assert (await publisher.existing_customer("50")).first_name == "Anna"

    @pytest.mark.parametrize("between", [0, 5])
    @pytest.mark.parametrize("moves_first", [True, False])
    async def test_a_number_that_another_row_has_unchanged(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, between: int, *, moves_first: bool
    ) -> None:
        """However the rows stand, and however often the file is imported: they are two customers."""
        monkeypatch.setattr(run, "BATCH", 2)
        old, new = row("57", None, "sport"), row("58", None, previous_customer_number="57")
        await publisher.rows(old)
        file = [new, *others(between), old] if moves_first else [old, *others(between), new]
        for night in range(3):
            summary, bad = await publisher.rows(*file, now=NOW + night)
            assert (summary.created, summary.updated, bad) == (0 if night else between + 1, 0, [])
            assert [(r.customer_number, r.reason) for r in publisher.remarks] == [("58", MoveRefused.IN_USE.value)]

    async def test_one_who_is_unknown_says_nothing(self, publisher: Publisher) -> None:
        summary, bad = await publisher.rows(row("2", OVE, previous_customer_number="1"))
        assert (summary, bad, publisher.remarks) == (Summary(created=1), [], [])


class TestMove:
    """`stamkund account move`: an operator says whose an account is."""

    async def test_to_a_number_that_is_not_stored(self, publisher: Publisher) -> None:
        await publisher.rows(row("1", OVE))
        id_ = await activate(publisher, "1", "ove@example.com")
        await publisher.store.customers.move_account(publisher.organisation.id, id_, "2", NOW)
        assert (await publisher.account("ove@example.com")).customer_number == "2"
        summary, bad = await publisher.rows(row("2", OVE, "sport"))
        assert (summary, bad) == (Summary(updated=1), [])
        assert await publisher.products("ove@example.com") == ["sport"]

    async def test_to_another_customer(self, publisher: Publisher) -> None:
        await publisher.rows(row("1", OVE), row("2", None, "sport"))
        id_ = await activate(publisher, "1", "ove@example.com")
        await publisher.store.customers.move_account(publisher.organisation.id, id_, "2", NOW)
        assert await publisher.products("ove@example.com") == ["sport"]
        await publisher.rows(row("2", None, "weekend"), row("1", OVE, "total"))
        assert await publisher.products("ove@example.com") == ["weekend"]

    async def test_what_can_not_be(self, publisher: Publisher) -> None:
        await publisher.rows(row("1", OVE), row("2", ANNA))
        id_ = await activate(publisher, "1", "ove@example.com")
        await activate(publisher, "2", "anna@example.com")
        move = publisher.store.customers.move_account
        for account, number, kind in ((id_, "2", "candidate"), ("0" * 24, "2", "id")):
            with pytest.raises(UniqueConflict) as conflict:
                await move(publisher.organisation.id, account, number, NOW)
            assert conflict.value.kind == kind
        assert (await publisher.account("ove@example.com")).customer_number == "1"


class TestFullExport:
    """A complete file ends the subscriptions of whoever it does not name."""

    async def test_who_is_not_named(self, publisher: Publisher) -> None:
        await publisher.rows(*others(20), row("840001"))
        await activate(publisher, "840001", "ove@example.com")
        summary, bad = await publisher.rows(*others(20), reading=FULL, dry_run=True)
        assert (summary, bad, publisher.missing) == (Summary(unchanged=20, ended=1), [], ["840001"])
        assert await publisher.products("ove@example.com") == ["total"]
        summary, bad = await publisher.rows(*others(20), reading=FULL)
        assert (summary, bad, publisher.missing) == (Summary(unchanged=20, ended=1), [], ["840001"])
        assert await publisher.products("ove@example.com") == []
        assert await publisher.rows(*others(20), reading=FULL) == (Summary(unchanged=20), [])
        await publisher.rows(*others(20), row("840001"), reading=FULL)
        assert await publisher.products("ove@example.com") == ["total"]

    async def test_a_file_that_was_cut_off(self, publisher: Publisher) -> None:
        await publisher.rows(*others(20))
        with pytest.raises(CannotRun, match="does not name 3 of 20 customers with subscriptions"):
            await publisher.rows(*others(17), reading=FULL)
        assert (await publisher.existing_customer("500019")).subscriptions[0].state == "activated"
        assert publisher.missing == []
        with pytest.raises(CannotRun, match="More than 10% would lose"):
            await publisher.rows(*others(17), reading=FULL, dry_run=True)
        assert publisher.missing == ["500017", "500018", "500019"], "a dry run says who they are all the same"
        summary, _ = await publisher.rows(*others(17), reading=FULL, force=True)
        assert summary.ended == 3

    async def test_customers_without_a_subscription_do_not_make_it_complete(self, publisher: Publisher) -> None:
        """All who pay are missing: that those who don't are many says nothing."""
        await publisher.rows(*others(3), *({"customer_number": f"6{n:04}"} for n in range(60)))
        with pytest.raises(CannotRun, match="does not name 3 of 3 customers with subscriptions"):
            await publisher.rows(*({"customer_number": f"6{n:04}"} for n in range(60)), reading=FULL)

    async def test_a_second_file_that_was_cut_off(self, publisher: Publisher) -> None:
        """The first names everybody, the second has the subscriptions of two."""
        numbers = [str(n) for n in range(30)]
        customers = publisher.file("customers.csv", "\n".join(["customer_number", *numbers]).encode())
        lines = [f"{number},total" for number in numbers]
        whole = publisher.file("lines.csv", "\n".join(["customer_number,package_code", *lines]).encode())
        await publisher.read(customers, whole, reading=FULL)
        cut = publisher.file("cut.csv", "\n".join(["customer_number,package_code", *lines[:2]]).encode())
        with pytest.raises(CannotRun, match="28 of 30 customers with subscriptions, or names them without any"):
            await publisher.read(customers, cut, reading=FULL)
        assert (await publisher.existing_customer("29")).subscriptions[0].state == "activated"
        few = publisher.file("few.csv", "\n".join(["customer_number,package_code", *lines[:28]]).encode())
        summary, _ = await publisher.read(customers, few, reading=FULL)
        assert (summary.ended, sorted(publisher.missing)) == (2, ["28", "29"])
        assert (await publisher.existing_customer("29")).subscriptions[0].state == "deactivated"

    async def test_rejects_are_no_complete_file(self, publisher: Publisher) -> None:
        await publisher.rows(*others(20))
        with pytest.raises(CannotRun, match="can't be imported with --full"):
            await publisher.csv("customer_number;reason\n500001;\n", reading=FULL)

    async def test_a_rejected_row_names_its_customer(self, publisher: Publisher) -> None:
        await publisher.rows(*others(20))
        rows = others(20)
        rows[3]["social_security_number"] = "hemlig"
        summary, bad = await publisher.rows(*rows, reading=FULL)
        assert (summary.ended, len(bad)) == (0, 1)

    async def test_a_row_of_an_unknown_customer_ends_nothing(self, publisher: Publisher) -> None:
        await publisher.rows(*others(20))
        content = publisher.file("a.jsonl", others(19)).read_bytes() + b'{"customer\n'
        with pytest.raises(CannotRun, match=r"of rejected rows \(1\) nobody knows whose"):
            await publisher.read(publisher.file("b.jsonl", content), reading=FULL)

    async def test_a_number_that_moved_takes_its_account_along(self, publisher: Publisher) -> None:
        """The old customer is not in a complete file, and the new one has the social security number."""
        await publisher.rows(row("310011", OVE), *others(20))
        id_ = await activate(publisher, "310011", "ove@example.com")
        summary, bad = await publisher.rows(row("310012", OVE, "sport"), *others(20), reading=FULL, now=NOW + 1)
        assert (summary, bad) == (Summary(updated=1, unchanged=20), [])
        account = await publisher.account("ove@example.com")
        assert (account.id, account.customer_number) == (id_, "310012")
        assert await publisher.products("ove@example.com") == ["sport"]

    @pytest.mark.parametrize("rest", [b"", b"not json\n"])
    async def test_no_number_moves_by_a_file_that_is_not_complete(self, publisher: Publisher, rest: bytes) -> None:
        """It was cut off, or has a row of nobody knows whom: the old number may be in what is missing."""
        await publisher.rows(row("310011", OVE), *others(20))
        id_ = await activate(publisher, "310011", "ove@example.com")
        left = others(20 if rest else 1)
        content = publisher.file("a.jsonl", [row("310012", OVE, "sport"), *left]).read_bytes() + rest
        with pytest.raises(CannotRun):
            await publisher.read(publisher.file("b.jsonl", content), reading=FULL, now=NOW + 1)
        account = await publisher.account("ove@example.com")
        assert (account.id, account.customer_number) == (id_, "310011")
        assert await publisher.products("ove@example.com") == ["total"]


class TestImportedLogins:
    """An e-mail by which a customer logs in is taken, for everybody but that customer."""

    LOGIN = {"email": "delad@example.com", "password_hash": PHPASS}

    async def test_another_customer_is_not_activated_with_it(self, publisher: Publisher) -> None:
        await publisher.rows(row("830001", **self.LOGIN), row("830002"))
        other = await publisher.existing_customer("830002")
        candidate = await publisher.store.candidates.find(
            publisher.organisation.id, [Identifier(identifiers.ID, other.id)], "Delad@example.com"
        )
        assert candidate is not None and candidate.email_in_use
        with pytest.raises(UniqueConflict) as conflict:
            await publisher.activate("830002", "Delad@example.com")
        assert conflict.value.kind == identifiers.EMAIL
        await publisher.activate("830001", "delad@example.com")
        assert (await publisher.account("delad@example.com")).customer_number == "830001"

    @pytest.mark.parametrize("apart", [0, 1500])
    @pytest.mark.parametrize("dry_run", [True, False])
    async def test_a_second_row_is_imported_without_it(
        self, publisher: Publisher, *, apart: int, dry_run: bool
    ) -> None:
        rows = [row("a", **self.LOGIN), *others(apart), row("b", **self.LOGIN)]
        summary, bad = await publisher.rows(*rows, dry_run=dry_run)
        assert (summary, bad) == (Summary(created=apart + 2, remarks=1, weak_hashes={"phpass": 2}), [])
        assert [(r.line, r.column, r.customer_number) for r in publisher.remarks] == [(apart + 2, "password_hash", "b")]
        if not dry_run:
            second = await publisher.existing_customer("b")
            assert (second.email, second.password_hash) == ("delad@example.com", None)
            assert (await publisher.rows(*rows))[0] == Summary(
                unchanged=apart + 2, remarks=1, weak_hashes={"phpass": 2}
            )

    async def test_an_account_of_somebody_else_has_it(self, publisher: Publisher) -> None:
        await publisher.rows(row("1"))
        await publisher.activate("1", "delad@example.com")
        summary, bad = await publisher.rows(row("2", **self.LOGIN), row("1", **self.LOGIN))
        assert (summary, bad) == (Summary(created=1, updated=1, remarks=1, weak_hashes={"phpass": 2}), [])
        assert [r.customer_number for r in publisher.remarks] == ["2"]
