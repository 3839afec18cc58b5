"""Files as they come: marks, newlines, separators, suffixes, quotes, long lines; line numbers hold through all."""

from __future__ import annotations

import pytest

from stamkund.importing import CannotRun, total_bytes
from tests.importing.conftest import Publisher

BOM = b"\xef\xbb\xbf"
JSON = (
    '{"customer_number": "1", "first_name": "Åsa"}\n\n{"customer_number": "2"}\n{"city": 1}\n{"customer_number": "3"}'
)
CSV = 'customer_number;first_name\n1;Åsa\n\n"2";""\n3\n"3";"A ""B"" C"'


async def check(publisher: Publisher, name: str, content: bytes) -> None:
    summary, bad = await publisher.read(publisher.file(name, content))
    assert (summary.created, summary.rejected) == (3, 1)
    assert [b.line for b in bad] == [5 if b";" in content or b"\t" in content else 4]
    assert (await publisher.existing_customer("1")).first_name == "Åsa"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", BOM])
@pytest.mark.parametrize(("name", "content"), [("rows.jsonl", JSON), ("rows.csv", CSV)])
async def test_marks_and_newlines(publisher: Publisher, name: str, content: str, mark: bytes, newline: str) -> None:
    await check(publisher, name, mark + content.replace("\n", newline).encode())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.ndjson", JSON),
        ("rows.json", JSON),
        ("ROWS.JSONL", JSON),
        ("rows.txt", JSON),
        ("rows", f" \r\n\t\n{JSON}"[4:]),
        ("rows.txt", CSV),
        ("rows.tsv", CSV.replace(";", "\t")),
        ("ROWS.CSV", CSV),
    ],
)
async def test_the_format_is_seen_from_the_suffix_or_the_first_character(
    publisher: Publisher, name: str, content: str
) -> None:
    if name == "rows":
        summary, _ = await publisher.read(publisher.file(name, content))
        assert summary.created == 3
    else:
        await check(publisher, name, BOM + content.encode())


async def test_the_suffix_wins(publisher: Publisher) -> None:
    with pytest.raises(CannotRun):
        await publisher.read(publisher.file("rows.csv", JSON))
    summary, bad = await publisher.read(publisher.file("rows.jsonl", CSV))
    assert (summary.created, len(bad)) == (0, 5)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_delimiters(publisher: Publisher, delimiter: str) -> None:
    content = "customer_number;first_name;last_name\n1;A, B;C\n".replace(", ", " & ").replace(";", delimiter)
    await publisher.csv(content)
    assert (await publisher.existing_customer("1")).first_name == "A & B"


async def test_one_column_needs_no_delimiter(publisher: Publisher) -> None:
    assert (await publisher.csv(" customer_number \n1\n2"))[0].created == 2


async def test_quoted_newlines_count_as_lines(publisher: Publisher) -> None:
    content = 'customer_number,first_name\n1,"A\nB\n\nC"\nwrong number,\n"2","A\r\nB"\nwrong number,\n3,x\n'
    summary, bad = await publisher.csv(content)
    assert summary.created == 3
    assert [(b.line, b.column) for b in bad] == [(6, "customer_number"), (9, "customer_number")]
    assert [(await publisher.existing_customer(n)).first_name for n in "12"] == ["A B C", "A B"]


async def test_a_quotation_mark_that_is_not_closed(publisher: Publisher) -> None:
    lines = "".join(f"{n},Ove\n" for n in range(10, 20))
    summary, bad = await publisher.csv(f'customer_number,first_name\n1,Ove\n2,"Ove\n{lines}')
    assert summary.created == 1
    assert len(bad) == 1 and bad[0].line == 3 and "lines 3 to 13 were read as one row" in bad[0].reason


async def test_very_long_lines(publisher: Publisher) -> None:
    long = b'{"customer_number": "9", "first_name": "' + b"x" * (3 << 20) + b'"}'
    good = b'{"customer_number": "1"}'
    summary, bad = await publisher.read(publisher.file("rows.jsonl", b"\n".join([long, good, long, good, long])))
    assert (summary.created, summary.unchanged) == (1, 0)
    assert [b.line for b in bad] == [1, 3, 5]
    assert all(b.reason.startswith("the line is longer than 1 MiB; its customer is unknown") for b in bad)


async def test_rows_of_very_many_lines(publisher: Publisher) -> None:
    lines = b'a","b\n' * (1 << 19)
    summary, bad = await publisher.csv(b'customer_number,first_name\n1,\n2,"' + lines)
    assert summary.created == 1
    assert "the row is longer than 1 MiB" in bad[0].reason


async def test_an_empty_file_of_json_lines_is_no_rows(publisher: Publisher) -> None:
    for content in (b"", BOM, b"\n\n", b"\r\n \r\n"):
        summary, bad = await publisher.read(publisher.file("rows.jsonl", content))
        assert (summary.created, summary.rejected, bad) == (0, 0, [])


async def test_progress_ends_at_the_total(publisher: Publisher) -> None:
    first = publisher.file("rows.csv", "customer_number\n" + "".join(f"{n}\n" for n in range(2500)))
    second = publisher.file("subscriptions.jsonl", [{"customer_number": "1", "package_code": "p"}])
    await publisher.read(first, second)
    assert publisher.progress == sorted(publisher.progress)
    assert publisher.progress[-1] == (total_bytes(first, second), 2500)
    assert [rows for _, rows in publisher.progress] == [0, 1000, 2000, 2500]
    with pytest.raises(CannotRun, match=r"none\.csv cannot be read"):
        total_bytes(publisher.folder / "none.csv", None)


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
async def test_a_json_array_is_no_json_lines(publisher: Publisher, name: str) -> None:
    with pytest.raises(CannotRun, match="is a JSON array: it must have one object a line"):
        await publisher.read(publisher.file(name, b'[\n{"customer_number": "1"}\n]\n'))
