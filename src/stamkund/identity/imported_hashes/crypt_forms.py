"""The crypt(3) family of Unix, and phpass and what Drupal made of it: many rounds of a digest."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence

from stamkund.identity.imported_hashes import limits
from stamkund.identity.imported_hashes.form import Check, ImportedHash, Secrets, decoy_of, form
from stamkund.identity.imported_hashes.libpass import check_with

_H64 = r"[./0-9A-Za-z]"
_PHPASS = rf"(?P<kind>\$[PH]\$(?P<cost>{_H64})){_H64}{{8}}(?P<digest>{_H64}{{22}})"
_DRUPAL = rf"(?P<kind>(?P<upgraded>U?)\$S\$(?P<cost>{_H64}))(?P<salt>[^$]{{8}})(?P<digest>{_H64}{{43}})"
_MD5_CRYPT = rf"(?P<kind>\$(?P<name>1|md5-crypt|apr1)\$)(?P<salt>[^$:]{{0,8}})\$(?P<digest>{_H64}{{22}})"
_SHA_CRYPT = (
    r"(?P<kind>\$(?:{}|{}-crypt)\$(?:rounds=(?P<rounds>\d{{1,10}})\$)?)"
    r"(?P<salt>[^$:]{{0,16}})\$(?P<digest>[./0-9A-Za-z]{{{}}})"
)
_SHA256_CRYPT, _SHA512_CRYPT = _SHA_CRYPT.format(5, "sha256", 43), _SHA_CRYPT.format(6, "sha512", 86)
_DES_CRYPT = rf"(?P<kind>\{{CRYPT\}})(?P<hash>{_H64}{{2}}(?P<digest>{_H64}{{11}}))"

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DEFAULT_ROUNDS = 5_000
_MIN_EXPONENT, _MAX_EXPONENT = 7, 30
_MAX_DRUPAL_SECRET = 512
"""Drupal hashes no longer password either."""


def _phpass(match: re.Match[str]) -> ImportedHash:
    check = check_with("phpass", match.string)
    return ImportedHash("phpass", match["kind"], limits.phpass(_exponent(match)), decoy_of(match), check)


def _exponent(match: re.Match[str]) -> int:
    """Of the number of rounds. Raises ValueError where phpass makes no such hashes."""
    exponent = _ALPHABET.index(match["cost"])
    if not _MIN_EXPONENT <= exponent <= _MAX_EXPONENT:
        raise ValueError("no such cost")
    return exponent


def _drupal(match: re.Match[str]) -> ImportedHash:
    """Passwords of Drupal 6 were MD5, and what begins with U is a hash of those."""
    cost = _exponent(match)
    check = _drupal_check(cost, match["salt"].encode(), match["digest"].encode(), upgraded=bool(match["upgraded"]))
    return ImportedHash("Drupal SHA512", match["kind"], limits.drupal(cost), decoy_of(match), check)


def _drupal_check(cost: int, salt: bytes, digest: bytes, *, upgraded: bool) -> Check:
    def matches(secret: bytes) -> bool:
        if upgraded:
            secret = hashlib.md5(secret, usedforsecurity=False).hexdigest().encode()
        made = hashlib.sha512(salt + secret).digest()
        for _ in range(1 << cost):
            made = hashlib.sha512(made + secret).digest()
        return hmac.compare_digest(_phpass_base64(made)[: len(digest)], digest)

    def check(readings: Sequence[bytes], _: Secrets) -> bool:
        return any(matches(reading) for reading in readings if len(reading) <= _MAX_DRUPAL_SECRET)

    return check


def _phpass_base64(data: bytes) -> bytes:
    from passlib.utils.binary import h64

    return bytes(h64.encode_bytes(data))


def _md5_crypt(match: re.Match[str]) -> ImportedHash:
    scheme, mark = ("apr_md5_crypt", "apr1") if match["name"] == "apr1" else ("md5_crypt", "1")
    text = f"${mark}${match['salt']}${match['digest']}"
    check = check_with(scheme, text, limits.MAX_CRYPT_SECRET)
    return ImportedHash("md5-crypt", match["kind"], limits.FAST, decoy_of(match), check)


def _sha_crypt(algorithm: str, mark: str) -> Callable[[re.Match[str]], ImportedHash]:
    def build(match: re.Match[str]) -> ImportedHash:
        rounds = int(match["rounds"] or _DEFAULT_ROUNDS)
        named = f"rounds={rounds}$" if match["rounds"] else ""
        text = f"${mark}${named}{match['salt']}${match['digest']}"
        check = check_with(f"{algorithm}_crypt", text, limits.MAX_CRYPT_SECRET)
        cost = limits.sha_crypt(algorithm, rounds)
        return ImportedHash(f"{algorithm}-crypt", match["kind"], cost, decoy_of(match), check)

    return build


def _des_crypt(match: re.Match[str]) -> ImportedHash:
    check = check_with("des_crypt", match["hash"], limits.MAX_CRYPT_SECRET)
    return ImportedHash("DES crypt", "{CRYPT}", limits.FAST, decoy_of(match), check)


FORMS = (
    form("$P$", _PHPASS, _phpass),
    form("$H$", _PHPASS, _phpass),
    form("$S$", _DRUPAL, _drupal),
    form("U$S$", _DRUPAL, _drupal),
    form("$1$", _MD5_CRYPT, _md5_crypt),
    form("$apr1$", _MD5_CRYPT, _md5_crypt),
    form("$md5-crypt$", _MD5_CRYPT, _md5_crypt),
    form("$5$", _SHA256_CRYPT, _sha_crypt("sha256", "5")),
    form("$sha256-crypt$", _SHA256_CRYPT, _sha_crypt("sha256", "5")),
    form("$6$", _SHA512_CRYPT, _sha_crypt("sha512", "6")),
    form("$sha512-crypt$", _SHA512_CRYPT, _sha_crypt("sha512", "6")),
    form("{", _DES_CRYPT, _des_crypt, re.IGNORECASE),
)
