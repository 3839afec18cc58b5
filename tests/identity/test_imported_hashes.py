"""Hashes of other systems: which are verified, in which readings of a password, and any text as one."""

from __future__ import annotations

import re
from typing import Any

import argon2
import bcrypt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.security import generate_password_hash

from stamkund.identity import imported_hashes
from stamkund.identity.decoys import decoy_like, kind_of
from stamkund.identity.hashing_queue import HashingQueue
from stamkund.identity.imported_hashes import FORMS, FirebaseProject, Secrets, base64_bytes, scrypt_forms
from stamkund.identity.imported_hashes.form import HashForm
from stamkund.identity.passwords import Passwords, readings
from stamkund.settings import Settings
from tests.support.hash_texts import (
    ARGON2,
    BCRYPT,
    DIGEST,
    DRUPAL,
    HEX,
    PHPASS,
    SCRYPT,
    asp_net,
    keycloak,
    matches,
)
from tests.support.hashes import (
    BY_FORM,
    FIREBASE,
    FIREBASE_KEY,
    FIREBASE_PASSWORD,
    PASSWORD,
    PEPPER,
    PEPPERED,
    VECTORS,
    Vector,
)
from tests.support.service import QUICK_HASHING

COMPOSED = "bl\N{LATIN SMALL LETTER A WITH RING ABOVE}b\N{LATIN SMALL LETTER A WITH DIAERESIS}r7"
DECOMPOSED = "bla\N{COMBINING RING ABOVE}ba\N{COMBINING DIAERESIS}r7"


# Forms -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.form)
def test_the_right_password_matches_and_no_other(vector: Vector) -> None:
    imported = imported_hashes.parsed(vector.text)
    assert imported is not None and imported.is_affordable
    assert (imported.scheme if imported.is_weak else None) == vector.weak
    assert matches(vector.text, vector.password)
    assert not matches(vector.text, vector.password.swapcase())
    only_eight_characters = vector.form == "LDAP {CRYPT} DES"
    assert matches(vector.text, f"{vector.password} ") == only_eight_characters


@pytest.mark.parametrize("form", [*FORMS, scrypt_forms.SPRING], ids=lambda form: form.pattern.pattern[:40])
def test_every_form_has_a_vector(form: HashForm) -> None:
    """One that comes later too: it is tested here for what it costs, for its decoys, and at a login."""
    texts = [*(vector.text for vector in VECTORS), FIREBASE]
    texts += [re.sub(r"^\{[\w@-]+\}", "", text) for text in texts]
    assert any(form.pattern.fullmatch(text) for text in texts)


@pytest.mark.parametrize("method", ["pbkdf2:sha1:10", "pbkdf2:sha256:10", "pbkdf2:sha512:10", "scrypt:1024:8:1"])
def test_what_werkzeug_makes_today(method: str) -> None:
    made = generate_password_hash(COMPOSED, method)
    assert matches(made, COMPOSED) and not matches(made, PASSWORD)


def test_prefixes_of_mail_and_directory_servers() -> None:
    for form, prefix in (
        ("bcrypt 2y", "{CRYPT}"),
        ("bcrypt 2y", "{BLF-CRYPT}"),
        ("md5-crypt", "{MD5-CRYPT}"),
        ("sha512-crypt", "{crypt}"),
        ("sha512-crypt", "{SHA512-CRYPT}"),
        ("Kratos argon2id", "{ARGON2ID}"),
    ):
        text = prefix + BY_FORM[form].text
        assert matches(text, BY_FORM[form].password), text
        assert not matches(decoy_like(text), BY_FORM[form].password)
        assert kind_of(decoy_like(text)) == kind_of(text) == kind_of(BY_FORM[form].text)


@pytest.mark.parametrize(
    "text",
    [
        "{noop}password",
        "{noop}" + BY_FORM["bcrypt 2y"].text,
        "{bcrypt}" + BY_FORM["LDAP {SHA}"].text,
        "{ldap}" + BY_FORM["bcrypt 2y"].text,
        "$e0801$c2FsdHNhbHQ=$" + DIGEST,
        "Na8fAUUVC3KLg",
        "password",
        "",
        "{}",
        "{" * 1000,
        '{"secretData": 1, "credentialData": 2}',
        '{"secretData": "{}", "credentialData": "{}"}',
    ],
)
def test_plain_text_and_what_is_ambiguous_is_no_hash(text: str) -> None:
    assert imported_hashes.parsed(text) is None
    assert not matches(text, "password")


@pytest.mark.parametrize(
    "text",
    [
        "$pbkdf2-sha256$i=1,l=0$c2FsdA$",
        "$pbkdf2-sha256$i=1,l=1$c2FsdA$YQ",
        "$pbkdf2-sha256$i=0,l=32$c2FsdA$" + DIGEST,
        "pbkdf2_sha256$10$salt$YWJjZGVmZ2hpamts",
        "pbkdf2:sha256:10$salt$abcd",
        "scrypt:1024:8:1$salt$abcd",
        "scrypt:1000:8:1$salt$" + HEX,
        "scrypt$16$salt$0$1$" + DIGEST,
        "$scrypt$ln=40,r=8,p=1$c2FsdA$" + DIGEST,
        "$scrypt$ln=17,r=1,p=1$c2FsdA$" + DIGEST,
        SCRYPT.format(0, 8, 1),
        ARGON2.format("id", 7, 1, 1),
        ARGON2.format("id", 8, 0, 1),
        ARGON2.format("id", 8, 1, 0),
        ARGON2.format("id", 8, 1, 2),
        "$argon2id$v=19$m=8,t=1,p=1$YQ$" + DIGEST.rstrip("="),
        BCRYPT.format(3),
        BCRYPT.format(32),
        PHPASS.format("4"),
        PHPASS.format("T"),
        DRUPAL.format("."),
        "{SSHA}YWJj",
        "{SHA}" + DIGEST,
        "{MD5}abcd",
        "5379e2b161f36ac212b6034b4292152d:",
        "$md5$YWJj",
        # A salting without the password: any would match.
        "$sha1$pf=e1NBTFR9$NW9wbWtnejAzcg==$2qU2SGWP8viTM1md3FiI3+rjWXQ=",
        asp_net(3, 10),
        asp_net(1, 0),
        asp_net(1, 10, 15),
        "AQAAAAEAACcQAAAADwgXTwPfMz/1hZrAcmJdRM04f0nJxC4vzsW82I71yiX07QCuttE2Sg3ly9yPUoYM",
        "AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggE=",
        "$6$rounds=999$NaClNaCl$" + "a" * 86,
        keycloak("Keycloak pbkdf2", rounds=(10, 0)),
        keycloak("Keycloak argon2", memory=(7168, 7)),
    ],
)
def test_a_damaged_hash_is_no_hash(text: str) -> None:
    """So are those that many passwords would match, and parameters that no scheme has."""
    assert imported_hashes.parsed(text) is None


def test_bits_that_are_not_used_do_not_matter() -> None:
    """Old bcrypt libraries set them in salts."""
    salt = "HirheEH8bCP/UYLZcc8ZyO"
    assert PEPPERED[7:29] == salt
    assert matches(PEPPERED.replace(salt, salt[:-1] + "P"), PASSWORD + PEPPER)


def test_bcrypt_of_a_long_password_is_that_of_its_first_72_bytes() -> None:
    long = "å" * 60
    made = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
    assert matches(made, long) and matches(made, "å" * 36) and not matches(made, "å" * 35)


# What settings say -------------------------------------------------------------------------------------------


async def test_a_pepper_is_tried_and_then_none() -> None:
    """An organisation's readers may come from several systems."""
    passwords = Passwords(Settings(imported_bcrypt_pepper=PEPPER, **QUICK_HASHING))  # type: ignore[arg-type]
    without = Passwords(Settings(**QUICK_HASHING))  # type: ignore[arg-type]
    plain = BY_FORM["bcrypt 2y"].text
    for text in (PEPPERED, plain):
        assert await passwords.verify(PASSWORD, text, imported=True)
        assert not await passwords.verify("wrong", text, imported=True)
    assert await without.verify(PASSWORD, plain, imported=True)
    assert not await without.verify(PASSWORD, PEPPERED, imported=True)
    passwords.close()
    without.close()


def test_a_password_as_long_as_bcrypt_reads_is_computed_once_with_a_pepper(monkeypatch: pytest.MonkeyPatch) -> None:
    computed = count_calls(monkeypatch, bcrypt, "hashpw")
    assert not matches(PEPPERED, "x" * 72, Secrets(PEPPER.encode()))
    assert len(computed) == 1


async def test_a_firebase_hash_needs_the_key_of_its_project() -> None:
    imported = imported_hashes.parsed(FIREBASE)
    assert imported is not None and imported.needs_firebase and imported.is_weak
    options: dict[str, Any] = dict(QUICK_HASHING)
    for key, expected in ((FIREBASE_KEY, True), ("", False), (FIREBASE_KEY.replace("jx", "jy"), False)):
        passwords = Passwords(Settings(firebase_signer_key=key, **options))
        assert await passwords.verify(FIREBASE_PASSWORD, FIREBASE, imported=True) == expected
        passwords.close()
    secrets = Secrets(firebase=FirebaseProject(base64_bytes(FIREBASE_KEY), base64_bytes("Bw=="), 8, 14))
    assert not matches(FIREBASE, "user2password", secrets)
    assert not matches(decoy_like(FIREBASE), FIREBASE_PASSWORD, secrets)


# Readings of a password --------------------------------------------------------------------------------------


def count_calls(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[bytes]:
    """The first arguments of each call."""
    calls: list[bytes] = []
    function = getattr(module, name)

    def counted(first: bytes, *rest: Any) -> Any:
        calls.append(first)
        return function(first, *rest)

    monkeypatch.setattr(module, name, counted)
    return calls


def test_the_composed_form_comes_first_then_as_typed_then_the_encoding_of_old_sites() -> None:
    assert readings("abc") == [b"abc"]
    assert readings(COMPOSED) == [COMPOSED.encode(), COMPOSED.encode("latin-1")]
    assert readings(DECOMPOSED) == [COMPOSED.encode(), DECOMPOSED.encode(), COMPOSED.encode("latin-1")]
    assert readings("\N{EURO SIGN}") == ["\N{EURO SIGN}".encode(), b"\x80"]
    assert readings("\N{SNOWMAN}") == ["\N{SNOWMAN}".encode()]
    assert readings("\ud800") == [b"\xed\xa0\x80"]


async def test_a_password_is_read_as_old_systems_did() -> None:
    """Whatever the old site hashed, and however the reader's device writes it today."""
    passwords = Passwords(Settings(**QUICK_HASHING))  # type: ignore[arg-type]
    for hashed in (COMPOSED.encode(), DECOMPOSED.encode(), COMPOSED.encode("latin-1")):
        made = bcrypt.hashpw(hashed, bcrypt.gensalt(4)).decode()
        assert await passwords.verify(DECOMPOSED, made, imported=True)
        assert await passwords.verify(COMPOSED, made, imported=True) == (hashed != DECOMPOSED.encode())
        assert not await passwords.verify("blabar7", made, imported=True)
    passwords.close()


@pytest.mark.parametrize(("password", "times"), [("wrong", 1), (COMPOSED, 2), (DECOMPOSED, 3)])
async def test_each_reading_is_computed_once_in_one_place_of_the_queue(
    password: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And as often for a decoy: the password alone decides."""
    passwords = Passwords(Settings(**QUICK_HASHING))  # type: ignore[arg-type]
    computed = count_calls(monkeypatch, bcrypt, "hashpw")
    places: list[object] = []
    run = HashingQueue.run

    async def counted(self: HashingQueue, *arguments: Any) -> Any:
        places.append(self)
        return await run(self, *arguments)

    monkeypatch.setattr(HashingQueue, "run", counted)
    stored = BY_FORM["bcrypt 2y"].text
    for text in (stored, decoy_like(stored)):
        computed.clear()
        places.clear()
        assert not await passwords.verify(password, text, imported=True)
        assert len(computed) == len(set(computed)) == times and len(places) == 1
    passwords.close()


async def test_our_own_hashes_are_of_the_composed_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a password that was chosen here costs one hash, and is no weaker than it was chosen."""
    hasher = argon2.PasswordHasher(1, 8, 1)
    passwords = Passwords(Settings(**QUICK_HASHING))  # type: ignore[arg-type]
    old = hasher.hash(COMPOSED.encode("latin-1"))
    assert await passwords.verify(COMPOSED, old, imported=True)
    assert not await passwords.verify(COMPOSED, old)
    assert await passwords.verify(DECOMPOSED, hasher.hash(COMPOSED))
    passwords.close()


# Any text ----------------------------------------------------------------------------------------------------

QUICK = [
    vector for vector in VECTORS if vector.weak and not vector.form.startswith(("Spring {pbkdf2}", "Spring {scrypt}"))
]


@st.composite
def changed_hashes(draw: st.DrawFn) -> str:
    """A hash with a piece replaced, removed or repeated."""
    text = draw(st.sampled_from(VECTORS)).text
    start = draw(st.integers(0, len(text)))
    stop = draw(st.integers(start, min(len(text), start + 12)))
    piece = draw(st.one_of(st.just(""), st.text('0123456789$:{}=,./+-_aAzZ\\" é\0', max_size=8), st.just(text)))
    return text[:start] + piece + text[stop:]


@given(st.one_of(changed_hashes(), st.text(), st.from_regex(r"\{[a-zA-Z0-9-]*\}.*|[$][a-z0-9]*[$].*")))
@example("$2b$04$" + "é" * 53)
@example("{" * 2000)
@example('{"secretData":"[]","credentialData":"' + "[" * 900)
def test_any_text_is_a_hash_or_not_recognised(text: str) -> None:
    imported = imported_hashes.parsed(text)
    if imported is None:
        assert kind_of(text) == "" and decoy_like(text) == text
    else:
        assert imported.kind and kind_of(imported.decoy) == imported.kind and imported.decoy != text


@given(st.sampled_from(QUICK), changed_hashes())
def test_a_changed_hash_does_not_match(vector: Vector, text: str) -> None:
    """It is computed where it costs as much as one that is in these tests."""
    imported = imported_hashes.parsed(text)
    if imported is not None and imported.kind in {kind_of(one.text) for one in QUICK}:
        assert matches(text, vector.password) in (True, False)
        assert not matches(text, f"!{vector.password}")


@given(st.sampled_from(QUICK), st.text(max_size=1100))
@example(QUICK[0], "\0")
@example(QUICK[0], "\ud800")
@example(BY_FORM["phpass"], "x" * 1024)
def test_any_password_matches_or_not(vector: Vector, password: str) -> None:
    assert matches(vector.text, password) == (password == vector.password)
