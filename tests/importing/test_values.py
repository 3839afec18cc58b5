"""A value that only decorates never sinks a customer; what can be understood is understood; the rest is noted."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from stamkund.importing import BadRow, Reading, Remark, Summary
from stamkund.rules.timestamps import zone
from tests.importing.conftest import NOW, Publisher

GOOD = {"package_code": "total", "valid_from": "2024-01-05"}
END_OF_DAY = 1_767_308_399  # 1 January 2026, 23:59:59 in Stockholm
NBSP = "\N{NO-BREAK SPACE}"


async def imported(publisher: Publisher, **values: Any) -> Any:
    """The customer of a row with these values and one good subscription."""
    row: dict[str, Any] = {"customer_number": "1", "subscriptions": [GOOD], **values}
    summary, bad = await publisher.rows(row)
    assert (summary.created + summary.updated + summary.unchanged, bad) == (1, [])
    customer = await publisher.existing_customer("1")
    assert [s.package_code for s in customer.subscriptions] == ["total"]
    return customer


async def from_csv(publisher: Publisher, column: str, value: str) -> Any:
    """The same of a CSV file and its second file."""
    summary, bad = await publisher.csv(
        f'customer_number,"{column}"\n1,"{value}"\n', "customer_number,package_code\n1,total\n"
    )
    assert (summary.created, bad) == (1, [])
    return await publisher.existing_customer("1")


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31",
        "9999-12-31 23:59:59",
        "9999-12-31T23:59:59.9999999",
        "3000-01-01",
        "0000-00-00",
        "0000-00-00 00:00:00",
        "0001-01-01",
        "0001-01-01T00:00:00Z",
        "1753-01-01",
        "1900-01-01",
        "1900-01-01 00:00:00.000",
        "1899-12-30",
        "NULL",
        r"\N",
        "-",
        " ",
        "(null)",
    ],
)
async def test_dates_that_mean_that_there_is_no_end(publisher: Publisher, text: str) -> None:
    summary, bad = await publisher.csv(
        "customer_number\n1\n", f"customer_number,package_code,valid_from,valid_to\n1,total,2024-01-01,{text}\n"
    )
    assert (summary, bad, publisher.remarks) == (Summary(created=1), [], [])
    (subscription,) = (await publisher.existing_customer("1")).subscriptions
    assert (subscription.valid_from, subscription.valid_to) == (1_704_063_600, None)


@pytest.mark.parametrize("text", ["0000-00-00", "0001-01-01", "1900-01-01", "NULL", "-"])
async def test_dates_that_mean_that_there_is_no_beginning(publisher: Publisher, text: str) -> None:
    await publisher.rows({"customer_number": "1", "subscriptions": [{"package_code": "total", "valid_from": text}]})
    (subscription,) = (await publisher.existing_customer("1")).subscriptions
    assert subscription.valid_from is None


@pytest.mark.parametrize(
    ("start", "end", "right"), [("-infinity", "infinity", True), (None, "-infinity", False), ("infinity", None, False)]
)
async def test_what_postgres_says_instead_of_a_date(
    publisher: Publisher, start: str | None, end: str | None, *, right: bool
) -> None:
    subscription = {"package_code": "total", "valid_from": start, "valid_to": end}
    _, bad = await publisher.rows({"customer_number": "1", "subscriptions": [subscription]})
    stored = [(s.valid_from, s.valid_to) for s in (await publisher.existing_customer("1")).subscriptions]
    assert (stored, len(bad)) == (([(None, None)], 0) if right else ([], 1))


async def test_a_beginning_at_the_end_of_time_gives_no_access(publisher: Publisher) -> None:
    _, bad = await publisher.rows(
        {"customer_number": "1", "subscriptions": [{"package_code": "total", "valid_from": "9999-12-31"}]}
    )
    assert [b.column for b in bad] == ["subscriptions[0].valid_from"]
    assert (await publisher.existing_customer("1")).subscriptions == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1962-08-17 00:00:00", date(1962, 8, 17)),
        ("19620817", date(1962, 8, 17)),
        ("1962-08-17T00:00:00", date(1962, 8, 17)),
        ("1962-08-16T23:00:00Z", date(1962, 8, 17)),
        ("1962/08/17", date(1962, 8, 17)),
        ("1962-08-17 ", date(1962, 8, 17)),
        ("1880-06-10", date(1880, 6, 10)),
        ("0000-00-00", None),
        ("1900-01-01", None),
        ("9999-12-31", None),
        ("NULL", None),
    ],
)
async def test_birth_dates(publisher: Publisher, text: str, day: date | None) -> None:
    assert (await imported(publisher, birth_date=text)).birth_date == day
    assert publisher.remarks == []
    publisher.organisation.id += "-csv"
    assert (await from_csv(publisher, "birth_date", text)).birth_date == day


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("a11@example.com ", "a11@example.com"),
        (" a10@example.com", "a10@example.com"),
        (f"a12@example.com{NBSP}", "a12@example.com"),
        ("\ta13@example.com\N{ZERO WIDTH SPACE}", "a13@example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("a&b@example.com", "a&b@example.com"),
        ("a/b@example.com", "a/b@example.com"),
        ("user@example.xn--p1ai", "user@example.xn--p1ai"),
        ("åsa@example.se", "åsa@example.se"),
        ("info@räksmörgås.example", "info@räksmörgås.example"),
        ("-", None),
        ("NULL", None),
    ],
)
async def test_emails(publisher: Publisher, text: str, email: str | None) -> None:
    assert (await imported(publisher, email=text)).email == email
    assert publisher.remarks == []
    publisher.organisation.id += "-csv"
    assert (await from_csv(publisher, "email", text)).email == email


NOTED: list[tuple[str, Any, str, str | None]] = [
    ("email", "saknas", "must be an e-mail address", "aaaaaa"),
    ("email", "a@example.com, b@example.com", "must be one e-mail address", "a@aaaaaaa.aaa, a@aaaaaaa…"),
    ("email", "x" * 1100, "must be at most 1024 characters", "a" * 24 + "…"),
    ("first_name", "x" * 1025, "must be at most 1024 characters", "a" * 24 + "…"),
    ("company_registration_number", "9" * 51, "must be at most 50 characters", "9" * 24 + "…"),
    ("birth_date", "i går", "must be an ISO 8601 date, or date and time", "a aaa"),
    ("birth_date", "1962-13-17", "must be a real date between the years 1850 and 2999, or date and time", "9999-99-99"),
    ("birth_date", "2062-08-17", "must not be in the future", "9999-99-99"),
    ("address.city", "x" * 1025, "must be at most 1024 characters", "a" * 24 + "…"),
    ("identity_mapping.crm", "x" * 129, "must be at most 128 characters", "a" * 24 + "…"),
    (
        "password_hash",
        "d41d8cd98f00b204e9800998ecf8427e",
        "must be a password hash of a supported kind (it is 32 hexadecimal digits)",
        None,
    ),
    (
        "password_hash",
        "{CLEARTEXT}hemligt",
        "must be a password hash of a supported kind (it begins with {CLEARTEXT})",
        None,
    ),
    ("password_hash", "$y$j9T$abc", "must be a password hash of a supported kind (it begins with $y$)", None),
]
PLAIN_PASSWORDS = ["$3kret$123", "sha_hemligt:1", "md5lover$1", "{hemligt}1", "{myshahemligt}", "$hemligt$", "crypto$1"]


@pytest.mark.parametrize(("column", "value", "reason", "mask"), NOTED)
async def test_what_can_not_be_used_is_left_out_and_noted(
    publisher: Publisher, column: str, value: str, reason: str, mask: str | None
) -> None:
    """The customer, its other values and its subscriptions are imported; the value that was stored stays."""
    first, _, rest = column.partition(".")
    more = {} if first == "email" else {"email": "anna@example.com"}
    await imported(publisher, **more, **{first: {rest: value} if rest else value})
    if column.startswith("identity"):
        column, reason = "identity_mapping", f"key and value: each {reason}"
    file = str(publisher.folder / "rows.jsonl")
    assert publisher.remarks == [Remark(file, 1, column, "1", reason, mask)]


@pytest.mark.parametrize("password", PLAIN_PASSWORDS)
async def test_a_password_in_plain_text_shows_nothing_of_itself(publisher: Publisher, password: str) -> None:
    """Neither what it begins with, nor how long it is and which marks it has."""
    await imported(publisher, email="anna@example.com", password_hash=password)
    (remark,) = publisher.remarks
    assert (remark.reason, remark.value) == ("must be a password hash of a supported kind", None)


async def test_an_unusable_value_keeps_no_end_from_arriving(publisher: Publisher) -> None:
    await publisher.rows({"customer_number": "840010", "email": "ove@example.com", "subscriptions": [GOOD]})
    await publisher.activate("840010")
    await publisher.rows({"customer_number": "840010", "email": "saknas", "subscriptions": []})
    assert await publisher.products() == []
    assert (await publisher.existing_customer("840010")).email == "ove@example.com"


@pytest.mark.parametrize("blank", [" ", NBSP, "  ", "\t"])
async def test_blanks_at_the_ends_belong_to_no_value(publisher: Publisher, blank: str) -> None:
    row = {
        "customer_number": "200009",
        "social_security_number": "800610-8230",
        "birth_date": "1980-06-10",
        "first_name": "Anna Maria",
        "address.city": "Åre",
        "identity_mapping.crm": "17",
    }
    line = {"customer_number": "200009", "package_code": "total", "valid_from": "2024-01-05", "state": "activated"}
    tables = [";".join(one) + "\n" + ";".join(f"{blank}{v}{blank}" for v in one.values()) + "\n" for one in (row, line)]
    summary, bad = await publisher.csv(*tables)
    assert (summary, bad, publisher.remarks) == (Summary(created=1), [], [])
    customer = await publisher.existing_customer("200009")
    assert customer.social_security_number is not None and customer.social_security_number.ten == "800610-8230"
    assert (customer.birth_date, customer.first_name, customer.address.city) == (date(1980, 6, 10), "Anna Maria", "Åre")
    assert [pair.value for pair in customer.identity_mapping] == ["17"]
    (subscription,) = customer.subscriptions
    assert (subscription.package_code, zone("Europe/Stockholm").format(subscription.valid_from or 0)) == (
        "total",
        "2024-01-05T00:00:00+01:00",
    )


async def test_a_value_of_two_lines_is_put_on_one(publisher: Publisher) -> None:
    customer = await from_csv(publisher, "address.street", "c/o Svensson\nStorgatan 1")
    assert customer.address.street == "c/o Svensson Storgatan 1"
    assert publisher.remarks == []


async def test_two_names_of_one_column(publisher: Publisher) -> None:
    """The first value counts where it only decorates; a row with two customer numbers is rejected."""
    summary, bad = await publisher.rows(
        {"customer_number": "1", "first_name": "Åsa", "Förnamn": "Eva", "Ort": "Borås", "address.city": "Borås"},
        {"customer_number": 2, "Kundnr": "9"},
    )
    assert [(b.line, b.column, b.reason) for b in bad] == [
        (2, "customer_number", "is given twice, under two names, with different values")
    ]
    assert summary.created == 1
    assert [(r.column, r.value) for r in publisher.remarks] == [("first_name", "aaa")]
    assert (await publisher.existing_customer("1")).first_name == "Åsa"


async def test_whole_numbers_are_text(publisher: Publisher) -> None:
    summary, bad = await publisher.rows(
        {
            "customer_number": 300050,
            "zip_code": 43921,
            "mobile_phone_number": 46701234567.0,
            "address": {"zip_code": 43921},
            "identity_mapping": {"crm": 4711},
            "subscriptions": [{"package_code": 17, "subscription_number": 12345, "valid_from": 20240105}],
        }
    )
    assert (summary, bad, publisher.remarks) == (Summary(created=1), [], [])
    customer = await publisher.existing_customer("300050")
    assert (customer.zip_code, customer.address.zip_code) == ("43921", "43921")
    assert customer.mobile_phone_number == "46701234567"
    assert [(pair.key, pair.value) for pair in customer.identity_mapping] == [("crm", "4711")]
    (subscription,) = customer.subscriptions
    assert (subscription.package_code, subscription.subscription_number) == ("17", "12345")
    line = {"customer_number": 300050, "package_code": 17, "subscription_number": 9}
    summary, bad = await publisher.read(
        publisher.file("rows.jsonl", [{"customer_number": 300050}]), publisher.file("lines.jsonl", [line])
    )
    assert (summary.updated, bad) == (1, [])


@pytest.mark.parametrize(
    ("values", "column", "reason"),
    [
        ({"email": {}}, "email", "must be text or null, not an object"),
        ({"first_name": True}, "first_name", "must be text or null, not true or false"),
        ({"zip_code": 1.5}, "zip_code", "must be text or null, not a number"),
        ({"address": "x"}, "address", "must be an object"),
        ({"address": {"city": []}}, "address.city", "must be text or null"),
        ({"address": {"town": "x"}}, "address.town", "is an unknown key"),
        ({"identity_mapping": "x"}, "identity_mapping", "must be a list or an object"),
        (
            {"identity_mapping": [{"key": "x"}]},
            "identity_mapping[0]",
            "must be an object with key and value, both text",
        ),
        ({"ssn": ""}, "ssn", "is an unknown key"),
        ({"Hemlig 070-1": ""}, "…", "is an unknown key"),
        ({"password_hash": "$P$B12345678abcdefghijklmnopqrstuv"}, "password_hash", "needs an email in the same row"),
        (
            {"password_hash": "$P$B12345678abcdefghijklmnopqrstuv", "email": "o'brien@example.com"},
            "password_hash",
            "needs an email that can be logged in with",
        ),
    ],
)
async def test_decoration_of_another_type_is_left_out(
    publisher: Publisher, values: dict[str, Any], column: str, reason: str
) -> None:
    await imported(publisher, **values)
    assert [(r.column, r.reason) for r in publisher.remarks] == [(column, reason)]


@pytest.mark.parametrize("second_file", [False, True])
@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"valid_to": "soon"}, "valid_to"),
        ({"valid_from": "2026-02-30"}, "valid_from"),
        ({"package_code": ""}, "package_code"),
        ({"package_code": "-"}, "package_code"),
        ({"package_code": "!"}, "package_code"),
        ({"state": "gone"}, "state"),
        ({"title_code": "x" * 16}, "title_code"),
        ({"subscription_number": "x" * 51}, "subscription_number"),
        ({"package_code": ["x"]}, "package_code"),
    ],
)
@pytest.mark.both_engines
async def test_a_bad_subscription_leaves_the_others(
    publisher: Publisher, values: dict[str, Any], column: str, second_file: bool
) -> None:
    """And what is stored is not ended: the bad one may be the same."""
    sport = {"package_code": "sport", "valid_from": "2024-01-01"}
    await publisher.rows({"customer_number": "1", "subscriptions": [sport]})
    bad_one = GOOD | values
    if second_file:
        lines = [{"customer_number": "1"} | one for one in (bad_one, GOOD)]
        path = publisher.file("lines.jsonl", lines)
        summary, bad = await publisher.read(publisher.file("rows.jsonl", [{"customer_number": "1"}]), path)
        assert [(b.file, b.line, b.column) for b in bad] == [(str(path), 1, column)]
    else:
        summary, bad = await publisher.rows({"customer_number": "1", "subscriptions": [bad_one, GOOD]})
        assert [(b.line, b.column) for b in bad] == [(1, f"subscriptions[0].{column}")]
    assert (summary.updated, summary.rejected) == (1, 1)
    customer = await publisher.existing_customer("1")
    assert {(s.package_code, s.state) for s in customer.subscriptions} == {
        ("total", "activated"),
        ("sport", "activated"),
    }


@pytest.mark.parametrize(
    ("column", "value"),
    [("subscription_type", "x"), ("provision_service", "x" * 1025), ("external_start_date", "soon")],
)
async def test_decoration_of_a_subscription_is_left_out(publisher: Publisher, column: str, value: str) -> None:
    summary, bad = await publisher.rows({"customer_number": "1", "subscriptions": [GOOD | {column: value}]})
    assert (summary, bad) == (Summary(created=1, remarks=1), [])
    assert [r.column for r in publisher.remarks] == [f"subscriptions[0].{column}"]


async def test_a_subscription_that_ends_before_it_begins_is_imported_and_noted(publisher: Publisher) -> None:
    await publisher.rows(
        {"customer_number": "1", "subscriptions": [GOOD | {"valid_from": "2030-01-02", "valid_to": "2030-01-01"}]}
    )
    (subscription,) = (await publisher.existing_customer("1")).subscriptions
    assert subscription.valid_from is not None and subscription.valid_to is not None
    assert subscription.valid_to < subscription.valid_from
    assert [(r.column, r.value) for r in publisher.remarks] == [("subscriptions[0].valid_to", None)]


@pytest.mark.parametrize("state", ["Activated", " CANCELLED"])
async def test_states_are_known_in_any_case(publisher: Publisher, state: str) -> None:
    await publisher.rows({"customer_number": "1", "subscriptions": [GOOD | {"state": state}]})
    assert (await publisher.existing_customer("1")).subscriptions[0].state == state.strip().lower()


class TestLastDay:
    """A date alone as an end includes that day, unless the import says otherwise."""

    @pytest.mark.parametrize(
        ("text", "inclusive", "exclusive"),
        [
            ("2026-01-01", END_OF_DAY, END_OF_DAY - 86_399),
            ("20260101", END_OF_DAY, END_OF_DAY - 86_399),
            ("2026-01-01 00:00:00", END_OF_DAY - 86_399, END_OF_DAY - 86_399),
            ("2026-01-01T13:00", END_OF_DAY - 86_399 + 46_800, END_OF_DAY - 86_399 + 46_800),
            ("2026-10-25", 1_792_969_199, 1_792_879_200),  # a day of 25 hours
        ],
    )
    async def test_of_a_date(self, publisher: Publisher, text: str, inclusive: int, exclusive: int) -> None:
        row = {"customer_number": "1", "subscriptions": [{"package_code": "p", "valid_to": text}]}
        await publisher.rows(row)
        assert (await publisher.existing_customer("1")).subscriptions[0].valid_to == inclusive
        await publisher.rows(row, reading=Reading(exclusive_dates=True))
        assert (await publisher.existing_customer("1")).subscriptions[0].valid_to == exclusive

    async def test_is_shown_with_its_last_second(self, publisher: Publisher) -> None:
        publisher.organisation.timezone = "Europe/Helsinki"
        await publisher.csv("customer_number\n1\n", "customer_number,package_code,valid_to\n1,p,2026-01-01\n")
        end = (await publisher.existing_customer("1")).subscriptions[0].valid_to
        assert zone("Europe/Helsinki").format(end or 0) == "2026-01-01T23:59:59+02:00"

    async def test_today_from_and_to_is_today(self, publisher: Publisher) -> None:
        today = "2025-10-09"
        row = {"customer_number": "1", "subscriptions": [GOOD | {"valid_from": today, "valid_to": today}]}
        await publisher.rows(row)
        assert publisher.remarks == []
        assert (await publisher.existing_customer("1")).current_subscriptions(NOW)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (" 800610-8230", "19800610-8230"),
        ("800610 8230", "19800610-8230"),
        ("800610\N{EN DASH}8230", "19800610-8230"),
        ("800610\N{MINUS SIGN}8230", "19800610-8230"),
        ("19800610\N{NON-BREAKING HYPHEN}8230", "19800610-8230"),
        ("800610+8230", "18800610-8230"),
        (8006108230, "19800610-8230"),
        (198006108230, "19800610-8230"),
    ],
)
async def test_social_security_numbers(publisher: Publisher, text: Any, stored: str) -> None:
    number = (await imported(publisher, social_security_number=text)).social_security_number
    assert number.stored() == stored
    summary, _ = await publisher.rows({"customer_number": "1", "social_security_number": text})
    assert summary.unchanged == 1


async def test_what_identifies_refuses_its_row(publisher: Publisher) -> None:
    rows = [
        {"customer_number": "1", "social_security_number": "hemlig"},
        {"customer_number": "-"},
        {"customer_number": "a b"},
    ]
    summary, bad = await publisher.rows(*rows, {"customer_number": "9"})
    assert (summary.created, summary.rejected) == (1, 3)
    file = str(publisher.folder / "rows.jsonl")
    assert bad[1] == BadRow(file, 2, "customer_number", "must be given")
    assert [b.column for b in bad] == ["social_security_number", "customer_number", "customer_number"]
