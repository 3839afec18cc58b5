"""Hashes of other systems: which are verified, which cost too much to be verified, and which are weak."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from typing import Any

import argon2
import bcrypt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from passlib import hash as kinds
from passlib.utils.binary import h64
from werkzeug.security import generate_password_hash

from stamkund.identity import imported_hashes
from stamkund.identity.decoys import decoy_like, kind_of
from stamkund.identity.hashing_queue import HashingQueue
from stamkund.identity.imported_hashes import FORMS, FirebaseProject, Secrets, base64_bytes, limits, scrypt_forms
from stamkund.identity.imported_hashes.form import HashForm
from stamkund.identity.passwords import Passwords, readings
from stamkund.settings import Settings, WrongSetting, load
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

SCRYPT = "$scrypt$ln={},r={},p={}$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"
DIGEST = "nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E="
HEX = "9c53" * 16
ARGON2 = "$argon2{}$v=19$m={},t={},p={}$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b/dWRWJTmaaJObGRdescudvJCs"
BCRYPT = "$2b${:02}$CauCJVLA.NTgR4TsdABCR.vv.gJZW1G6ApYdPUevqxnJYXMPHBYEG"
SALT = "somesaltsome"
PHPASS = "$P${}IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"
DRUPAL = "$S${}33783772bRXEx1aCsvY.dqgaaSu76XmVlKrW9Qu8IQlvxHlmzLf"
SHA512_CRYPT = BY_FORM["sha512-crypt"].text.replace("$6$", "$6$rounds={}$")
NO_SECRETS = Secrets()
COMPOSED = "bl\N{LATIN SMALL LETTER A WITH RING ABOVE}b\N{LATIN SMALL LETTER A WITH DIAERESIS}r7"
DECOMPOSED = "bla\N{COMBINING RING ABOVE}ba\N{COMBINING DIAERESIS}r7"


def pbkdf2(digest: str, rounds: int) -> str:
    return str(getattr(kinds, f"pbkdf2_{digest}").using(rounds=1, salt=SALT.encode()).hash("x")).replace(
        "$1$", f"${rounds}$", 1
    )


def django(digest: str, rounds: int) -> str:
    return str(getattr(kinds, f"django_pbkdf2_{digest}").using(rounds=1, salt=SALT).hash("x")).replace(
        "$1$", f"${rounds}$", 1
    )


def drupal(password: str) -> str:
    """As Drupal's password.inc does it, in the fewest rounds."""
    secret = password.encode()
    made = hashlib.sha512(b"NaClNaCl" + secret).digest()
    for _ in range(1 << 7):
        made = hashlib.sha512(made + secret).digest()
    return f"$S$5NaClNaCl{h64.encode_bytes(made).decode()[:43]}"


def asp_net(function: int, rounds: int, digest_bytes: int = 32) -> str:
    numbers = b"".join(number.to_bytes(4, "big") for number in (function, rounds, 16))
    return base64.b64encode(b"\x01" + numbers + bytes(16) + bytes(range(digest_bytes))).decode()


def keycloak(form: str, **numbers: tuple[int, int]) -> str:
    text = BY_FORM[form].text
    for before, after in numbers.values():
        assert str(before) in text
        text = text.replace(f":{before},", f":{after},").replace(f'\\"{before}\\"', f'\\"{after}\\"')
    return text


def matches(text: str, password: str, secrets: Secrets = NO_SECRETS) -> bool:
    return imported_hashes.matches(text, readings(password), secrets)


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


# Costs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        SCRYPT.format(14, 8, 100_000),
        SCRYPT.format(14, 512, 1),
        SCRYPT.format(14, 1 << 20, 1 << 9),
        SCRYPT.format(31, 8, 1),
        SCRYPT.format(19, 8, 1),
        SCRYPT.format(1, 1, 2_000_000),
        SCRYPT.format(1 << 19, 8, 1),
        SCRYPT.format(1 << 31, 8, 1),
        f"scrypt$524288$salt$8$1${DIGEST}",
        f"scrypt$16384$salt$8$99999${DIGEST}",
        f"scrypt:524288:8:1$salt${HEX}",
        f"{{scrypt}}$130801$c2FsdHNhbHQ=${DIGEST}",
        f"{{scrypt}}$0effff$c2FsdHNhbHQ=${DIGEST}",
        BY_FORM["scrypt $7$"].text.replace("$7$2", "$7$H"),
        BY_FORM["Kratos firescrypt"].text.replace("ln=14", "ln=19"),
        BY_FORM["Kratos firescrypt"].text.replace("p=1", "p=99999"),
        ARGON2.format("id", 1 << 20, 20, 1),
        ARGON2.format("id", 1 << 20, 1, 1),
        ARGON2.format("i", 65_536, 17, 1),
        ARGON2.format("id", 1024, 1025, 1),
        ARGON2.format("id", 65_536, 3, 255),
        ARGON2.format("id", 128, 9, 16),
        ARGON2.format("id", 8, 129, 1),
        ARGON2.format("id", 8, 4_294_967_295, 1),
        "argon2" + ARGON2.format("id", 1 << 20, 1, 1),
        "{argon2}" + ARGON2.format("id", 1 << 20, 1, 1),
        BCRYPT.format(15),
        BCRYPT.format(16),
        BCRYPT.format(31),
        f"bcrypt_sha256${BCRYPT.format(15)}",
        f"bcrypt${BCRYPT.format(15)}",
        f"$wp{BCRYPT.format(15)}",
        f"{{bcrypt}}{BCRYPT.format(15)}",
        BY_FORM["libpass bcrypt-sha256"].text.replace("r=4", "r=15"),
        PHPASS.format("H"),
        PHPASS.format("S"),
        DRUPAL.format("H"),
        "U" + DRUPAL.format("S"),
        SHA512_CRYPT.format(700_001),
        SHA512_CRYPT.format(999_999_999),
        "{CRYPT}" + SHA512_CRYPT.format(999_999_999),
        BY_FORM["sha256-crypt"].text.replace("=1000", "=700001"),
        pbkdf2("sha1", 5_000_000),
        pbkdf2("sha256", 2_000_001),
        pbkdf2("sha512", 1_000_001),
        pbkdf2("sha256", 4_294_967_295),
        django("sha256", 5_000_000),
        django("sha1", 2_000_001),
        f"pbkdf2:sha512:1000001$salt${'00' * 64}",
        BY_FORM["LDAP {PBKDF2}"].text.replace("}10", "}2000001"),
        BY_FORM["Kratos pbkdf2"].text.replace("100000", "2000001"),
        # Each block of a longer digest takes all rounds.
        "$pbkdf2-sha1$i=200000,l=512$c2FsdA$" + "aGVq" * 171,
        asp_net(1, 2_000_001),
        asp_net(0, 400_000, 120),
        asp_net(2, 4_294_967_295),
        keycloak("Keycloak pbkdf2", rounds=(10, 500_001)),
        keycloak("Keycloak pbkdf2-sha512", rounds=(10, 1_000_001)),
        keycloak("Keycloak argon2", memory=(7168, 262_145)),
        keycloak("Keycloak argon2", passes=(5, 150)),
    ],
)
def test_a_hash_that_takes_seconds_or_much_memory_is_not_verified(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = imported_hashes.parsed(text)
    assert imported is not None and not imported.is_affordable and not imported.is_weak
    watched = replace(imported, check=lambda *_: pytest.fail("it was computed"))
    monkeypatch.setattr(imported_hashes, "parsed", lambda _: watched)
    assert not imported_hashes.matches(text, [b"x"], NO_SECRETS)


@pytest.mark.parametrize(
    ("text", "scheme", "is_weak"),
    [
        (ARGON2.format("id", 19_456, 2, 1), "Argon2", False),
        (ARGON2.format("id", 65_536, 3, 4), "Argon2", False),
        (ARGON2.format("i", 7_168, 5, 1), "Argon2", False),
        (ARGON2.format("id", 262_144, 4, 1), "Argon2", False),
        (ARGON2.format("id", 19_456, 1, 1), "Argon2", True),
        (ARGON2.format("id", 1_024, 128, 1), "Argon2", True),
        (BCRYPT.format(14), "bcrypt", False),
        (BCRYPT.format(10), "bcrypt", False),
        (BCRYPT.format(9), "bcrypt", True),
        (f"bcrypt_sha256${BCRYPT.format(12)}", "bcrypt", False),
        (f"$wp{BCRYPT.format(10)}", "bcrypt", False),
        (SCRYPT.format(17, 8, 1), "scrypt", False),
        (SCRYPT.format(1 << 17, 8, 1), "scrypt", False),
        (f"scrypt:131072:8:1$salt${HEX}", "scrypt", False),
        (f"scrypt:32768:8:1$salt${HEX}", "scrypt", True),
        (f"scrypt$16384$salt$8$5${DIGEST}", "scrypt", False),
        (SCRYPT.format(14, 8, 5), "scrypt", False),
        (SCRYPT.format(14, 8, 1), "scrypt", True),
        (SCRYPT.format(12, 8, 100), "scrypt", True),
        (PHPASS.format("B"), "phpass", True),
        (PHPASS.format("E"), "phpass", True),
        (DRUPAL.format("E"), "Drupal SHA512", True),
        (DRUPAL.format("G"), "Drupal SHA512", False),
        (SHA512_CRYPT.format(656_000), "sha512-crypt", False),
        (SHA512_CRYPT.format(100_000), "sha512-crypt", True),
        (pbkdf2("sha1", 1_300_000), "PBKDF2-SHA1", False),
        (pbkdf2("sha1", 1_299_999), "PBKDF2-SHA1", True),
        (pbkdf2("sha256", 2_000_000), "PBKDF2-SHA256", False),
        (pbkdf2("sha512", 210_000), "PBKDF2-SHA512", False),
        (django("sha256", 1_200_000), "PBKDF2-SHA256", False),
        (django("sha256", 260_000), "PBKDF2-SHA256", True),
        (asp_net(1, 600_000), "PBKDF2-SHA256", False),
        (asp_net(2, 100_000), "PBKDF2-SHA512", True),
        (keycloak("Keycloak pbkdf2-sha512", rounds=(10, 210_000)), "PBKDF2-SHA512", False),
        (BY_FORM["Keycloak argon2"].text, "Argon2", False),
    ],
)
def test_a_hash_is_weak_below_what_owasp_asks_for(text: str, scheme: str, is_weak: bool) -> None:
    imported = imported_hashes.parsed(text)
    assert imported is not None and imported.is_affordable
    assert (imported.scheme, imported.is_weak) == (scheme, is_weak)


def test_a_long_password_is_not_multiplied_by_the_rounds_of_crypt() -> None:
    """Their time grows with rounds times length. A password that is that long has never been set in such a system."""
    for form in ("md5-crypt", "apr1", "sha256-crypt", "sha512-crypt", "LDAP {CRYPT} DES"):
        text = BY_FORM[form].text
        scheme = {"LDAP {CRYPT} DES": "des_crypt", "apr1": "apr_md5_crypt"}.get(form, form.replace("-", "_"))
        handler = getattr(kinds, scheme)
        long = "x" * (limits.MAX_CRYPT_SECRET + 1)
        made = handler.using(salt="Na", **({"rounds": 1000} if "sha" in scheme else {})).hash(long)
        made = "{CRYPT}" + made if scheme == "des_crypt" else made
        assert not matches(made, long) and not matches(text, long)
    for length, expected in ((512, True), (513, False)):
        assert matches(drupal("x" * length), "x" * length) == expected


async def test_a_costly_hash_that_an_earlier_version_imported_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of ours is instead, so that the time does not tell."""
    passwords = Passwords(Settings(**QUICK_HASHING))  # type: ignore[arg-type]
    hashed: list[str] = []
    hash_ = argon2.PasswordHasher.hash

    def counted(self: argon2.PasswordHasher, password: str | bytes, **options: Any) -> str:
        hashed.append(str(password))
        return hash_(self, password, **options)

    def never(*_: object) -> bool:
        raise AssertionError("the hash was computed")

    monkeypatch.setattr(argon2.PasswordHasher, "hash", counted)
    monkeypatch.setattr(argon2.PasswordHasher, "verify", never)
    monkeypatch.setattr(imported_hashes, "matches", never)
    for costly in (BCRYPT.format(16), SCRYPT.format(14, 8, 100_000), ARGON2.format("id", 1 << 20, 20, 1)):
        for imported in (True, False):
            hashed.clear()
            assert not await passwords.verify(PASSWORD, costly, imported=imported)
            assert PASSWORD in hashed
    passwords.close()


@pytest.mark.parametrize(("kib", "passes", "lanes"), [(262_144, 4, 16), (8_192, 128, 1), (16_384, 64, 2), (128, 8, 16)])
def test_no_setting_makes_a_hash_that_is_not_verified(kib: int, passes: int, lanes: int) -> None:
    """The dearest that may be set: a hash of ours must match whatever the settings ask for by now."""
    names = ("MEMORY_KIB", "PASSES", "LANES")
    for more in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)):
        values = [value + one for value, one in zip((kib, passes, lanes), more, strict=True)]
        try:
            load({f"STAMKUND_ARGON2_{name}": str(value) for name, value in zip(names, values, strict=True)})
        except WrongSetting:
            assert any(more)
        else:
            assert limits.argon2(*values).is_affordable


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
