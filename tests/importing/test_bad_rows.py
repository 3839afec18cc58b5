"""A row that is not right is named by file, line, column and reason; nothing of what it holds; the others go on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stamkund.importing import BadRow, CannotRun
from stamkund.importing.json_lines import NOT_UTF8
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
    ("previous_customer_number", f"{SECRET} 1", PATTERN),
    ("social_security_number", SECRET, NUMBER),
    ("social_security_number", "800610-823", NUMBER),
    ("social_security_number", "٨00610-8230", NUMBER),
]
"""Values that identify. Those that only decorate are in `test_values`."""
SUBSCRIPTION_VALUES: list[tuple[str, str, str]] = [
    ("package_code", f"{SECRET}!", "must match format (/^[a-zA-Z-_0-9+]+$/)"),
    ("package_code", "", "must be given"),
    ("title_code", SECRET * 3, "must be at most 15 characters"),
    ("valid_from", SECRET, TIMESTAMP),
    ("valid_from", "2016-10-02T13", TIMESTAMP),
    ("valid_from", "2016-10-02x13:00", TIMESTAMP),
    ("valid_from", "9999-12-31", "must be a real date between the years 1850 and 2999, or date and time"),
    ("valid_to", "2026-02-30", "must be a real date between the years 1850 and 2999, or date and time"),
    ("valid_to", "1492-01-01", "must be a real date between the years 1850 and 2999, or date and time"),
    ("subscription_number", SECRET * 9, "must be at most 50 characters"),
    ("state", SECRET, "must be one of pending, activated, cancelled, frozen, deactivated"),
]


def as_json(column: str, value: str) -> dict[str, Any]:
    return {"customer_number": "2", "email": "anna@example.com", column: value}


@pytest.mark.parametrize(("column", "value", "reason"), VALUES)
async def test_values_in_json_lines(publisher: Publisher, column: str, value: str, reason: str) -> None:
    summary, bad = await publisher.rows(GOOD, as_json(column, value), {"customer_number": "3"})
    assert (summary.created, summary.rejected) == (2, 1)
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
    summary, bad = await publisher.rows(GOOD, {"customer_number": "2", "subscriptions": [good, good | {column: value}]})
    assert (summary.created, summary.rejected) == (2, 1)
    assert bad == [BadRow(str(publisher.folder / "rows.jsonl"), 2, f"subscriptions[1].{column}", reason)]


@pytest.mark.parametrize(("column", "value", "reason"), SUBSCRIPTION_VALUES)
async def test_subscriptions_in_a_file(publisher: Publisher, column: str, value: str, reason: str) -> None:
    good = {"customer_number": "1", "package_code": "total", "valid_from": "2016-10-02"}
    second = publisher.file("subscriptions.jsonl", [good, good | {column: value}])
    summary, bad = await publisher.read(publisher.file("rows.jsonl", [GOOD, {"customer_number": "3"}]), second)
    assert (summary.created, summary.rejected) == (2, 1)
    assert bad == [BadRow(str(second), 2, column, reason)]
    assert len((await publisher.existing_customer("1")).subscriptions) == 1


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (b"[]", None, "must be an object, not a list"),
        (b"7", None, "must be an object, not a number"),
        (b'{"email": "anna@example.com"}', "customer_number", "must be given"),
        (b'{"customer_number": []}', "customer_number", "must be text or null, not a list"),
        (b'{"customer_number": true}', "customer_number", "must be text or null, not true or false"),
        (b'{"customer_number": 7.5}', "customer_number", "must be text or null, not a number"),
        (
            b'{"customer_number": "2", "social_security_number": {}}',
            "social_security_number",
            "must be text or null, not an object",
        ),
        (b'{"customer_number": "2"', None, "the line is not valid JSON"),
        (b'{"customer_number": "2"} x', None, "the line is not valid JSON: trailing characters (byte 26)"),
        (b'{"customer_number": "2", "email": Hemlig}', None, "the line is not valid JSON: invalid character (byte 34)"),
        ('{"customer_number": "2", "last_name": "ÅÄÖÉ'.encode() + b'\xc5"}', None, NOT_UTF8),
        (b'{"customer_number": "2", "last_name": "\\ud800"}', None, "the line is not valid JSON"),
        (b"[" * 100_000, None, "the line is not valid JSON"),
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
        (b"2,anna@example.com,x", "has 3 values, but the first line names 2 columns"),
        ("2,åäöé".encode() + b"\xe5sa@example.com", NOT_UTF8),
        (b'2,"anna"@example.com', "the row is not valid CSV: a quotation mark is out of place"),
        (b"2," + b"x" * 140_000, "a value is longer than 128 KiB"),
        (b"2," + b"x" * (1 << 20), "the line is longer than 1 MiB"),
        (
            b'2,"anna\n7,bo@example.com"',
            "a value contains other rows (lines 3 to 4 were read as one row: is a quotation mark not closed?)",
        ),
    ],
)
async def test_lines_of_csv(publisher: Publisher, line: bytes, reason: str) -> None:
    summary, bad = await publisher.csv(b"customer_number,email\n1,\n" + line + b"\n!,\n")
    path = str(publisher.folder / "rows.csv")
    assert summary.created == 1
    assert bad[0] == BadRow(path, 3, None, reason)
    assert [(b.line, b.column) for b in bad[1:]] == [(4 + line.count(b"\n"), "customer_number")]


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
        ("customer_number,mailbox", "has an unknown column 'mailbox'. Known columns: customer_number, previous_"),
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
        ("customer_number,åäöé".encode() + b"\xe5\n", "but the line is not UTF-8"),
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
    rows += [{"customer_number": "1", SECRET: SECRET, "070-1": 1}, {"customer_number": [SECRET]}]
    decorations = ("email", "birth_date", "password_hash")
    rows += [{"customer_number": f"d{n}", name: SECRET} for n, name in enumerate(decorations)]
    path = publisher.file(
        "rows.jsonl", "".join(json.dumps(row) + f"{SECRET}" * (i % 2) + "\n" for i, row in enumerate(rows))
    )
    _, bad = await publisher.read(path)
    report = " ".join(f"{b.column} {b.reason}" for b in bad)
    report += " ".join(f"{r.column} {r.reason} {r.value}" for r in publisher.remarks)
    assert len(bad) > 15 and publisher.remarks
    assert not [value for value in values if value in report]
