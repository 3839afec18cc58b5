"""bcrypt, plain and of something that was made of the password first."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence

import bcrypt

from stamkund.identity.imported_hashes import limits
from stamkund.identity.imported_hashes.form import Check, ImportedHash, Secrets, decoy_of, form
from stamkund.identity.imported_hashes.libpass import check_with

_MAX_SECRET = 72
"""bcrypt uses 72 bytes. Its libraries used to truncate longer passwords, so their hashes are of the first 72."""
_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_KIND = r"(?P<kind>{}\$2[aby]\$\d\d)(?<=(?P<cost>\d\d))\$(?P<salt>[./A-Za-z0-9]{{22}})(?P<digest>[./A-Za-z0-9]{{31}})"
_BY_LIBPASS = (
    r"(?P<kind>\$bcrypt-sha256\$(?:v=2,t=2b,r=|2[ab],)(?P<cost>\d\d?))"
    r"\$[./A-Za-z0-9]{22}\$(?P<digest>[./A-Za-z0-9]{31})"
)


def _plain(readings: Sequence[bytes], secrets: Secrets) -> list[bytes]:
    """With the pepper, if there is one, and without: hashes may come from several systems."""
    endings = (secrets.bcrypt_pepper, b"") if secrets.bcrypt_pepper else (b"",)
    return [reading + ending for reading in readings for ending in endings]


def _wordpress(readings: Sequence[bytes], _: Secrets) -> list[bytes]:
    return [base64.b64encode(hmac.digest(b"wp-sha384", reading, "sha384")) for reading in readings]


def _django_sha256(readings: Sequence[bytes], _: Secrets) -> list[bytes]:
    return [hashlib.sha256(reading).hexdigest().encode() for reading in readings]


def _build(prepare: Callable[[Sequence[bytes], Secrets], list[bytes]]) -> Callable[[re.Match[str]], ImportedHash]:
    def build(match: re.Match[str]) -> ImportedHash:
        return ImportedHash(
            "bcrypt",
            match["kind"],
            _cost(match),
            decoy_of(match),
            _check(
                prepare, f"$2b${match['cost']}${_without_unused_bits(match['salt'])}".encode(), match["digest"].encode()
            ),
        )

    return build


def _check(prepare: Callable[[Sequence[bytes], Secrets], list[bytes]], salt: bytes, digest: bytes) -> Check:
    def check(readings: Sequence[bytes], secrets: Secrets) -> bool:
        secrets_to_try = dict.fromkeys(secret[:_MAX_SECRET] for secret in prepare(readings, secrets))
        return any(hmac.compare_digest(bcrypt.hashpw(one, salt)[-len(digest) :], digest) for one in secrets_to_try)

    return check


def _without_unused_bits(salt: str) -> str:
    """The last character holds two bits; old libraries set the other four too."""
    return salt[:-1] + _ALPHABET[_ALPHABET.index(salt[-1]) & 0b110000]


def _cost(match: re.Match[str]) -> limits.Cost:
    if not 4 <= int(match["cost"]) <= 31:
        raise ValueError("no such cost")
    return limits.bcrypt(int(match["cost"]))


def _by_libpass(match: re.Match[str]) -> ImportedHash:
    check = check_with("bcrypt_sha256", match.string)
    return ImportedHash("bcrypt", match["kind"], _cost(match), decoy_of(match), check)


FORMS = (
    form("$2", _KIND.format(""), _build(_plain)),
    form("bcrypt$", _KIND.format(r"bcrypt\$"), _build(_plain)),
    form("bcrypt_sha256$", _KIND.format(r"bcrypt_sha256\$"), _build(_django_sha256)),
    form("$wp$2", _KIND.format(r"\$wp"), _build(_wordpress)),
    form("$bcrypt-sha256$", _BY_LIBPASS, _by_libpass),
)
