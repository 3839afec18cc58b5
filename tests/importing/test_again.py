"""The same file again, changed files, rows that stand against each other, dry runs, imports that stop in the middle."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from stamkund.importing import BadRow, Summary
from stamkund.rules import identifiers
from stamkund.rules.customer import Customer
from tests.importing.conftest import NOW, Publisher

pytestmark = pytest.mark.both_engines


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {
            "customer_number": str(n),
            "first_name": f"Ove {n}",
            "identity_mapping": {"crm": str(n)},
            "subscriptions": [{"package_code": "total", "subscription_number": f"S{n}"}],
        }
        for n in range(count)
    ]


def without_ids(customer: Customer) -> Any:
    """What does not depend on when it was imported."""
    plain = msgspec.json.decode(msgspec.json.encode(customer))
    for thing in (plain, *plain["subscriptions"]):
        del thing["id"]
    return plain


async def test_the_same_again_changes_nothing(publisher: Publisher) -> None:
    path = publisher.file("rows.jsonl", rows(2300))
    assert await publisher.read(path) == (Summary(created=2300), [])
    before = await publisher.existing_customer("7")
    assert await publisher.read(path, now=NOW + 99) == (Summary(unchanged=2300), [])
    assert await publisher.existing_customer("7") == before


async def test_what_changed_is_changed(publisher: Publisher) -> None:
    await publisher.rows(*rows(3))
    new = rows(4)
    new[1]["first_name"] = "Ove Ny"
    summary, _ = await publisher.rows(*new, now=NOW + 99)
    assert summary == Summary(created=1, updated=1, unchanged=2)
    assert [(await publisher.existing_customer(str(n))).updated - NOW for n in range(4)] == [0, 99, 0, 99]
    assert [(await publisher.existing_customer(str(n))).created - NOW for n in range(4)] == [0, 0, 0, 99]


async def test_keys_follow(publisher: Publisher) -> None:
    row = {"customer_number": "1", "social_security_number": "800610-8230", "identity_mapping": {"crm": "1"}}
    await publisher.rows(row)
    await publisher.rows(row | {"social_security_number": "620817-9256", "identity_mapping": {"crm": "2"}})
    other = {"customer_number": "2", "social_security_number": "800610-8230", "identity_mapping": {"crm": "1"}}
    summary, bad = await publisher.rows(other)
    assert (summary.created, bad) == (1, [])
    customer = await publisher.find(identifiers.external_id("crm", "1"))
    assert customer is not None and customer.customer_number == "2"


HINT = "; if it is the same person with a new number, name that number in previous_customer_number"
CONFLICTS = [
    ({"social_security_number": "800610-8230"}, "social_security_number", "has this social security number", HINT),
    ({"identity_mapping": {"crm": "same"}}, "identity_mapping", "has one of these external ids", ""),
]


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("apart", [0, 1500])
@pytest.mark.parametrize(("same", "column", "has_it", "hint"), CONFLICTS)
async def test_what_must_be_one_customers_only(
    publisher: Publisher, *, same: dict[str, Any], column: str, has_it: str, hint: str, apart: int, dry_run: bool
) -> None:
    """The report says whose it is, where that customer is stored."""
    between = rows(apart)
    path = publisher.file(
        "rows.jsonl",
        [{"customer_number": "a", **same}, *between, {"customer_number": "b", **same}, {"customer_number": "c"}],
    )
    summary, bad = await publisher.read(path, dry_run=dry_run)
    weak = {"phpass": 2} if "password_hash" in same else {}
    assert summary == Summary(created=apart + 2, rejected=1, weak_hashes=weak)
    reason = f"another customer {has_it}" if dry_run else f"customer a {has_it}{hint}"
    assert bad == [BadRow(str(path), apart + 2, column, reason)]
    if not dry_run:
        assert await publisher.customer("b") is None
        assert await publisher.read(path) == (Summary(unchanged=apart + 2, rejected=1, weak_hashes=weak), bad)
        summary, bad = await publisher.read(path, dry_run=True)
        assert (summary, len(bad)) == (Summary(unchanged=apart + 2, rejected=1, weak_hashes=weak), 1)


async def test_customers_may_share_an_email_without_passwords(publisher: Publisher) -> None:
    same = {"email": "ove.ovesson@example.com"}
    summary, _ = await publisher.rows({"customer_number": "1", **same}, {"customer_number": "2", **same})
    assert summary.created == 2


async def test_a_dry_run_writes_nothing(publisher: Publisher) -> None:
    path = publisher.file("rows.jsonl", [*rows(1200), {"customer_number": "x!"}])
    summary, bad = await publisher.read(path, dry_run=True)
    assert (summary, len(bad)) == (Summary(created=1200, rejected=1), 1)
    assert await publisher.customer("1") is None
    await publisher.rows(*rows(3))
    changed = rows(4)
    changed[0]["first_name"] = "Åsa"
    summary, _ = await publisher.rows(*changed, dry_run=True, now=NOW + 1)
    assert summary == Summary(created=1, updated=1, unchanged=2)
    assert (await publisher.existing_customer("0")).first_name == "Ove 0"


async def test_an_import_that_stops_in_the_middle_is_run_again(publisher: Publisher) -> None:
    content = rows(3500)
    path = publisher.file("rows.jsonl", content)
    started = asyncio.create_task(publisher.read(path))
    while not publisher.progress:  # noqa: ASYNC110
        await asyncio.sleep(0)
    started.cancel()
    with pytest.raises(asyncio.CancelledError):
        await started
    assert await publisher.customer("0") is not None and await publisher.customer("3499") is None
    summary, bad = await publisher.read(path)
    assert summary.created + summary.unchanged == 3500 and summary.updated == 0 and bad == []
    another = msgspec.structs.replace(publisher.organisation, id=f"{publisher.organisation.id}-clean")
    clean = Publisher(publisher.store, publisher.vault, publisher.folder, another)
    await clean.read(path)
    for n in range(0, 3500, 50):
        assert without_ids(await publisher.existing_customer(str(n))) == without_ids(
            await clean.existing_customer(str(n))
        )
    assert await publisher.read(path) == (Summary(unchanged=3500), [])


async def test_imports_at_the_same_time_take_turns(publisher: Publisher) -> None:
    path = publisher.file("rows.jsonl", rows(2500))
    done = await asyncio.gather(*(publisher.read(path) for _ in range(3)))
    assert sum(summary.created for summary, _ in done) == 2500
    assert sum(summary.unchanged for summary, _ in done) == 5000
    assert not [bad for _, bad in done if bad]
