"""`stamkund import customers`: what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import passlib.hash
import pytest

from tests.cli.conftest import Run
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
    file = written(tmp_path, f"{CUSTOMERS}3,wrong\n4\n")
    done = run("import", "customers", file, "--organisation", "herald")
    assert (done.exit_code, done.stdout) == (1, "2 created, 0 updated, 0 unchanged, 2 rejected\n")
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"{file}:4, email: must match format")
    assert lines[1] == f"{file}:5: has 1 values, but the first line names 2 columns"
    assert stored(fresh_url) == 2


def test_a_report_as_json(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path, CUSTOMERS)
    second = written(tmp_path, '{"customer_number": "1", "package_code": "!"}\n', "subscriptions.jsonl")
    done = run("import", "customers", file, "--organisation", "herald", "--subscriptions", second, "--json")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    rejections = report.pop("rejections")
    assert report == {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1, "weak_password_hashes": {}}
    assert [(one["file"], one["line"], one["column"]) for one in rejections] == [
        (str(second), 1, "package_code"),
        (str(file), 2, "subscriptions"),
    ]


def test_weak_password_hashes_are_counted(run: Run, tmp_path: Path) -> None:
    weak = passlib.hash.phpass.using(rounds=7).hash("x")
    row = {"customer_number": "1", "email": "a@example.com", "password_hash": weak}
    file = written(tmp_path, json.dumps(row), "customers.jsonl")
    done = run("import", "customers", file, "--organisation", "herald")
    assert done.stdout.splitlines()[1:] == [
        "1 password hashes are weak (phpass 1): each is stored sealed, and replaced when its reader logs in"
    ]
    again = run("import", "customers", file, "--organisation", "herald", "--json")
    assert json.loads(again.stdout)["weak_password_hashes"] == {"phpass": 1}


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
