"""A row that is not right is named by file, line, column and reason; nothing of what it holds; the others go on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stamkund.importing import BadRow, CannotRun
from tests.importing.conftest import Publisher

GOOD = {"customer_number": "1"}
PATTERN = "must match format (/^[a-zA-Z-_0-9]+$/)"
CONTROL = "must not contain control characters"
HASH = "must be a password hash of a supported kind"
NUMBER = "must be ten or twelve digits, with a dash before the last four or without"
TIMESTAMP = "must be an ISO 8601 date, or date and time"
SECRET = "Hemlig"  # stands in every value that is refused, and in no report

VALUES: list[tuple[str, str, str]] = [
    ("customer_number", f"{SECRET} 1", PATTERN),
    ("customer_number", SECRET * 9, "must be at most 50 characters"),
    ("customer_number", "", "must be given"),
    ("social_security_number", SECRET, NUMBER),
    ("social_security_number", "800610+8230", NUMBER),
    ("social_security_number", "٨00610-8230", NUMBER),
    ("email", SECRET, r"must match format (/\A[\w+\-.]+@[a-z\d\-]+(\.[a-z]+)*\.[a-z]+\z/i)"),
    ("email", SECRET * 200, "must be at most 1024 characters"),
    ("first_name", f"{SECRET}\t", CONTROL),
    ("first_name", f"{SECRET}\x85", CONTROL),
    ("last_name", SECRET * 200, "must be at most 1024 characters"),
    ("mobile_phone_number", f"{SECRET}\x7f", CONTROL),
    ("zip_code", f"{SECRET}\x00", CONTROL),
    ("birth_date", SECRET, "must be at least 10 characters"),
    ("birth_date", "2025-02-29", "must be a real date"),
    ("birth_date", "2025-10-10", "must not be in the future"),
    ("birth_date", "10/10/2005", "must match format (YYYY-MM-DD)"),
    ("company_name", f"{SECRET}\x1b", CONTROL),
    ("company_registration_number", SECRET * 9, "must be at most 50 characters"),
    ("address.zip_code", f"{SECRET}\x01", CONTROL),
    ("password_hash", SECRET, HASH),
    ("password_hash", "d41d8cd98f00b204e9800998ecf8427e", HASH),
    ("identity_mapping.crm", SECRET * 22, "must be at most 128 characters"),
]
SUBSCRIPTION_VALUES: list[tuple[str, str, str]] = [
    ("package_code", f"{SECRET}!", "must match format (/^[a-zA-Z-_0-9+]+$/)"),
    ("package_code", "", "must be given"),
    ("title_code", SECRET * 3, "must be at most 15 characters"),
    ("valid_from", SECRET, TIMESTAMP),
    ("valid_from", "2016-10-02T13", TIMESTAMP),
    ("valid_from", "2016-10-02x13:00", TIMESTAMP),
    ("valid_to", "2026-02-30", "must be a real date between the years 1850 and 2999, or date and time"),
    ("valid_to", "0001-01-01", "must be a real date between the years 1850 and 2999, or date and time"),
    ("valid_to", "2016-10-01", "must not be before valid_from"),
    ("subscription_number", SECRET * 9, "must be at most 50 characters"),
    ("subscription_type", SECRET, "must be one of recurring, limited"),
    ("state", SECRET, "must be one of pending, activated, cancelled, frozen, deactivated"),
    ("provision_service", f"{SECRET}\n", CONTROL),
    ("external_start_date", SECRET, TIMESTAMP),
]


def as_json(column: str, value: str) -> dict[str, Any]:
    row: dict[str, Any] = {"customer_number": "2", "email": "anna@example.com"}
    first, _, rest = column.partition(".")
    return row | {first: {rest: value} if rest else value}


def quoted(text: str) -> str:
    return f'"{text}"' if "\n" in text or "," in text else text


@pytest.mark.parametrize(("column", "value", "reason"), VALUES)
async def test_values_in_json_lines(publisher: Publisher, column: str, value: str, reason: str) -> None:
    summary, bad = await publisher.rows(GOOD, as_json(column, value), {"customer_number": "3"})
    assert (summary.created, summary.rejected) == (2, 1)
    if column.startswith("identity_mapping"):
        column, reason = "identity_mapping", f"key and value: each {reason}"
    assert bad == [BadRow(str(publisher.folder / "rows.jsonl"), 2, column, reason)]


@pytest.mark.parametrize(("column", "value", "reason"), VALUES)
async def test_values_in_csv(publisher: Publisher, column: str, value: str, reason: str) -> None:
    columns = ["customer_number", "email", "company_name"]
    row = {"customer_number": "2", "email": "anna@example.com", column: value}
    header = list(dict.fromkeys([*columns, column]))
    lines = [header, ["1"], [row.get(name, "") for name in header], ["3"]]
    content = "".join(",".join(line + [""] * (len(header) - len(line))) + "\n" for line in lines)
    summary, bad = await publisher.csv(content)
    assert (summary.created, summary.rejected) == (2, 1)
    assert bad == [BadRow(str(publisher.folder / "rows.csv"), 3, column, reason)]


@pytest.mark.parametrize(("column", "value", "reason"), SUBSCRIPTION_VALUES)
async def test_subscriptions_in_the_row(publisher: Publisher, column: str, value: str, reason: str) -> None:
    good = {"package_code": "total", "valid_from": "2016-10-02"}
    summary, bad = await publisher.rows(GOOD, GOOD | {"subscriptions": [good, good | {column: value}]})
    assert (summary.created, summary.rejected) == (1, 1)
    assert bad == [BadRow(str(publisher.folder / "rows.jsonl"), 2, f"subscriptions[1].{column}", reason)]


@pytest.mark.parametrize(("column", "value", "reason"), SUBSCRIPTION_VALUES)
async def test_subscriptions_in_a_file(publisher: Publisher, column: str, value: str, reason: str) -> None:
    good = {"customer_number": "1", "package_code": "total", "valid_from": "2016-10-02"}
    second = publisher.file("subscriptions.jsonl", [good, good | {column: value}])
    summary, bad = await publisher.read(publisher.file("rows.jsonl", [GOOD, {"customer_number": "3"}]), second)
    assert (summary.created, summary.rejected) == (1, 1)
    assert bad == [
        BadRow(str(second), 2, column, reason),
        BadRow(
            str(publisher.folder / "rows.jsonl"),
            1,
            "subscriptions",
            "the subscription file has a bad line for this customer",
        ),
    ]


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (b"[]", None, "must be an object, not a list"),
        (b"7", None, "must be an object, not a number"),
        (b'{"email": "anna@example.com"}', "customer_number", "must be given"),
        (b'{"customer_number": 7}', "customer_number", "must be text or null, not a number"),
        (b'{"customer_number": "2", "email": {}}', "email", "must be text or null, not an object"),
        (b'{"customer_number": "2", "address": "x"}', "address", "must be an object or null, not text"),
        (b'{"customer_number": "2", "address": {"city": 1}}', "address.city", "must be text or null, not a number"),
        (b'{"customer_number": "2", "address": {"town": ""}}', "address.town", "is an unknown key"),
        (b'{"customer_number": "2", "ssn": ""}', "ssn", "is an unknown key"),
        (b'{"customer_number": "2", "Hemlig 070-1": ""}', None, "has an unknown key"),
        (b'{"customer_number": "2", "external_ids": {}}', "external_ids", "is an unknown key"),
        (
            b'{"customer_number": "2", "subscriptions": {}}',
            "subscriptions",
            "must be a list or null, not an object",
        ),
        (b'{"customer_number": "2", "subscriptions": [{}]}', "subscriptions[0].package_code", "must be given"),
        (b'{"customer_number": "2", "subscriptions": [{"x": 1}]}', "subscriptions[0].x", "is an unknown key"),
        (
            b'{"customer_number": "2", "subscriptions": [{"package_code": 1}]}',
            "subscriptions[0].package_code",
            "must be text or null, not a number",
        ),
        (
            b'{"customer_number": "2", "identity_mapping": [{"key": "Hemlig"}]}',
            "identity_mapping[0].value",
            "must be given",
        ),
        (
            b'{"customer_number": "2", "identity_mapping": [{"key": "", "value": "Hemlig"}]}',
            "identity_mapping[0]",
            "key and value: each must be at least 1 characters",
        ),
        (
            b'{"customer_number": "2", "identity_mapping": {"Hemlig": 1}}',
            "identity_mapping[...]",
            "must be text or null, not a number",
        ),
        (b'{"customer_number": "2"', None, "the line is not valid JSON"),
        (b'{"customer_number": "2"} x', None, "the line is not valid JSON: trailing characters (byte 26)"),
        (b'{"customer_number": "2", "email": Hemlig}', None, "the line is not valid JSON: invalid character (byte 34)"),
        (b'{"customer_number": "2", "last_name": "\xc5berg"}', None, "the line is not UTF-8"),
        (b'{"customer_number": "2", "last_name": "\\ud800"}', None, "the line is not valid JSON"),
        (b"[" * 100_000, None, "must be an object, not a list"),
        (
            b'{"customer_number": "2", "password_hash": "$P$B12345678abcdefghijklmnopqrstuv"}',
            "password_hash",
            "needs an email in the same row",
        ),
    ],
)
async def test_lines_of_json(publisher: Publisher, line: bytes, column: str | None, reason: str) -> None:
    path = publisher.file("rows.jsonl", b'{"customer_number": "1"}\n' + line + b'\n{"customer_number": "3"}\n')
    summary, bad = await publisher.read(path)
    assert (summary.created, summary.rejected) == (2, 1)
    assert bad == [BadRow(str(path), 2, column, reason)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"2", "has 1 values, but the first line names 2 columns"),
        (b"2,anna@example.com,", "has 3 values, but the first line names 2 columns"),
        (b"2,\xe5sa@example.com", "the line is not UTF-8"),
        (b'2,"anna"@example.com', "the row is not valid CSV: a quotation mark is out of place"),
        (b"2," + b"x" * 140_000, "a value is longer than 128 KiB"),
        (b"2," + b"x" * (1 << 20), "the line is longer than 1 MiB"),
        (
            b'2,"anna\n@example.com"',
            "a value contains a newline (lines 3 to 4 were read as one row: is a quotation mark not closed?)",
        ),
    ],
)
async def test_lines_of_csv(publisher: Publisher, line: bytes, reason: str) -> None:
    summary, bad = await publisher.csv(b"customer_number,email\n1,\n" + line + b"\n3,wrong\n")
    path = str(publisher.folder / "rows.csv")
    assert summary.created == 1
    assert bad[0] == BadRow(path, 3, None, reason)
    assert [(b.line, b.column) for b in bad[1:]] == [(4 + line.count(b"\n"), "email")]


async def test_the_checksum_is_required_where_the_organisation_requires_it(publisher: Publisher) -> None:
    publisher.organisation.person_number_check = "checksum"
    numbers = ["800610-8230", "198006108230", "123499-0000", "800610-8231"]
    rows = [{"customer_number": str(place), "social_security_number": n} for place, n in enumerate(numbers)]
    summary, bad = await publisher.rows(*rows[1:])
    assert summary.created == 1
    reason = "must be a real date followed by a right check digit"
    assert [(b.line, b.column, b.reason) for b in bad] == [
        (2, "social_security_number", reason),
        (3, "social_security_number", reason),
    ]


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("customer_number,e_mail", "has an unknown column 'e_mail'. Known columns: customer_number, social_"),
        ("customer_number,subscriptions", "has an unknown column 'subscriptions'"),
        ("customer_number,address.town", "has an unknown column 'address.town'"),
        ("customer_number,identity_mapping.", "has an unknown column 'identity_mapping.'"),
        ("customer_number,,email", "has an unknown column without a name (number 2)"),
        ("customer_number,email,email", "has the column email twice"),
        ("Anna,Andersson,070-1234567", "has no column customer_number. Known columns: "),
        ("", "has no column customer_number"),
        ('"customer_number', "must name the columns; it is not valid CSV"),
    ],
)
async def test_a_wrong_header_stops_the_import(publisher: Publisher, header: str, sentence: str) -> None:
    with pytest.raises(CannotRun) as stopped:
        await publisher.csv(f"{header}\n1,2\n")
    assert sentence in str(stopped.value)
    assert "Anders" not in str(stopped.value)
    assert publisher.progress == []


async def test_a_wrong_header_of_the_second_file_stops_the_import_as_early(publisher: Publisher) -> None:
    for header in ("customer_number", "package_code", "customer_number,package_code,price"):
        with pytest.raises(CannotRun, match=r"subscriptions\.csv"):
            await publisher.csv("customer_number\n1\n", f"{header}\n")
    assert publisher.progress == [] and await publisher.customer("1") is None


async def test_headers_that_are_no_text(publisher: Publisher) -> None:
    for content, sentence in (
        (b"", "is empty"),
        (b"customer_number,\xe5\n", "but the line is not UTF-8"),
        (b"c" * (1 << 21), "but the line is longer than 1 MiB"),
    ):
        with pytest.raises(CannotRun, match=sentence):
            await publisher.csv(content)


async def test_files_that_cannot_be_read(publisher: Publisher) -> None:
    good = publisher.file("rows.jsonl", [GOOD])
    for path, second in ((publisher.folder / "none.csv", None), (publisher.folder, None), (good, publisher.folder)):
        with pytest.raises(CannotRun, match="cannot be read"):
            await publisher.read(path, second)


async def test_a_report_contains_nothing_of_the_row(publisher: Publisher) -> None:
    values = [value for _, value, _ in VALUES + SUBSCRIPTION_VALUES if len(value) > 5]
    rows: list[Any] = [as_json(column, value) for column, value, _ in VALUES]
    rows += [GOOD | {"subscriptions": [{"package_code": "p", c: v}]} for c, v, _ in SUBSCRIPTION_VALUES if v]
    rows += [{SECRET: SECRET, "070-1": 1}, {"customer_number": [SECRET]}]
    path = publisher.file(
        "rows.jsonl", "".join(json.dumps(row) + f"{SECRET}" * (i % 2) + "\n" for i, row in enumerate(rows))
    )
    _, bad = await publisher.read(path)
    report = " ".join(f"{b.column} {b.reason}" for b in bad)
    assert len(bad) > 30
    assert not [value for value in values if value in report]
