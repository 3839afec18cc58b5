"""Files as spreadsheets and old programs write them: encodings, separators, blank rows, names of columns."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from stamkund.importing import BadRow, CannotRun, Reading, Summary
from stamkund.importing.columns import parsed_columns
from stamkund.importing.encodings import named
from stamkund.importing.json_lines import NOT_UTF8
from stamkund.importing.rejects import Rejects
from stamkund.importing.steps import File
from tests.importing.conftest import Publisher

CSV = "customer_number;first_name;address.city\n1;Åsa;Örebro\n2;Bo;Malmö\n3;René;Växjö\n"
JSON = '{"customer_number": "1", "first_name": "Åsa", "address": {"city": "Örebro"}}\n{"customer_number": "2"}\n'


async def check(publisher: Publisher, content: str | bytes, count: int = 3, encoding: str | None = None) -> None:
    summary, bad = await publisher.csv(content, reading=Reading(encoding))
    assert (summary, bad, publisher.remarks) == (Summary(created=count), [], [])
    customer = await publisher.existing_customer("1")
    assert (customer.first_name, customer.address.city) == ("Åsa", "Örebro")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
async def test_encodings_are_found(publisher: Publisher, encoding: str, newline: str) -> None:
    await check(publisher, CSV.replace("\n", newline).encode(encoding))
    publisher.organisation.id += "-json"
    path = publisher.file("rows.jsonl", JSON.replace("\n", newline).encode(encoding))
    summary, bad = await publisher.read(path)
    assert (summary, bad) == (Summary(created=2), [])
    assert (await publisher.existing_customer("1")).address.city == "Örebro"


async def test_a_second_file_may_have_another_encoding(publisher: Publisher) -> None:
    lines = publisher.file("lines.csv", "customer_number;package_code;provision_service\n1;p;Åkeri\n".encode("utf-16"))
    summary, bad = await publisher.read(publisher.file("rows.csv", CSV.encode("cp1252")), lines)
    assert (summary, bad) == (Summary(created=3), [])
    assert (await publisher.existing_customer("1")).subscriptions[0].provision_service == "Åkeri"


@pytest.mark.parametrize("encoding", ["cp850", "mac-roman"])
async def test_an_encoding_that_can_not_be_found_is_asked_for(publisher: Publisher, encoding: str) -> None:
    content = CSV.encode(encoding)
    with pytest.raises(CannotRun, match="Name its encoding with --encoding"):
        await publisher.csv(content)
    assert await publisher.customer("1") is None
    await check(publisher, content, encoding=encoding)


def rows_of(kind: str, numbers: range, name: str) -> str:
    if kind == "csv":
        return "".join(f"{number};{name}\n" for number in numbers)
    return "".join(f'{{"customer_number": "{number}", "first_name": "{name}"}}\n' for number in numbers)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("sorted_", [True, False])
@pytest.mark.parametrize("encoding", ["cp850", "mac-roman", "cp1252"])
async def test_nothing_is_imported_before_the_encoding_is_known(
    publisher: Publisher, kind: str, sorted_: bool, encoding: str
) -> None:
    """The first line that tells may stand far behind. A file with lines of UTF-8 is not half one and half the other."""
    first = rows_of(kind, range(10_001, 16_001) if sorted_ else range(16_000, 10_000, -1), "Bo")
    middle = rows_of(kind, range(20_001, 20_201), "Åsa") if encoding == "cp1252" else ""
    last = rows_of(kind, range(30_001, 30_301), "Kjäll Åkerö")
    header = "customer_number;first_name\n" if kind == "csv" else ""
    path = publisher.file(f"rows.{kind}", f"{header}{first}{middle}".encode() + last.encode(encoding))
    with pytest.raises(CannotRun, match="--encoding"):
        await publisher.read(path)
    for number in ("10001", "16000", "20001", "30001"):
        assert await publisher.customer(number) is None


@pytest.mark.parametrize("encoding", ["cp850", "mac-roman"])
@pytest.mark.parametrize(
    "name", ["Björn", "Malmö", "Götene", "Älvsjö", "Växjö", "Öberg", "Kjær", "sjö 5", "Hallå"], ids=ascii
)
async def test_a_single_letter_tells_other_encodings(publisher: Publisher, encoding: str, name: str) -> None:
    """Some of their letters are punctuation in Windows-1252, but not where punctuation stands."""
    with pytest.raises(CannotRun, match="--encoding"):
        await publisher.csv(f"customer_number;first_name\n1;{name}\n".encode(encoding))
    assert await publisher.customer("1") is None


@pytest.mark.parametrize(
    "name",
    ["O’Brien", "”Kalle” Öberg", "“Kalle” Öberg", "Kalle – ”K”", "5 € (pris…)", "O´Brien", "Åsa·Bo", "‘Bo’", "Zoë 1½"],
    ids=ascii,
)
async def test_punctuation_of_windows_stays_what_it_is(publisher: Publisher, name: str) -> None:
    summary, bad = await publisher.csv(f"customer_number;first_name\n1;{name}\n".encode("cp1252"))
    assert (summary, bad) == (Summary(created=1), [])
    assert (await publisher.existing_customer("1")).first_name == name


@pytest.mark.parametrize(
    "name", ["utf-7", "UTF7", "unicode_escape", "raw_unicode_escape", "punycode", "idna", "rot13", "x"]
)
def test_what_is_no_encoding_of_files(name: str) -> None:
    with pytest.raises(CannotRun, match="There is no encoding"):
        named(name)


async def test_a_file_of_half_and_half_is_not_imported(publisher: Publisher) -> None:
    """Not even those of its lines that can be read."""
    lines = [f"{n};Åsa\n".encode("utf-8" if n % 2 else "cp1252") for n in range(10)]
    with pytest.raises(CannotRun, match="lines in UTF-8 and lines in another encoding"):
        await publisher.csv(b"customer_number;first_name\n" + b"".join(lines))
    assert await publisher.customer("1") is None


async def test_one_broken_line_is_rejected_alone(publisher: Publisher) -> None:
    summary, bad = await publisher.csv(CSV.encode() + b"4;\xe5;\n")
    assert summary == Summary(created=3, rejected=1)
    assert bad == [BadRow(str(publisher.folder / "rows.csv"), 5, None, NOT_UTF8)]


async def test_a_file_in_two_encodings_is_not_guessed_at(publisher: Publisher) -> None:
    half = "".join(f"{n};Åsa;\n" for n in range(10, 20)).encode("cp1252")
    with pytest.raises(CannotRun, match="lines in UTF-8 and lines in another encoding"):
        await publisher.csv(CSV.encode() + half)


async def test_a_file_that_is_no_utf_16_after_all(publisher: Publisher) -> None:
    with pytest.raises(CannotRun, match="is not utf-16, as it seemed"):
        await publisher.csv(CSV.encode("utf-16") + b"\x00\xd8\x00")
    assert await publisher.customer("1") is None


async def test_an_encoding_that_there_is_not(publisher: Publisher) -> None:
    with pytest.raises(CannotRun, match="There is no encoding 'klingon'"):
        await publisher.csv(CSV, reading=Reading(encoding="klingon"))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: f"sep=;\n{text}",
        lambda text: f"SEP=;\r\n{text}",
        lambda text: text.replace("\n", ";\n"),
        lambda text: text.replace("\n", ";;;\n"),
        lambda text: f"{text};;\n;;\n ; ;\n",
        lambda text: f"{text}\x1a",
        lambda text: f"{text}\x1a\n",
        lambda text: text.replace("\n", "\r\n\r\n"),
        lambda text: text.replace("customer_number;first_name", "Customer_Number; First Name"),
        lambda text: text.replace("customer_number;first_name;address.city", "Kundnr;Förnamn;Postort"),
        lambda text: text.replace("customer_number;first_name;address.city", "KUND-NR;förnamn;ADDRESS.CITY"),
        lambda text: text.replace(";", "\t"),
        lambda text: "sep=|\n" + text.replace(";", "|"),
    ],
)
async def test_what_spreadsheets_add(publisher: Publisher, change: Callable[[str], str]) -> None:
    await check(publisher, change(CSV))


async def test_lines_are_counted_as_they_stand(publisher: Publisher) -> None:
    _, bad = await publisher.csv("sep=;\ncustomer_number;first_name\n;;\n1;\n\n!;x\n")
    assert [b.line for b in bad] == [6]


async def test_json_lines_that_end_in_the_character_of_dos(publisher: Publisher) -> None:
    summary, bad = await publisher.read(publisher.file("rows.jsonl", JSON + "\x1a"))
    assert (summary.created, bad) == (2, [])


async def test_other_names_of_columns(publisher: Publisher) -> None:
    columns = parsed_columns(
        ["Abonnent=customer_number, Benämning=first_name", "Notering=,Stad där hen bor=address.city"]
    )
    content = "Abonnent;benämning;Notering;Stad där hen bor;CRM\n1;Åsa;x;Örebro;\n"
    with pytest.raises(CannotRun, match="has an unknown column 'CRM'"):
        await publisher.csv(content, reading=Reading(columns=columns))
    columns["CRM"] = "identity_mapping.crm"
    summary, bad = await publisher.csv(content, reading=Reading(columns=columns))
    assert (summary, bad) == (Summary(created=1), [])
    row = {
        "Abonnent": 7,
        "Benämning": "Åsa",
        "notering": "x",
        "Stad där hen bor": "Örebro",
        "personnummer": "8006108230",
    }
    summary, bad = await publisher.rows(row, reading=Reading(columns=columns))
    assert (summary, bad, publisher.remarks) == (Summary(created=1), [], [])
    customer = await publisher.existing_customer("7")
    assert (customer.first_name, customer.address.city) == ("Åsa", "Örebro")
    assert customer.social_security_number is not None


@pytest.mark.parametrize("text", ["Kundnr", "=customer_number"])
def test_columns_are_a_list_of_pairs(text: str) -> None:
    with pytest.raises(CannotRun, match="--columns is a list such as"):
        parsed_columns([text])


def test_a_chosen_column_that_is_none() -> None:
    with pytest.raises(CannotRun, match="names 'kundnumret', which is no column"):
        parsed_columns(["Abonnent=kundnumret"])


async def test_two_columns_of_one_name(publisher: Publisher) -> None:
    with pytest.raises(CannotRun, match="has the column customer_number twice"):
        await publisher.csv("Kundnr;customer_number\n1;1\n")


async def test_a_pipe_is_read_like_a_file(publisher: Publisher) -> None:
    """It can be read only once, but the import looks at a file several times."""
    pipe = publisher.folder / "pipe.csv"
    os.mkfifo(pipe)
    content = "customer_number;first_name\n2;Åsa\n1;Bo\n2;\n".encode("cp1252")
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    summary, bad = await publisher.read(pipe)
    writer.join()
    assert (summary, bad) == (Summary(created=2), [])


class TestRejects:
    """The rejected rows in the format of the input: corrected, they can be imported as they are."""

    async def written(self, publisher: Publisher, path: Path, second: Path | None = None) -> tuple[Path, Path]:
        target = publisher.folder / f"rejects{path.suffix}"
        rejects = Rejects(target)
        _, bad = await publisher.read(path, second)
        for row in bad:
            rejects.add(row)
        files = [None if file is None else File(str(file), str(file)) for file in (path, second)]
        assert files[0] is not None
        rejects.write(files[0], files[1], None, finished=True)
        rejects.close()
        return target, publisher.folder / f"rejects.subscriptions{path.suffix}"

    async def test_of_csv(self, publisher: Publisher) -> None:
        content = 'sep=;\nKundnr;Förnamn;Gata\n1;Åsa;\n!;Örjan;"A\nB"\n3;Bo\n4;"x"y;\n5;;\n'
        path = publisher.file("rows.csv", content.encode("cp1252"))
        target, second = await self.written(publisher, path)
        assert target.read_text("utf-8-sig") == (
            "Kundnr;Förnamn;Gata;reason\n"
            '!;Örjan;"A\nB";customer_number: must match format (/^[a-zA-Z-_0-9]+$/)\n'
            "3;Bo;;has 2 values, but the first line names 3 columns\n"
            '"4;""x""y;";the row is not valid CSV: a quotation mark is out of place\n'
        )
        assert target.stat().st_mode & 0o777 == 0o600
        assert not second.exists()
        corrected = publisher.file(
            "corrected.csv", "".join(target.read_text().splitlines(keepends=True)[:3]).replace("!", "2")
        )
        summary, bad = await publisher.read(corrected)
        assert (summary, bad) == (Summary(created=1, remarks=1), [])
        assert (await publisher.existing_customer("2")).address.street == "A B"

    @pytest.mark.parametrize("suffix", ["csv", "jsonl"])
    async def test_importing_them_ends_nothing(self, publisher: Publisher, suffix: str) -> None:
        """What they lack was imported with the others."""
        columns = ("customer_number", "package_code", "subscription_number")
        table = [("1", "total", "S1"), ("1", "x y", "S2"), ("2", "total", "S3"), ("2", "sport", "S4")]
        if suffix == "csv":
            path = publisher.file("rows.csv", "\n".join(",".join(one) for one in (columns, *table)).encode())
        else:
            subscriptions = [{**dict(zip(columns[1:], one[1:], strict=True))} for one in table]
            rows = [
                {"customer_number": one[0], "subscriptions": [s]} for one, s in zip(table, subscriptions, strict=True)
            ]
            path = publisher.file("rows.jsonl", rows)
        target, _ = await self.written(publisher, path)
        corrected = publisher.file(f"corrected.{suffix}", target.read_bytes().replace(b"x y", b"sport"))
        await publisher.read(corrected)
        assert [remark.column for remark in publisher.remarks] == ["reason"]
        for number in ("1", "2"):
            stored = (await publisher.existing_customer(number)).subscriptions
            assert sorted((one.package_code, one.state) for one in stored) == [
                ("sport", "activated"),
                ("total", "activated"),
            ]

    async def test_a_column_of_that_name_that_means_something_else(self, publisher: Publisher) -> None:
        reading = Reading(columns={"reason": "first_name"})
        summary, _ = await publisher.csv("customer_number,reason\n1,Ove\n", reading=reading)
        assert (summary, publisher.remarks) == (Summary(created=1), [])
        assert (await publisher.existing_customer("1")).first_name == "Ove"

    async def test_rejected_lines_of_a_second_file_end_nothing(self, publisher: Publisher) -> None:
        customers = publisher.file("rows.csv", b"customer_number\n1\n2\n")
        lines = publisher.file("lines.csv", b"customer_number,package_code\n1,total\n1,x y\n2,total\n")
        _, second = await self.written(publisher, customers, lines)
        corrected = publisher.file("corrected.csv", second.read_bytes().replace(b"x y", b"sport"))
        await publisher.read(customers, corrected)
        stored = [one for n in "12" for one in (await publisher.existing_customer(n)).subscriptions]
        assert [(one.package_code, one.state) for one in stored] == [
            ("total", "activated"),
            ("sport", "activated"),
            ("total", "activated"),
        ]

    async def test_into_a_file_that_others_can_read(self, publisher: Publisher) -> None:
        (publisher.folder / "rejects.csv").touch(0o644)
        target, _ = await self.written(publisher, publisher.file("rows.csv", b"customer_number\n!\n"))
        assert target.stat().st_mode & 0o777 == 0o600

    async def test_those_of_an_earlier_import_do_not_stay(self, publisher: Publisher) -> None:
        """With a second file, its rejects too."""
        customers = publisher.file("rows.csv", b"customer_number\n1\n")
        earlier = [publisher.file(f"rejects{kind}.csv", b"customer_number;reason\n") for kind in ("", ".subscriptions")]
        await self.written(
            publisher, customers, publisher.file("lines.csv", b"customer_number,package_code\n1,total\n")
        )
        assert [path.exists() for path in earlier] == [False, False]

    async def test_no_other_file_is_removed(self, publisher: Publisher) -> None:
        """Whatever stands at that name: the name may be a mistake."""
        for content in (b"customer_number;first_name\n1;Ove\n", b"reason: none\n", b'{"customer_number":"1"}\n', b""):
            path = publisher.file("rejects.csv", content)
            await self.written(publisher, publisher.file("rows.csv", b"customer_number\n1\n"))
            assert path.read_bytes() == content

    async def test_separators_at_the_end_and_a_reason_that_is_there(self, publisher: Publisher) -> None:
        """Rejects of rejects have one reason, and the columns of the file."""
        first, _ = await self.written(publisher, publisher.file("rows.csv", b"customer_number;first_name;\n!;Ann;\n"))
        again = publisher.file("again.csv", first.read_bytes())
        target, _ = await self.written(publisher, again)
        assert target.read_text("utf-8-sig") == again.read_text("utf-8-sig")
        assert target.read_text("utf-8-sig").splitlines()[0] == "customer_number;first_name;reason"

    async def test_all_rows_of_a_customer(self, publisher: Publisher) -> None:
        """Two people have one number, which is seen when the rows are stored: none of the rows is lost."""
        await publisher.rows({"customer_number": "1", "social_security_number": "620817-9256"})
        rows = [f"2;620817-9256;p{n}" for n in range(3)]
        content = "\n".join(["customer_number;social_security_number;package_code", *rows])
        target, _ = await self.written(publisher, publisher.file("rows.csv", content.encode()))
        assert [line[: len(rows[0])] for line in target.read_text("utf-8-sig").splitlines()[1:]] == rows

    @pytest.mark.parametrize("encoding", [None, "cp1252"])
    @pytest.mark.parametrize("suffix", ["csv", "jsonl"])
    async def test_they_are_read_as_the_file_was(self, publisher: Publisher, suffix: str, encoding: str | None) -> None:
        row = (
            '{"customer_number": "!", "first_name": "Åsa"}'
            if suffix == "jsonl"
            else "customer_number;first_name\n!;Åsa"
        )
        path = publisher.file(f"rows.{suffix}", row.encode("cp1252"))
        target, _ = await self.written(publisher, path)
        corrected = publisher.file(f"corrected.{suffix}", target.read_bytes().replace(b"!", b"1", 1))
        await publisher.read(corrected, reading=Reading(encoding=encoding))
        assert (await publisher.existing_customer("1")).first_name == "Åsa"

    async def test_a_reason_in_any_row_marks_them(self, publisher: Publisher) -> None:
        subscriptions = [{"package_code": "a", "subscription_number": "1"}, {"package_code": "b", "reason": "late"}]
        await publisher.rows({"customer_number": "1", "subscriptions": subscriptions})
        one = {"customer_number": "1", "subscriptions": subscriptions[:1]}
        await publisher.rows(one, {"customer_number": "2", "reason": "x"})
        assert {one.state for one in (await publisher.existing_customer("1")).subscriptions} == {"activated"}

    async def test_a_link_is_not_followed(self, publisher: Publisher) -> None:
        (publisher.folder / "rejects.csv").symlink_to(publisher.folder / "elsewhere")
        with pytest.raises(CannotRun, match="cannot be written"):
            await self.written(publisher, publisher.file("rows.csv", b"customer_number\n!\n"))
        assert not (publisher.folder / "elsewhere").exists()

    async def test_of_json_lines(self, publisher: Publisher) -> None:
        path = publisher.file(
            "rows.jsonl", '{"customer_number": "!", "first_name": "Åsa"}\n{"customer_number": "2"}\n{x\n'
        )
        lines = publisher.file("lines.jsonl", '{"customer_number": "2", "package_code": "!"}\n')
        target, second = await self.written(publisher, path, lines)
        first, broken = target.read_text().splitlines()
        assert first == (
            '{"customer_number":"!","first_name":"\\u00c5sa","reason":"customer_number: must match format '
            '(/^[a-zA-Z-_0-9]+$/)"}'
        )
        assert broken.startswith('{"unreadable":"{x","reason":"the line is not valid JSON')
        assert second.read_text().startswith(
            '{"customer_number":"2","package_code":"!","reason":"package_code: must match'
        )
        corrected = publisher.file("corrected.jsonl", first.replace("!", "3", 1))
        summary, bad = await publisher.read(corrected)
        assert (summary, bad) == (Summary(created=1, remarks=1), [])

    async def test_without_any_there_is_no_file(self, publisher: Publisher) -> None:
        target, _ = await self.written(publisher, publisher.file("rows.csv", "customer_number\n1\n"))
        assert not target.exists()
