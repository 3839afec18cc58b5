"""Imported password hashes: stored sealed, reported where they are weak, left out where they cost too much."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from passlib import hash as kinds

from stamkund.identity import imported_hashes
from stamkund.importing import Summary, beside, checks
from stamkund.importing.steps import Reading
from stamkund.rules import identifiers
from stamkund.rules.values import Invalid
from stamkund.store.work import Execute, Sql, Work
from tests.importing.conftest import Publisher
from tests.support.hashes import BY_FORM, FIREBASE, VECTORS

WEAK = {
    "phpass": kinds.phpass.using(rounds=7).hash("x"),
    "bcrypt": kinds.bcrypt.using(rounds=4).hash("x"),
    "PBKDF2-SHA256": kinds.django_pbkdf2_sha256.using(rounds=10).hash("x"),
}
STRONG = "$2b$12$CauCJVLA.NTgR4TsdABCR.vv.gJZW1G6ApYdPUevqxnJYXMPHBYEG"
DOCUMENTS = Sql("SELECT document FROM customers WHERE organisation = $1")
COSTLY = "$2b$16$CauCJVLA.NTgR4TsdABCR.vv.gJZW1G6ApYdPUevqxnJYXMPHBYEG"


def row(number: int, password_hash: str) -> dict[str, str]:
    return {"customer_number": str(number), "email": f"{number}@example.com", "password_hash": password_hash}


@pytest.mark.both_engines
async def test_no_imported_hash_is_stored_as_it_is(publisher: Publisher) -> None:
    """Whatever its kind: a copy of the database helps nobody to guess passwords."""
    hashes = [*WEAK.values(), STRONG]
    summary, _ = await publisher.rows(*(row(number, one) for number, one in enumerate(hashes)))
    assert summary.created == len(hashes)

    def documents_of_the_organisation() -> Work[list[str]]:
        stored = yield Execute(DOCUMENTS, (publisher.organisation.id,))
        return [row["document"] for row in stored]

    documents = await publisher.store.engine.read(documents_of_the_organisation)
    assert len(documents) == len(hashes)
    for number, one in enumerate(hashes):
        assert not any(one in document or json.dumps(one) in document for document in documents)
        login = await publisher.store.logins.find(publisher.organisation.id, identifiers.email(f"{number}@example.com"))
        assert login is not None and login.hash == one
    assert (await publisher.rows(*(row(number, one) for number, one in enumerate(hashes))))[0].unchanged == len(hashes)


async def test_weak_hashes_are_reported_by_their_kind(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [row(number, one) for number, one in enumerate([*WEAK.values(), WEAK["bcrypt"], STRONG])]
    expected = {"phpass": 1, "bcrypt": 2, "PBKDF2-SHA256": 1}
    assert await publisher.rows(*made) == (Summary(created=5, weak_hashes=expected), [])
    monkeypatch.setattr(beside, "LARGE_BYTES", 1)  # by a process of its own
    monkeypatch.setattr(beside, "usable_cores", lambda: 2)
    assert await publisher.rows(*made) == (Summary(unchanged=5, weak_hashes=expected), [])


async def test_the_rows_of_one_customer_bring_one_weak_hash(publisher: Publisher) -> None:
    joined = [row(1, WEAK["phpass"]) | {"subscriptions": [{"package_code": code}]} for code in ("total", "sport")]
    assert await publisher.rows(*joined) == (Summary(created=1, weak_hashes={"phpass": 1}), [])


async def test_a_hash_that_costs_too_much_is_left_out(publisher: Publisher) -> None:
    summary, bad = await publisher.rows(row(1, COSTLY), row(2, STRONG))
    assert (summary, bad) == (Summary(created=2, remarks=1), [])
    (remark,) = publisher.remarks
    assert (remark.line, remark.column, remark.customer_number) == (1, "password_hash", "1")
    assert remark.reason == "must be a password hash that takes less time and memory to verify"
    assert (await publisher.existing_customer("1")).password_hash is None
    assert (await publisher.existing_customer("2")).password_hash == STRONG


@pytest.mark.both_engines
@pytest.mark.parametrize("blanks", ["{}", " {}", "{} ", "{}\t", "\n{}\r\n", "{}\N{NO-BREAK SPACE}"])
async def test_every_form_is_taken_with_blanks_around_it(publisher: Publisher, blanks: str) -> None:
    """From JSON Lines and from CSV, and counted where it is weak."""
    made = [row(number, blanks.format(vector.text)) for number, vector in enumerate(VECTORS)]
    summary, bad = await publisher.rows(*made)
    assert (summary.created, summary.remarks, bad) == (len(VECTORS), 0, [])
    assert sum(summary.weak_hashes.values()) == len([vector for vector in VECTORS if vector.weak])
    assert set(summary.weak_hashes) == {vector.weak for vector in VECTORS if vector.weak}
    text = io.StringIO()
    writer = csv.DictWriter(text, made[0])
    writer.writeheader()
    writer.writerows(made)
    again, _ = await publisher.csv(text.getvalue())
    assert (again.unchanged, again.remarks) == (len(VECTORS), 0)
    for number, vector in enumerate(VECTORS):
        assert (await publisher.existing_customer(str(number))).password_hash == vector.text


async def test_what_is_not_recognised_is_counted_by_its_form(publisher: Publisher) -> None:
    """The customers are imported; what a password in plain text holds is in no report."""
    not_recognised = {
        "{noop}hemligt": "{noop}",
        "{CRYPT}$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7": "{CRYPT}$y$",
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7": "$y$",
        "pbkdf2_sha256$damaged": "pbkdf2_sha256$",
        "scrypt:damaged": "scrypt:",
        "hemligt$lösen$ord": None,
        "hemligt:ord": None,
        "hemligt": None,
    }
    summary, bad = await publisher.rows(*(row(number, text) for number, text in enumerate(not_recognised)))
    assert (summary.created, summary.remarks, bad) == (len(not_recognised), len(not_recognised), [])
    for remark, start in zip(publisher.remarks, not_recognised.values(), strict=True):
        kind = f" (it begins with {start})" if start else ""
        assert remark.reason == f"must be a password hash of a supported kind{kind}"
        assert not any(part in f"{remark}" for part in ("hemligt", "lösen", "ord$", "ord:"))
    digits, _ = await publisher.rows(row(99, "d41d8cd98f00b204e9800998ecf8427e"))
    assert digits.created == 1
    assert publisher.remarks[0].reason.endswith("(it is 32 hexadecimal digits)")


async def test_a_firebase_hash_without_its_key_is_left_out(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the operator learns what is missing before readers do. One that holds the key needs no setting."""
    rows = row(1, FIREBASE), row(2, BY_FORM["Kratos firescrypt"].text)
    for process in ("this", "another"):
        if process == "another":
            monkeypatch.setattr(beside, "LARGE_BYTES", 1)
            monkeypatch.setattr(beside, "usable_cores", lambda: 2)
        await publisher.rows(*rows)
        assert [(remark.line, remark.reason) for remark in publisher.remarks] == [
            (1, "needs the setting STAMKUND_FIREBASE_SIGNER_KEY")
        ]
        assert (await publisher.existing_customer("2")).password_hash == rows[1]["password_hash"]
    await publisher.rows(*rows, reading=Reading(firebase=True))
    assert publisher.remarks == []
    assert (await publisher.existing_customer("1")).password_hash == FIREBASE


@given(st.one_of(st.text(), st.from_regex(r"\{[a-zA-Z0-9-]*\}.*|[$][a-z0-9]*[$].*|[a-z0-9_]*[$:].*")))
def test_any_text_is_a_hash_or_left_out(text: str) -> None:
    check = dict(checks.CUSTOMER)["password_hash"]
    with suppress(Invalid):
        clean = check(text)
        assert clean is None or clean in text


async def test_a_credential_of_keycloak_may_stand_as_it_is_in_json_lines(publisher: Publisher) -> None:
    vectors = [vector for vector in VECTORS if vector.form.startswith("Keycloak")]
    rows = [row(n, vector.text) | {"password_hash": json.loads(vector.text)} for n, vector in enumerate(vectors)]
    summary, bad = await publisher.rows(*rows, {**row(99, ""), "password_hash": {"type": "password"}})
    assert (summary.created, summary.remarks, bad) == (len(vectors) + 1, 1, [])
    assert publisher.remarks[0].reason == "must be a password hash of a supported kind"
    for number, vector in enumerate(vectors):
        stored = (await publisher.existing_customer(str(number))).password_hash
        assert stored is not None and json.loads(stored) == json.loads(vector.text)
        assert imported_hashes.matches(stored, [vector.password.encode()], imported_hashes.Secrets())
