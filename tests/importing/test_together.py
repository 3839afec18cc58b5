"""Rows of one customer add up, wherever in the file they stand: a join exports one row for each subscription."""

from __future__ import annotations

from typing import Any

import pytest

from stamkund.importing import CannotRun, Summary, held
from stamkund.importing.survey import surveyed
from stamkund.rules.subscription import ACTIVATED
from tests.importing.conftest import NOW, Publisher

pytestmark = pytest.mark.both_engines

DATES = {"valid_from": "2024-01-01", "valid_to": "2030-01-01"}


def row(number: str, *packages: str, **more: Any) -> dict[str, Any]:
    subscriptions = [{"package_code": p, "subscription_number": f"{p}-{number}", **DATES} for p in packages]
    return {"customer_number": number, **more, "subscriptions": subscriptions}


def others(count: int, *, start: int = 100) -> list[dict[str, Any]]:
    return [row(str(n), "weekend") for n in range(start, start + count)]


async def packages(publisher: Publisher, number: str) -> list[str]:
    customer = await publisher.existing_customer(number)
    return sorted(s.package_code for s in customer.subscriptions if s.state == "activated")


@pytest.mark.parametrize("between", [0, 10, 1500])
async def test_both_rows_of_an_active_reader_count(publisher: Publisher, between: int) -> None:
    await publisher.rows(row("810001", "total", "sport"))
    await publisher.activate("810001")
    summary, bad = await publisher.rows(
        row("810001", "total"), *others(between, start=900_000), row("810001", "sport"), now=NOW + 9
    )
    assert (summary, bad) == (Summary(created=between, unchanged=1), [])
    assert await publisher.products() == ["total", "sport"]


@pytest.mark.parametrize("between", [0, 1500])
async def test_rows_of_a_new_customer_make_one(publisher: Publisher, between: int) -> None:
    rows = [row("a", "total", first_name="Ove"), *others(between), row("a", "sport", last_name="Ovesson")]
    summary, bad = await publisher.rows(*rows)
    assert (summary, bad) == (Summary(created=between + 1), [])
    customer = await publisher.existing_customer("a")
    assert (customer.first_name, customer.last_name) == ("Ove", "Ovesson")
    assert await packages(publisher, "a") == ["sport", "total"]
    assert (await publisher.rows(*rows, now=NOW + 1))[0] == Summary(unchanged=between + 1)


@pytest.mark.parametrize("between", [0, 1])
async def test_one_customer_has_no_end_of_rows(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, between: int
) -> None:
    """They are in memory together, whether they stand together or not."""
    monkeypatch.setattr(held, "MAX_ROWS_OF_ONE", 5)
    many = [one for n in range(6) for one in (row("a", f"p{n}"), *others(between, start=900 - n))]
    with pytest.raises(CannotRun, match="has thousands of rows of one customer"):
        await publisher.rows(*many)
    summary, _ = await publisher.rows(*many[: 5 * (between + 1)])
    assert summary.created + summary.unchanged == 1 + 5 * between


async def test_a_join_in_csv(publisher: Publisher) -> None:
    """A row for each subscription, and one without for a customer who has none."""
    header = "Kundnr;Förnamn;Paketkod;Startdatum;Slutdatum;Prenumerationsnr;external_start_date\n"
    rows = "1;Anna;total;2024-01-01;2030-01-01;S1;\n2;Ove;;;;;\n1;Anna;sport;2024-01-01;;S2;saknas\n1;Anna;x y;;;S3;\n"
    summary, bad = await publisher.csv(header + rows)
    assert (summary.created, summary.remarks) == (2, 1)
    assert [(row.line, row.column) for row in bad] == [(5, "package_code")]
    anna = (await publisher.existing_customer("1")).subscriptions
    assert [(one.package_code, one.valid_to is None) for one in anna] == [("total", False), ("sport", True)]
    assert (await publisher.existing_customer("2")).subscriptions == []
    assert [(remark.line, remark.column) for remark in publisher.remarks] == [(4, "external_start_date")]
    again, _ = await publisher.csv(header + "1;Anna;sport;2024-01-01;;S2;\n2;Ove;;;;;\n")
    assert (again.updated, again.unchanged) == (1, 1)
    anna = (await publisher.existing_customer("1")).subscriptions
    assert [(one.package_code, one.state) for one in anna] == [("total", "deactivated"), ("sport", ACTIVATED)]


async def test_a_join_without_packages_is_none(publisher: Publisher) -> None:
    with pytest.raises(CannotRun, match="no column package_code"):
        await publisher.csv("customer_number,valid_from\n1,2024-01-01\n")


async def test_rows_of_csv_make_one_too(publisher: Publisher) -> None:
    header = "customer_number,first_name,address.city,identity_mapping.crm,identity_mapping.app\n"
    summary, bad = await publisher.csv(f"{header}2,Ove,,,\n1,Anna,,17,\n2,Ove,Åre,,9\n1,,Umeå,,8\n")
    assert (summary, bad, publisher.remarks) == (Summary(created=2), [], [])
    anna = await publisher.existing_customer("1")
    assert (anna.first_name, anna.address.city) == ("Anna", "Umeå")
    assert {(pair.key, pair.value) for pair in anna.identity_mapping} == {("crm", "17"), ("app", "8")}


@pytest.mark.parametrize("nothing", ["", " ", "NULL", r"\N", "-"])
async def test_an_outer_join(publisher: Publisher, nothing: str) -> None:
    """A customer without subscriptions has a row without one, and those that were there end."""
    await publisher.rows(row("1", "total"))
    columns = "customer_number;package_code;valid_to;subscription_number"
    summary, bad = await publisher.csv(f"{columns}\n1;{nothing};{nothing};{nothing}\n")
    assert (summary, bad) == (Summary(updated=1), [])
    assert [one.state for one in (await publisher.existing_customer("1")).subscriptions] == ["deactivated"]
    empty = {"package_code": None, "valid_to": nothing or None}
    await publisher.rows({"customer_number": "1", "subscriptions": [empty]})
    assert publisher.remarks == []


async def test_a_join_in_json(publisher: Publisher) -> None:
    """Rows of customers and subscriptions side by side, as a database writes a join."""
    rows = [{"customer_number": "1", "first_name": "Ove", "package_code": code, "valid_to": None} for code in "ab"]
    summary, bad = await publisher.rows(*rows)
    assert (summary, bad, publisher.remarks) == (Summary(created=1), [], [])
    assert await packages(publisher, "1") == ["a", "b"]


async def test_a_row_of_a_join_without_its_number_ends_nothing(publisher: Publisher) -> None:
    await publisher.csv("customer_number;package_code\n7;a\n7;b\n")
    _, bad = await publisher.csv("customer_number;package_code\n7;a\n;b\n")
    assert len(bad) == 1
    assert {one.state for one in (await publisher.existing_customer("7")).subscriptions} == {"activated"}


async def test_a_join_repeats_what_is_the_same(publisher: Publisher) -> None:
    await publisher.rows(row("1", "total"), row("1", "total", "sport"), row("1", "sport"))
    assert await packages(publisher, "1") == ["sport", "total"]


@pytest.mark.parametrize("between", [0, 1500])
async def test_another_value_of_the_same_customer_is_noted(publisher: Publisher, between: int) -> None:
    summary, bad = await publisher.rows(
        row("a", "total", first_name="Ove"), *others(between), row("a", "sport", first_name="Åsa")
    )
    assert (summary, bad) == (Summary(created=between + 1, remarks=1), [])
    (remark,) = publisher.remarks
    assert (remark.line, remark.column, remark.customer_number) == (between + 2, "first_name", "a")
    assert (remark.reason, remark.value) == ("is another one than in line 1 of the same customer", "aaa")
    assert (await publisher.existing_customer("a")).first_name == "Ove"
    assert await packages(publisher, "a") == ["sport", "total"]


@pytest.mark.parametrize("between", [0, 1500])
async def test_rows_of_two_people_are_not_one_customer(publisher: Publisher, between: int) -> None:
    """The second is refused, with both lines; and it ends nothing, for the first is not known to be complete."""
    await publisher.rows(row("a", "total", "sport"))
    summary, bad = await publisher.rows(
        row("a", "total", social_security_number="800610-8230"),
        *others(between),
        row("a", "sport", social_security_number="620817-9256"),
    )
    assert (summary.updated, summary.rejected) == (1, 1)
    assert [(b.line, b.column) for b in bad] == [(between + 2, "social_security_number")]
    assert "line 1 " in bad[0].reason
    assert await packages(publisher, "a") == ["sport", "total"]


async def test_a_row_that_is_rejected_ends_nothing(publisher: Publisher) -> None:
    await publisher.rows(row("1", "total", "sport"), row("2", "total"))
    bad_row = row("1", "sport") | {"social_security_number": "hemlig"}
    for rows in ([row("1", "total"), bad_row], [row("1", "total"), row("2", "total"), bad_row]):
        summary, bad = await publisher.rows(*rows)
        assert (summary.rejected, [b.column for b in bad]) == (1, ["social_security_number"])
        assert await packages(publisher, "1") == ["sport", "total"]


async def test_a_row_of_an_unknown_customer_ends_nothing(publisher: Publisher) -> None:
    await publisher.rows(row("1", "total", "sport"), row("2", "total"))
    content = publisher.file("a.jsonl", [row("1", "total"), row("1", "weekend"), row("2")]).read_bytes()
    summary, bad = await publisher.read(publisher.file("b.jsonl", content + b'{"customer_number":\n'))
    assert (summary.rejected, [b.line for b in bad]) == (1, [4])
    assert "ends no subscription" in bad[0].reason
    assert await packages(publisher, "1") == ["sport", "total", "weekend"]
    summary, bad = await publisher.rows(row("1", "total"), row("2"))
    assert await packages(publisher, "1") == ["total"]


async def test_with_a_second_file(publisher: Publisher) -> None:
    summary, bad = await publisher.csv(
        "customer_number,first_name,email\n2,Bo,\n1,,anna@example.com\n2,,\n1,Anna,\n",
        "customer_number,package_code\n1,total\n2,sport\n1,weekend\n",
    )
    assert (summary, bad) == (Summary(created=2), [])
    assert await packages(publisher, "1") == ["total", "weekend"]
    customer = await publisher.existing_customer("1")
    assert (customer.first_name, customer.email) == ("Anna", "anna@example.com")


async def test_a_password_belongs_to_its_email(publisher: Publisher) -> None:
    phpass = "$P$B12345678abcdefghijklmnopqrstuv"
    await publisher.rows(
        {"customer_number": "1", "email": "ove@example.com"},
        {"customer_number": "1", "email": "anna@example.com", "password_hash": phpass},
    )
    customer = await publisher.existing_customer("1")
    assert (customer.email, customer.password_hash) == ("ove@example.com", None)
    assert {remark.column for remark in publisher.remarks} == {"email", "password_hash"}


@pytest.mark.parametrize(
    ("numbers", "repeats", "scattered"),
    [
        ([b"1", b"2", b"10"], False, []),
        ([b"1", b"10", b"2"], False, []),
        ([b"1", b"1", b"2"], True, []),
        ([b"3", b"1", b"2"], False, []),
        ([b"3", b"1", b"1", b"3"], True, ["3"]),
        ([b"b", None, b"a", b"b"], True, ["b"]),
        ([None, None], False, []),
        ([], False, []),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_the_survey_finds_who_has_rows_in_several_places(
    numbers: list[bytes | None], repeats: bool, scattered: list[str], size: int
) -> None:
    blocks = [numbers[place : place + size] for place in range(0, len(numbers), size)]
    with surveyed(lambda: iter(blocks)) as survey:
        assert survey.repeats is repeats
        assert survey.unknown == numbers.count(None)
        assert [n for n in ("1", "2", "3", "10", "a", "b") if survey.is_scattered(n)] == scattered


@pytest.mark.parametrize("number", ["7!0", "7" * 51, "", " ", True, None, {}])
async def test_a_row_of_an_unusable_number_ends_no_subscription(publisher: Publisher, number: Any) -> None:
    """It may be one of a customer who has others in the file."""
    await publisher.rows(row("70", "a", "b"), row("71", "a"))
    unusable = row("70", "b") | {"customer_number": number}
    _, bad = await publisher.rows(row("70", "a"), unusable, row("71", "a"), row("71", "c"))
    assert [one.line for one in bad] == [2]
    assert await packages(publisher, "70") == ["a", "b"]


@pytest.mark.parametrize("number", ["7!0", "7" * 51, "", " "])
async def test_nor_does_one_in_csv(publisher: Publisher, number: str) -> None:
    await publisher.rows(row("70", "a", "b"), row("71", "a"))
    lines = f"70,a,a-70\n{number},b,b-70\n71,a,a-71\n71,c,c-71\n"
    _, bad = await publisher.csv(f"customer_number,package_code,subscription_number\n{lines}")
    assert [one.line for one in bad] == [3]
    assert await packages(publisher, "70") == ["a", "b"]
