"""Hashes of other systems: which cost too much to be verified, and which are weak."""

from __future__ import annotations

from typing import Any

import argon2
import pytest
from passlib import hash as kinds

from stamkund.identity import imported_hashes
from stamkund.identity.imported_hashes import ImportedHash
from stamkund.identity.passwords import Passwords
from stamkund.settings import Settings
from tests.support.service import QUICK_HASHING

PASSWORD = "Df7Vdd8!!vnM"
SCRYPT = "$scrypt$ln={},r={},p={}$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"
ARGON2 = "$argon2{}$v=19$m={},t={},p={}$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b/dWRWJTmaaJObGRdescudvJCs"
BCRYPT = "$2b${:02}$CauCJVLA.NTgR4TsdABCR.vv.gJZW1G6ApYdPUevqxnJYXMPHBYEG"
SALT = "somesaltsome"
PHPASS = "$P${}IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"


def pbkdf2(digest: str, rounds: int) -> str:
    return str(getattr(kinds, f"pbkdf2_{digest}").using(rounds=1, salt=SALT.encode()).hash("x")).replace(
        "$1$", f"${rounds}$", 1
    )


def django(digest: str, rounds: int) -> str:
    return str(getattr(kinds, f"django_pbkdf2_{digest}").using(rounds=1, salt=SALT).hash("x")).replace(
        "$1$", f"${rounds}$", 1
    )


@pytest.mark.parametrize(
    "text",
    [
        SCRYPT.format(14, 8, 100_000),
        SCRYPT.format(14, 512, 1),
        SCRYPT.format(14, 1 << 20, 1 << 9),
        SCRYPT.format(31, 8, 1),
        SCRYPT.format(19, 8, 1),
        SCRYPT.format(1, 1, 2_000_000),
        ARGON2.format("id", 1 << 20, 20, 1),
        ARGON2.format("id", 1 << 20, 1, 1),
        ARGON2.format("i", 65_536, 17, 1),
        ARGON2.format("id", 1024, 1025, 1),
        ARGON2.format("id", 65_536, 3, 255),
        ARGON2.format("id", 8, 4_294_967_295, 1),
        BCRYPT.format(15),
        BCRYPT.format(16),
        BCRYPT.format(31),
        f"bcrypt_sha256${BCRYPT.format(15)}",
        PHPASS.format("H"),
        PHPASS.format("S"),
        pbkdf2("sha1", 5_000_000),
        pbkdf2("sha256", 2_000_001),
        pbkdf2("sha512", 1_000_001),
        pbkdf2("sha256", 4_294_967_295),
        django("sha256", 5_000_000),
        django("sha1", 2_000_001),
    ],
)
def test_a_hash_that_takes_seconds_or_much_memory_is_not_verified(text: str) -> None:
    imported = imported_hashes.parsed(text)
    assert imported is not None and not imported.is_affordable


@pytest.mark.parametrize(
    ("text", "scheme", "is_weak"),
    [
        (ARGON2.format("id", 19_456, 2, 1), "Argon2", False),
        (ARGON2.format("id", 65_536, 3, 4), "Argon2", False),
        (ARGON2.format("i", 7_168, 5, 1), "Argon2", False),
        (ARGON2.format("id", 262_144, 4, 1), "Argon2", False),
        (ARGON2.format("id", 19_456, 1, 1), "Argon2", True),
        (ARGON2.format("id", 1_024, 1_024, 1), "Argon2", True),
        (BCRYPT.format(14), "bcrypt", False),
        (BCRYPT.format(10), "bcrypt", False),
        (BCRYPT.format(9), "bcrypt", True),
        (f"bcrypt_sha256${BCRYPT.format(12)}", "bcrypt", False),
        (SCRYPT.format(17, 8, 1), "scrypt", False),
        (SCRYPT.format(14, 8, 5), "scrypt", False),
        (SCRYPT.format(14, 8, 1), "scrypt", True),
        (SCRYPT.format(12, 8, 100), "scrypt", True),
        (PHPASS.format("B"), "phpass", True),
        (PHPASS.format("E"), "phpass", True),
        (pbkdf2("sha1", 1_300_000), "PBKDF2-SHA1", False),
        (pbkdf2("sha1", 1_299_999), "PBKDF2-SHA1", True),
        (pbkdf2("sha256", 2_000_000), "PBKDF2-SHA256", False),
        (pbkdf2("sha512", 210_000), "PBKDF2-SHA512", False),
        (django("sha256", 1_200_000), "PBKDF2-SHA256", False),
        (django("sha256", 260_000), "PBKDF2-SHA256", True),
    ],
)
def test_a_hash_is_weak_below_what_owasp_asks_for(text: str, scheme: str, is_weak: bool) -> None:
    assert imported_hashes.parsed(text) == ImportedHash(scheme, True, is_weak)


@pytest.mark.parametrize("name", imported_hashes.context().schemes())
def test_every_scheme_has_limits(name: str) -> None:
    """One that comes later too: it is not taken before it says what it may cost."""
    cheapest: dict[str, Any] = {
        "argon2": {"memory_cost": 8, "rounds": 1, "parallelism": 1},
        "phpass": {"rounds": 7},
        "scrypt": {"rounds": 2},
    }
    made = getattr(kinds, name).using(**cheapest.get(name, {"rounds": 4})).hash(PASSWORD)
    imported = imported_hashes.parsed(made)
    assert imported is not None and imported.is_affordable and imported.is_weak


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
        hashed.clear()
        assert not await passwords.verify(PASSWORD, costly)
        assert PASSWORD in hashed
    passwords.close()


async def test_hashes_of_ours_are_verified_whatever_the_settings_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator may want more than an imported hash may cost."""
    monkeypatch.setattr(imported_hashes, "_MAX_ARGON2_BYTES", 1)
    made = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    imported = imported_hashes.parsed(made)
    assert imported is not None and not imported.is_affordable
    for memory in (8, 16):
        passwords = Passwords(Settings(argon2_memory_kib=memory, argon2_passes=1))
        assert await passwords.verify(PASSWORD, made)
        passwords.close()
