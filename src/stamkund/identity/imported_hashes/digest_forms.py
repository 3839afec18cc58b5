"""One digest of password and salt, or of the password alone: LDAP, Spring, Joomla, old Django and Werkzeug, Kratos."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import replace

from stamkund.identity.imported_hashes import limits
from stamkund.identity.imported_hashes.form import (
    ImportedHash,
    base64_bytes,
    changed,
    check_by,
    decoy_of,
    form,
    hex_digest,
    sized,
)

_B64 = r"[A-Za-z0-9+/]+=*"
_HEX = r"(?P<digest>[0-9a-fA-F]{32,128})"
_LDAP = rf"\{{(?P<salted>S?)(?P<algorithm>MD5|SHA|SHA1|SHA224|SHA256|SHA384|SHA512)\}}(?P<digest>{_B64})"
_SPRING = rf"\{{(?P<algorithm>MD5|SHA-1|SHA-256)\}}(?P<salt>(?:\{{[^{{}}]{{0,128}}\}})?){_HEX}"
_SPRING_STANDARD = r"\{sha256\}(?P<digest>[0-9a-fA-F]{80})"
_JOOMLA = r"(?P<digest>[0-9a-fA-F]{32}):(?P<salt>[!-~]{1,64})"
_DOLLARS = rf"(?P<algorithm>md5|sha1|sha224|sha256|sha384|sha512)\$(?P<salt>[^$]*)\${_HEX}"
_KRATOS = rf"\$(?P<algorithm>md5|sha1|sha256|sha512)\$pf=(?P<salting>{_B64})\$(?P<salt>(?:{_B64})?)\$(?P<digest>{_B64})"
_KRATOS_MD5 = rf"\$md5\$(?P<digest>{_B64})"
_KRATOS_HMAC = rf"\$hmac-(?P<algorithm>md5|sha1|sha224|sha256|sha384|sha512)\$(?P<digest>{_B64})\$(?P<key>{_B64})"
_SALTING = re.compile(rb"\{SALT\}|\{PASSWORD\}")
_STANDARD_ROUNDS = 1024

Computed = Callable[[bytes], bytes]


def _digest(algorithm: str, data: bytes) -> bytes:
    return hashlib.new(algorithm, data, usedforsecurity=False).digest()


def _imported(match: re.Match[str], algorithm: str, digest: bytes, *computed: Computed) -> ImportedHash:
    """`computed`: in which ways the digest may have been made."""
    checks = [check_by(one, digest) for one in computed]
    return ImportedHash(
        algorithm.upper(),
        f"{algorithm} {len(computed)}",
        limits.FAST,
        decoy_of(match),
        lambda readings, secrets: any(check(readings, secrets) for check in checks),
    )


def _ldap(match: re.Match[str]) -> ImportedHash:
    """The salt stands behind the digest."""
    algorithm = match["algorithm"].lower()
    algorithm = "sha1" if algorithm == "sha" else algorithm
    made = base64_bytes(match["digest"])
    size = len(made) if not match["salted"] else hashlib.new(algorithm, usedforsecurity=False).digest_size
    digest, salt = sized(made[:size], algorithm), made[size:]
    return _imported(match, algorithm, digest, lambda secret: _digest(algorithm, secret + salt))


def _spring(match: re.Match[str]) -> ImportedHash:
    """The salt is hashed with its braces."""
    algorithm, salt = match["algorithm"].replace("-", "").lower(), match["salt"].encode()
    return _imported(match, algorithm, hex_digest(match, algorithm), lambda secret: _digest(algorithm, secret + salt))


def _spring_standard(match: re.Match[str]) -> ImportedHash:
    made = bytes.fromhex(match["digest"])

    def computed(secret: bytes) -> bytes:
        digest = made[:8] + secret
        for _ in range(_STANDARD_ROUNDS):
            digest = hashlib.sha256(digest).digest()
        return digest

    check = check_by(computed, made[8:])
    return ImportedHash("SHA256", f"sha256 * {_STANDARD_ROUNDS}", limits.FAST, decoy_of(match), check)


def _joomla(match: re.Match[str]) -> ImportedHash:
    """Joomla appends the salt; shops that write the same form put it in front."""
    salt = match["salt"].encode()
    after, before = (lambda secret: _digest("md5", secret + salt)), (lambda secret: _digest("md5", salt + secret))
    return _imported(match, "md5", hex_digest(match, "md5"), after, before)


def _dollars(match: re.Match[str]) -> ImportedHash:
    """Django hashes the salt and the password, Werkzeug the password with the salt as key."""
    algorithm, salt = match["algorithm"], match["salt"].encode()
    return _imported(
        match,
        algorithm,
        hex_digest(match, algorithm),
        lambda secret: _digest(algorithm, salt + secret),
        lambda secret: hmac.digest(salt, secret, algorithm),
    )


def _kratos(match: re.Match[str]) -> ImportedHash:
    """`salting`: a text with places for password and salt."""
    algorithm, salting, salt = match["algorithm"], base64_bytes(match["salting"]), base64_bytes(match["salt"])
    if b"{PASSWORD}" not in salting:
        raise ValueError("of no password")

    def computed(secret: bytes) -> bytes:
        salted = _SALTING.sub(lambda place: salt if place[0] == b"{SALT}" else secret, salting)
        return _digest(algorithm, salted)

    return _imported(match, algorithm, sized(base64_bytes(match["digest"]), algorithm), computed)


def _kratos_md5(match: re.Match[str]) -> ImportedHash:
    digest = sized(base64_bytes(match["digest"]), "md5")
    return _imported(match, "md5", digest, lambda secret: _digest("md5", secret))


def _kratos_hmac(match: re.Match[str]) -> ImportedHash:
    """The digest in hexadecimal, and that in base64."""
    algorithm, key = match["algorithm"], base64_bytes(match["key"])
    text = base64_bytes(match["digest"]).decode("ascii")
    imported = _imported(
        match, algorithm, sized(bytes.fromhex(text), algorithm), lambda secret: hmac.digest(key, secret, algorithm)
    )
    other = base64.b64encode(changed(text).encode()).decode()
    return replace(imported, decoy=f"$hmac-{algorithm}${other}${match['key']}")


FORMS = (
    form("{", _LDAP, _ldap, re.IGNORECASE),
    form("{", _SPRING, _spring),
    form("{", _SPRING_STANDARD, _spring_standard),
    form("", _JOOMLA, _joomla),
    form("", _DOLLARS, _dollars),
    form("$", _KRATOS, _kratos),
    form("$md5$", _KRATOS_MD5, _kratos_md5),
    form("$hmac-", _KRATOS_HMAC, _kratos_hmac),
)
