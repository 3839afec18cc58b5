"""Whatever a file holds: the import runs, or says in a sentence that it can't."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from stamkund.importing import CannotRun
from stamkund.importing.raw import RawCustomer, RawSubscriptionLine
from tests.importing.conftest import Publisher

often = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
texts = some.one_of(
    some.text(max_size=20),
    some.sampled_from(
        ["1", "2", "total", "2026-01-01", "800610-8230", "anna@example.com", "recurring", "", '"', "a\n"]
    ),
)
json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | texts,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
columns = some.sampled_from(
    [
        *RawCustomer.__struct_fields__,
        *RawSubscriptionLine.__struct_fields__,
        "address.city",
        "identity_mapping.crm",
        "x",
    ]
)
newlines = some.sampled_from(["\n", "\r\n", "\r"])
suffixes = some.sampled_from([".jsonl", ".csv", ".txt"])


@some.composite
def json_lines(draw: some.DrawFn) -> bytes:
    row = some.dictionaries(columns, json_values, max_size=4).map(lambda row: {"customer_number": "1"} | row)
    return draw(newlines).join(json.dumps(r) for r in draw(some.lists(row, max_size=4))).encode()


@some.composite
def csv_files(draw: some.DrawFn) -> bytes:
    header = ["customer_number", *draw(some.lists(columns, max_size=3))]
    delimiter = draw(some.sampled_from(",;\t"))
    lines = [header, *draw(some.lists(some.lists(texts, max_size=4), max_size=4))]
    return draw(newlines).join(delimiter.join(line) for line in lines).encode(errors="surrogatepass")


contents = some.one_of(
    json_lines(),
    csv_files(),
    some.binary(max_size=200),
    some.binary(max_size=200).map(lambda rest: b"customer_number,package_code,address.city\n" + rest),
    some.binary(max_size=200).map(lambda rest: b'{"customer_number": "1", ' + rest),
)


@often
@given(first=contents, second=some.none() | contents, suffix=suffixes, second_suffix=suffixes, dry_run=some.booleans())
@pytest.mark.both_engines
async def test_any_files(
    publisher: Publisher, *, first: bytes, second: bytes | None, suffix: str, second_suffix: str, dry_run: bool
) -> None:
    path = publisher.file(f"first{suffix}", first)
    lines = None if second is None else publisher.file(f"second{second_suffix}", second)
    try:
        summary, bad = await publisher.read(path, lines, dry_run=dry_run)
    except CannotRun:
        return
    files = {str(path): first, str(lines): second or b""}
    assert summary.rejected <= len(bad) + sum(content.count(b"\n") + content.count(b"\r") for content in files.values())
    for row in bad:
        assert 1 <= row.line <= len(files[row.file].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
        assert row.reason and row.reason.isprintable()
