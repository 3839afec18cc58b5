"""`stamkund import customers`: what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import passlib.hash
import pytest

from stamkund.cli.customers import Reports
from stamkund.importing import BadRow
from tests.cli.conftest import Run
from tests.support.hashes import FIREBASE, FIREBASE_KEY
from tests.support.rows import rows

CUSTOMERS = "customer_number,email\n1,anna@example.com\n2,bo@example.com\n"


def written(folder: Path, content: str, name: str = "customers.csv") -> Path:
    file = folder / name
    file.write_text(content)
    return file


def stored(url: str) -> int:
    """How many customers the database has."""
    return len(asyncio.run(rows(url, "SELECT row FROM customers")))


def test_an_import_and_the_same_again(run: Run, tmp_path: Path, fresh_url: str) -> None:
    file = written(tmp_path, CUSTOMERS)
    command = ("import", "customers", file, "--organisation", "herald")
    dry = run(*command, "--dry-run")
    assert (dry.exit_code, dry.stdout) == (0, "2 would be created, 0 would be updated, 0 unchanged, 0 rejected\n")
    assert stored(fresh_url) == 0
    first = run(*command)
    assert (first.exit_code, first.stdout) == (0, "2 created, 0 updated, 0 unchanged, 0 rejected\n")
    assert stored(fresh_url) == 2
    assert run(*command).stdout == "0 created, 0 updated, 2 unchanged, 0 rejected\n"


def test_rejected_rows_are_reported_and_the_others_imported(run: Run, tmp_path: Path, fresh_url: str) -> None:
    file = written(tmp_path, f"{CUSTOMERS}wrong number,\n4\n")
    done = run("import", "customers", file, "--organisation", "herald")
    assert (done.exit_code, done.stdout) == (1, "2 created, 0 updated, 0 unchanged, 2 rejected\n")
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"{file}:4, customer_number: must match format")
    assert lines[1] == f"{file}:5: has 1 values, but the first line names 2 columns"
    assert stored(fresh_url) == 2


def test_a_report_as_json(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path, CUSTOMERS)
    second = written(tmp_path, '{"customer_number": "1", "package_code": "!"}\n', "subscriptions.jsonl")
    done = run("import", "customers", file, "--organisation", "herald", "--subscriptions", second, "--json")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    rejections = report.pop("rejections")
    assert report == {
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
        "remarks": 0,
        "ended": 0,
        "weak_password_hashes": {},
        "remarked": [],
        "missing": [],
        "reasons": {"package_code: must match format (/^[a-zA-Z-_0-9+]+$/)": 1},
    }
    assert [(one["file"], one["line"], one["column"]) for one in rejections] == [(str(second), 1, "package_code")]


def test_weak_password_hashes_are_counted(run: Run, tmp_path: Path) -> None:
    weak = passlib.hash.phpass.using(rounds=7).hash("x")
    row = {"customer_number": "1", "email": "a@example.com", "password_hash": weak}
    file = written(tmp_path, json.dumps(row), "customers.jsonl")
    done = run("import", "customers", file, "--organisation", "herald")
    assert done.stdout.splitlines()[1:] == [
        "1 weak password hash (phpass 1): stored sealed, and replaced when the reader logs in"
    ]
    again = run("import", "customers", file, "--organisation", "herald", "--json")
    assert json.loads(again.stdout)["weak_password_hashes"] == {"phpass": 1}


def test_the_key_of_a_firebase_project_is_a_setting(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"customer_number": "1", "email": "a@example.com", "password_hash": FIREBASE}
    command = "import", "customers", written(tmp_path, json.dumps(row), "firebase.jsonl"), "--organisation", "herald"
    without = run(*command)
    assert without.exit_code == 0 and "1 value not imported as given" in without.stdout
    assert "password_hash: needs the setting STAMKUND_FIREBASE_SIGNER_KEY" in without.stderr
    monkeypatch.setenv("STAMKUND_FIREBASE_SIGNER_KEY", FIREBASE_KEY)
    assert run(*command).stdout.splitlines() == [
        "0 created, 1 updated, 0 unchanged, 0 rejected",
        "1 weak password hash (Firebase scrypt 1): stored sealed, and replaced when the reader logs in",
    ]
    monkeypatch.setenv("STAMKUND_FIREBASE_SIGNER_KEY", FIREBASE_KEY[:-3])
    wrong = run(*command)
    assert wrong.exit_code == 2 and "the setting firebase_signer_key" in wrong.stderr
    assert FIREBASE_KEY[:20] not in wrong.output


@pytest.mark.parametrize(
    ("content", "organisation", "sentence"),
    [
        (CUSTOMERS, "unknown", "there is no organisation unknown"),
        ("number\n1\n", "herald", "has no column customer_number"),
        ("", "herald", "is empty"),
    ],
)
def test_an_import_that_can_not_run(run: Run, tmp_path: Path, content: str, organisation: str, sentence: str) -> None:
    done = run("import", "customers", written(tmp_path, content), "--organisation", organisation)
    assert done.exit_code == 2 and sentence in done.stderr


def test_values_that_can_not_be_used_reject_nothing(run: Run, tmp_path: Path, fresh_url: str) -> None:
    file = written(tmp_path, "customer_number,email\n1,saknas\n2,-\n3,okänd\n!,\n")
    done = run("import", "customers", file, "--organisation", "herald")
    counts = "3 created, 0 updated, 0 unchanged, 1 rejected, 2 values not imported as given\n"
    assert (done.exit_code, done.stdout) == (1, counts)
    assert done.stderr.splitlines() == [
        f"{file}:5, customer_number: must match format (/^[a-zA-Z-_0-9]+$/)",
        f"{file}:2, email, customer 1: must be an e-mail address (aaaaaa)",
        f"{file}:4, email, customer 3: must be an e-mail address (aaaaa)",
        "       2 x email: must be an e-mail address",
        "       1 x customer_number: must match format (/^[a-zA-Z-_0-9]+$/)",
    ]
    good = written(tmp_path, "customer_number,email\n1,saknas\n")
    assert run("import", "customers", good, "--organisation", "herald").exit_code == 0
    assert stored(fresh_url) == 3


def test_files_of_spreadsheets(run: Run, tmp_path: Path) -> None:
    file, rejects = tmp_path / "kunder.csv", tmp_path / "fel.csv"
    file.write_bytes("sep=;\r\nAbonnent;Förnamn;Kommentar;\r\n1;Åsa;x;\r\n!;Örjan;y;\r\n;;;\r\n".encode("cp1252"))
    columns = ("--columns", "Abonnent=customer_number", "--columns", "kommentar=")
    command = ("import", "customers", file, "--organisation", "herald", *columns, "--rejects", rejects)
    done = run(*command)
    assert (done.exit_code, done.stdout) == (1, "1 created, 0 updated, 0 unchanged, 1 rejected\n")
    assert rejects.read_text("utf-8-sig").startswith("Abonnent;Förnamn;Kommentar;reason\n")
    assert "Örjan" in rejects.read_text() and "Åsa" not in rejects.read_text()
    done = run(*command, "--encoding", "cp850")
    assert done.exit_code == 2 and "has an unknown column" in done.stderr
    done = run(*command, "--encoding", "klingon")
    assert done.exit_code == 2 and "There is no encoding 'klingon'" in done.stderr


def test_a_complete_file(run: Run, tmp_path: Path) -> None:
    def lines(numbers: range) -> Path:
        row = '{{"customer_number": "{}", "subscriptions": [{{"package_code": "total"}}]}}\n'
        return written(tmp_path, "".join(row.format(n) for n in numbers), "customers.jsonl")

    command = ("import", "customers", lines(range(100, 120)), "--organisation", "herald", "--full")
    assert run(*command).exit_code == 0
    lines(range(101, 120))
    dry = run(*command, "--dry-run")
    assert dry.stdout.endswith("0 rejected, 1 customer not in the file would be ended\n")
    assert "customer 100 is not in the file: all subscriptions would end" in dry.stderr
    assert run(*command).stdout.endswith("0 rejected, 1 customer not in the file ended\n")
    lines(range(115, 120))
    done = run(*command)
    assert done.exit_code == 2 and "add --force" in done.stderr
    assert done.stdout == "0 created, 0 updated, 5 unchanged, 0 rejected\n"
    report = json.loads(run(*command, "--force", "--json").stdout)
    assert (report["ended"], len(report["missing"])) == (14, 14)


def test_long_customer_numbers_are_warned_of(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path, "customer_number\n1\n12345678901\n")
    command = ("import", "customers", file, "--organisation", "herald")
    warned = run(*command)
    assert warned.exit_code == 0
    assert "numbers of 1 customer have more than 10 characters, which look-ups refuse" in warned.stderr
    assert run("init", "--organisation", "herald", "--long-customer-numbers").exit_code == 0
    assert run(*command).stderr == ""
    assert run("init", "--organisation", "herald", "--name", "Another").exit_code == 0
    assert run(*command).stderr == ""


def test_ctrl_c_says_what_was_done(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stamkund.importing import run as running

    put = running._CustomerImport._put
    batches: list[int] = []

    async def interrupted(self: Any, changes: Any) -> Any:
        batches.append(len(changes))
        if len(batches) == 2:
            raise KeyboardInterrupt
        return await put(self, changes)

    monkeypatch.setattr(running._CustomerImport, "_put", interrupted)
    file = written(tmp_path, "customer_number\n" + "".join(f"{n}\n" for n in range(1500)))
    done = run("import", "customers", file, "--organisation", "herald")
    assert (done.exit_code, done.stdout) == (130, f"{batches[0]} created, 0 updated, 0 unchanged, 0 rejected\n")
    assert "stopped. What was imported so far stays" in done.stderr


def test_reasons_are_counted_whatever_line_or_customer_they_name() -> None:
    reports = Reports(None, json=False, dry_run=False)
    for line in range(2, 5):
        reports(BadRow("a.csv", line, "email", f"is another one than in line {line - 1} of the same customer"))
        reports(BadRow("a.csv", line, "email", f"customer K-{line} has this e-mail and a password"))
        reports(BadRow("a.csv", line, None, f"lines {line} to {line + 7} were read as one row"))
    assert reports.reasons == {
        "email: is another one than another line of the same customer": 3,
        "email: another customer has this e-mail and a password": 3,
        "row: several lines were read as one row": 3,
    }


@pytest.mark.parametrize("rejects", ["customers.csv", "link.csv", "lines.csv"])
def test_rejected_rows_are_not_written_over_what_is_imported(run: Run, tmp_path: Path, rejects: str) -> None:
    """Nor over the second file, which goes by the name of the first."""
    customers = written(tmp_path, "customer_number\n!\n")
    lines = written(tmp_path, "customer_number,package_code\n!,total\n", "lines.subscriptions.csv")
    (tmp_path / "link.csv").symlink_to(customers)
    command = ("import", "customers", customers, "--subscriptions", lines, "--organisation", "herald")
    done = run(*command, "--rejects", tmp_path / rejects)
    assert done.exit_code == 2 and "would write over" in done.stderr
    assert customers.read_text() == "customer_number\n!\n"
