"""Imported password hashes: stored sealed, reported where they are weak, left out where they cost too much."""

from __future__ import annotations

import json

import pytest
from passlib import hash as kinds

from stamkund.importing import Summary, beside
from stamkund.rules import identifiers
from stamkund.store.work import Execute, Sql, Work
from tests.importing.conftest import Publisher

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
