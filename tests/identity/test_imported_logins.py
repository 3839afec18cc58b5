"""Readers log in with passwords that other systems hashed, over HTTP, and their hashes are replaced."""

from __future__ import annotations

from pathlib import Path

import bcrypt
import pytest

from stamkund.identity.hashing_queue import HashingQueue
from stamkund.rules import identifiers
from tests.support.hashes import FIREBASE, FIREBASE_KEY, FIREBASE_PASSWORD, PASSWORD, PEPPER, PEPPERED, VECTORS
from tests.support.service import Publisher, RunningService

COMPOSED = "bl\N{LATIN SMALL LETTER A WITH RING ABOVE}b\N{LATIN SMALL LETTER A WITH DIAERESIS}r7"
DECOMPOSED = "bla\N{COMBINING RING ABOVE}ba\N{COMBINING DIAERESIS}r7"


async def log_in(publisher: Publisher, email: str, password: str) -> int:
    return (await publisher.grant("password", username=email, password=password)).status_code


async def stored_hash(publisher: Publisher, email: str) -> str:
    login = await publisher.service.store.logins.find(publisher.id, identifiers.email(email))
    assert login is not None and login.hash is not None
    return login.hash


async def import_reader(publisher: Publisher, number: int, password_hash: str) -> str:
    email = f"reader{number}@example.com"
    await publisher.customer(f"c{number}", email=email, password_hash=password_hash, social_security_number=None)
    return email


@pytest.mark.both_engines
async def test_readers_of_every_form_log_in_and_get_a_hash_of_ours(publisher: Publisher) -> None:
    for number, vector in enumerate(VECTORS):
        email = await import_reader(publisher, number, vector.text)
        assert await log_in(publisher, email, "wrong") == 400, vector.form
        assert await stored_hash(publisher, email) == vector.text
        assert await log_in(publisher, email, vector.password) == 200, vector.form
        assert (await stored_hash(publisher, email)).startswith("$argon2id$v=19$m=8,t=1,p=")
        assert await log_in(publisher, email, vector.password) == 200, vector.form
        assert await log_in(publisher, email, "wrong") == 400, vector.form


@pytest.mark.both_engines
@pytest.mark.parametrize("hashed", [COMPOSED.encode(), DECOMPOSED.encode(), COMPOSED.encode("latin-1")])
async def test_old_systems_hashed_what_the_browser_sent(publisher: Publisher, hashed: bytes) -> None:
    """After the first login either way of typing it is the same password."""
    email = await import_reader(publisher, 1, bcrypt.hashpw(hashed, bcrypt.gensalt(4)).decode())
    assert await log_in(publisher, email, "blabar7") == 400
    assert await log_in(publisher, email, DECOMPOSED if hashed == DECOMPOSED.encode() else COMPOSED) == 200
    assert (await stored_hash(publisher, email)).startswith("$argon2id$")
    assert await log_in(publisher, email, COMPOSED) == await log_in(publisher, email, DECOMPOSED) == 200


async def test_what_the_settings_say_of_the_old_system(fresh_url: str, tmp_path: Path) -> None:
    options = {"imported_bcrypt_pepper": PEPPER, "firebase_signer_key": FIREBASE_KEY}
    async with RunningService(fresh_url, tmp_path / "stamkund.key", **options) as service:
        publisher = await service.publisher()
        for number, (password_hash, password) in enumerate(((PEPPERED, PASSWORD), (FIREBASE, FIREBASE_PASSWORD))):
            email = await import_reader(publisher, number, password_hash)
            assert await log_in(publisher, email, "wrong") == 400
            assert await log_in(publisher, email, password) == 200


async def test_a_wrong_password_takes_one_place_in_the_queue(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many readings it has, so that a quarter of the queue is no fewer logins than it was."""
    email = await import_reader(publisher, 1, VECTORS[0].text)
    await log_in(publisher, email, "wrong")  # from now on there are decoys
    places: list[object] = []
    run = HashingQueue.run

    async def counted(self, *arguments):  # type: ignore[no-untyped-def]
        places.append(self)
        return await run(self, *arguments)

    monkeypatch.setattr(HashingQueue, "run", counted)
    for username in (email, "nobody@example.com"):
        places.clear()
        assert await log_in(publisher, username, DECOMPOSED) == 400
        assert len(places) == 1
