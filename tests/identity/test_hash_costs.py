"""Hashes of other systems: which cost too much to be verified, and which are weak."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import argon2
import pytest
from passlib import hash as kinds

from stamkund.identity import imported_hashes
from stamkund.identity.imported_hashes import limits
from stamkund.identity.passwords import Passwords
from stamkund.settings import Settings, WrongSetting, load
from tests.support.hash_texts import (
    ARGON2,
    BCRYPT,
    DIGEST,
    DRUPAL,
    HEX,
    NO_SECRETS,
    PHPASS,
    SCRYPT,
    SHA512_CRYPT,
    asp_net,
    django,
    drupal,
    keycloak,
    matches,
    pbkdf2,
)
from tests.support.hashes import (
    BY_FORM,
    PASSWORD,
)
from tests.support.service import QUICK_HASHING


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
