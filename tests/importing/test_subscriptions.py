"""Subscriptions, in the row and in a file of their own, and the accounts that follow them."""

from __future__ import annotations

from typing import Any

import pytest

from stamkund.importing import BadRow
from stamkund.rules import ids
from tests.importing.conftest import NOW, Publisher

pytestmark = pytest.mark.both_engines

CUSTOMER = {"customer_number": "1"}
TOTAL = {"package_code": "total", "subscription_number": "S1", "valid_to": "2027-01-01"}
WEEKEND = {"package_code": "weekend", "valid_from": "2020-01-01"}


def with_subscriptions(*subscriptions: dict[str, Any], number: str = "1") -> dict[str, Any]:
    return {"customer_number": number, "subscriptions": list(subscriptions)}


async def states(publisher: Publisher, number: str = "1") -> list[tuple[str, str]]:
    return [(s.package_code, s.state) for s in (await publisher.existing_customer(number)).subscriptions]


async def test_a_list_is_the_full_list(publisher: Publisher) -> None:
    await publisher.rows(with_subscriptions(TOTAL, WEEKEND))
    before = (await publisher.existing_customer("1")).subscriptions
    assert all(ids.is_id(s.id) for s in before)
    await publisher.rows(with_subscriptions(TOTAL | {"package_code": "digital"}), now=NOW + 1)
    after = (await publisher.existing_customer("1")).subscriptions
    assert [s.id for s in after] == [s.id for s in before]
    assert [(s.package_code, s.state) for s in after] == [("digital", "activated"), ("weekend", "deactivated")]
    await publisher.rows(with_subscriptions(WEEKEND, TOTAL), now=NOW + 2)
    assert (await publisher.existing_customer("1")).subscriptions == before


async def test_no_list_leaves_them_alone_and_an_empty_one_ends_them(publisher: Publisher) -> None:
    await publisher.rows(with_subscriptions(TOTAL))
    assert (await publisher.rows(CUSTOMER))[0].unchanged == 1
    assert (await publisher.csv("customer_number\n1\n"))[0].unchanged == 1
    assert await states(publisher) == [("total", "activated")]
    await publisher.rows(with_subscriptions())
    assert await states(publisher) == [("total", "deactivated")]


async def test_another_order_is_no_change(publisher: Publisher) -> None:
    await publisher.rows(with_subscriptions(TOTAL, WEEKEND))
    summary, _ = await publisher.rows(with_subscriptions(WEEKEND, TOTAL), now=NOW + 1)
    assert summary.unchanged == 1


async def test_a_second_file(publisher: Publisher) -> None:
    customers = "customer_number\n" + "".join(f"{n}\n" for n in range(5))
    lines = "customer_number,package_code\n2,b\n0,a\n3,c\n2,a\n"
    summary, bad = await publisher.csv(customers, lines)
    assert (summary.created, summary.rejected, bad) == (5, 0, [])
    assert [await states(publisher, str(n)) for n in range(5)] == [
        [("a", "activated")],
        [],
        [("b", "activated"), ("a", "activated")],
        [("c", "activated")],
        [],
    ]
    summary, _ = await publisher.csv(customers, "customer_number,package_code\n3,c\n2,a\n0,a\n")
    assert (summary.updated, summary.unchanged) == (1, 4)
    assert await states(publisher, "2") == [("b", "deactivated"), ("a", "activated")]


@pytest.mark.parametrize("first", ["rows.jsonl", "rows.csv"])
@pytest.mark.parametrize("second", ["lines.jsonl", "lines.csv"])
async def test_any_format_goes_with_any(publisher: Publisher, first: str, second: str) -> None:
    customers = '{"customer_number": "1"}\n' if first.endswith("l") else "customer_number\n1\n"
    csv = "package_code;valid_to;customer_number\ntotal;;1\n"
    lines = '{"package_code": "total", "customer_number": "1"}\n' if second.endswith("l") else csv
    await publisher.read(publisher.file(first, customers), publisher.file(second, lines))
    assert await states(publisher) == [("total", "activated")]


async def test_subscriptions_stand_in_one_place(publisher: Publisher) -> None:
    second = publisher.file("lines.jsonl", [])
    _, bad = await publisher.read(
        publisher.file("rows.jsonl", [with_subscriptions(), {"customer_number": "2"}]), second
    )
    assert [(b.line, b.column) for b in bad] == [(1, "subscriptions")]


async def test_a_bad_line_ends_nothing_of_its_customer(publisher: Publisher) -> None:
    await publisher.csv("customer_number\n1\n2\n3\n", "customer_number,package_code\n1,a\n2,a\n2,b\n3,c\n")
    summary, bad = await publisher.csv(
        "customer_number,first_name\n1,Ove\n2,Ove\n3,Ove\n",
        'customer_number,package_code,valid_to\n3,c,\n2,b,\n2,a,soon\n1,"a\n',
    )
    lines = str(publisher.folder / "subscriptions.csv")
    assert (summary.updated, summary.rejected) == (3, 2)
    assert [(b.file, b.line, b.column) for b in bad] == [(lines, 4, "valid_to"), (lines, 5, None)]
    assert await states(publisher, "1") == [("a", "activated")]
    assert await states(publisher, "2") == [("a", "activated"), ("b", "activated")]
    assert (await publisher.existing_customer("1")).first_name == "Ove"


async def test_an_open_quotation_mark_ends_no_subscription(publisher: Publisher) -> None:
    lines = [f"{n},a\n" for n in range(100)]
    customers = "customer_number\n" + "".join(f"{n}\n" for n in range(100))
    await publisher.csv(customers, f"customer_number,package_code\n{''.join(lines)}")
    lines[50] = '50,"a\n'
    summary, _ = await publisher.csv(customers, f"customer_number,package_code\n{''.join(lines)}")
    assert (summary.unchanged, summary.updated, summary.rejected) == (100, 0, 1)


async def test_a_line_that_may_be_anybodys_ends_no_subscription(publisher: Publisher) -> None:
    first = publisher.file("rows.jsonl", [CUSTOMER])
    await publisher.read(first, publisher.file("lines.jsonl", [CUSTOMER | {"package_code": c} for c in "ab"]))
    lines = b'{"customer_number": "1", "package_code": "c"}\n{"customer_number":\n'
    summary, bad = await publisher.read(first, publisher.file("lines.jsonl", lines))
    assert (summary.updated, summary.rejected) == (1, 1)
    assert [b.line for b in bad] == [2] and "ends no subscription" in bad[0].reason
    assert await states(publisher) == [("a", "activated"), ("b", "activated"), ("c", "activated")]


async def test_lines_without_a_customer(publisher: Publisher) -> None:
    summary, bad = await publisher.csv(
        "customer_number,social_security_number\n1,\n2,wrong\n",
        "customer_number,package_code\n4,a\n2,a\n1,a\n3,\n3,b\n5,a\n",
    )
    lines = str(publisher.folder / "subscriptions.csv")
    reason = "the customer file has no such customer"
    assert (summary.created, summary.rejected) == (1, 5)
    assert [b for b in bad if b.file == lines] == [
        BadRow(lines, 5, "package_code", "must be given"),
        BadRow(lines, 2, "customer_number", reason),
        BadRow(lines, 6, "customer_number", reason),
        BadRow(lines, 7, "customer_number", reason),
    ]


async def test_an_account_follows_its_customer(publisher: Publisher) -> None:
    await publisher.rows(with_subscriptions(TOTAL, WEEKEND))
    await publisher.activate("1")
    before = await publisher.account()
    assert [p.product_code for p in before.user_products] == ["total", "weekend"]
    sport = {"package_code": "sport", "valid_to": "2026-06-01"}
    summary, _ = await publisher.rows(with_subscriptions(TOTAL | {"valid_to": "2028-01-01"}, sport), now=NOW + 60)
    assert summary.updated == 1
    after = await publisher.account()
    total, weekend, new = after.user_products
    assert (total.id, weekend.id) == tuple(p.id for p in before.user_products)
    assert (total.valid_to, total.state, total.updated) == (1_830_380_399, "activated", NOW + 60)
    assert (weekend.state, weekend.updated) == ("deactivated", NOW + 60)
    assert (new.product_code, new.state, new.created) == ("sport", "activated", NOW + 60)
    assert after.updated == NOW + 60


async def test_an_account_is_left_alone_by_a_row_that_changes_nothing(publisher: Publisher) -> None:
    await publisher.rows(with_subscriptions(TOTAL))
    await publisher.activate("1")
    before = await publisher.account()
    await publisher.rows(with_subscriptions(TOTAL), now=NOW + 60)
    assert await publisher.account() == before
    await publisher.rows(with_subscriptions(TOTAL) | {"first_name": "Ove"}, now=NOW + 60)
    assert await publisher.account() == before


async def test_many_accounts_follow_in_one_batch(publisher: Publisher) -> None:
    await publisher.rows(*(with_subscriptions(TOTAL, number=str(n)) for n in range(30)))
    for n in range(0, 30, 3):
        await publisher.activate(str(n), f"ove{n}@example.com")
    await publisher.rows(*(with_subscriptions(number=str(n)) for n in range(30)))
    for n in range(0, 30, 3):
        assert [p.state for p in (await publisher.account(f"ove{n}@example.com")).user_products] == ["deactivated"]
