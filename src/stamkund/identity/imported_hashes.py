"""Hashes of passwords that other systems made: which of them can be verified, at what cost, and which are weak.

A hash says itself what it costs to verify, and whoever writes the file that is imported decides about it. So there is a
highest cost, about a second of one core and 256 MiB of memory: a hash that costs more is left out by the import, and is
not computed at a login either, where an earlier version let it in.

*Weak* is a hash that costs less to guess than OWASP asks for (Password Storage Cheat Sheet, 2025). All imported hashes
are sealed with the key file, so that a copy of the database helps nobody to guess them; weak ones are reported too.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from passlib.context import CryptContext

_MAX_LENGTH = 1024
_MIB = 1 << 20
_MAX_BYTES = 256 * _MIB
_MAX_BCRYPT_COST = 14
_MAX_PHPASS_COST = 16
_MAX_LANES = 16
_MAX_ARGON2_BYTES = 1024 * _MIB
"""Memory times passes: what Argon2 writes in all."""
_MAX_SCRYPT_BYTES = 512 * _MIB
_MAX_SCRYPT_INPUT_BYTES = _MIB
"""What PBKDF2 makes for all lanes together, which takes much longer for each byte."""

_WEAK_BCRYPT_COST = 9
_ARGON2_MIN_KIB, _ARGON2_MIN_WRITTEN_KIB = 7_168, 35_840
_SCRYPT_MIN_COST, _SCRYPT_MIN_BLOCK, _SCRYPT_MIN_WORK = 13, 8, 10 * 8 << 13


@dataclass(frozen=True)
class _Scheme:
    """`name`: what reports call it. The functions take a parsed hash."""

    name: str
    is_affordable: Callable[[Any], bool]
    is_weak: Callable[[Any], bool]


def _bcrypt() -> _Scheme:
    return _Scheme("bcrypt", lambda h: h.rounds <= _MAX_BCRYPT_COST, lambda h: h.rounds <= _WEAK_BCRYPT_COST)


def _pbkdf2(digest: str, most: int, weak_below: int) -> _Scheme:
    return _Scheme(f"PBKDF2-{digest}", lambda h: h.rounds <= most, lambda h: h.rounds < weak_below)


def _argon2_is_affordable(h: Any) -> bool:
    written = h.memory_cost * 1024 * h.rounds
    return bool(h.memory_cost * 1024 <= _MAX_BYTES and written <= _MAX_ARGON2_BYTES and h.parallelism <= _MAX_LANES)


def _argon2_is_weak(h: Any) -> bool:
    return bool(h.memory_cost < _ARGON2_MIN_KIB or h.memory_cost * h.rounds < _ARGON2_MIN_WRITTEN_KIB)


def _scrypt_is_affordable(h: Any) -> bool:
    if h.rounds > _MAX_BYTES.bit_length():  # an exponent of two: no huge number is computed
        return False
    lane, lanes = 128 * h.block_size, h.parallelism
    memory, written = lane * ((1 << h.rounds) + lanes), lane * lanes << h.rounds
    return bool(memory <= _MAX_BYTES and written <= _MAX_SCRYPT_BYTES and lane * lanes <= _MAX_SCRYPT_INPUT_BYTES)


def _scrypt_is_weak(h: Any) -> bool:
    work = h.block_size * h.parallelism << h.rounds
    return bool(h.rounds < _SCRYPT_MIN_COST or h.block_size < _SCRYPT_MIN_BLOCK or work < _SCRYPT_MIN_WORK)


_SCHEMES = {
    "argon2": _Scheme("Argon2", _argon2_is_affordable, _argon2_is_weak),
    "bcrypt": _bcrypt(),
    "bcrypt_sha256": _bcrypt(),
    "django_bcrypt_sha256": _bcrypt(),
    "scrypt": _Scheme("scrypt", _scrypt_is_affordable, _scrypt_is_weak),
    "phpass": _Scheme("phpass", lambda h: h.rounds <= _MAX_PHPASS_COST, lambda _: True),  # MD5
    "pbkdf2_sha1": _pbkdf2("SHA1", 2_000_000, 1_300_000),
    "pbkdf2_sha256": _pbkdf2("SHA256", 2_000_000, 600_000),
    "pbkdf2_sha512": _pbkdf2("SHA512", 1_000_000, 210_000),
    "django_pbkdf2_sha1": _pbkdf2("SHA1", 2_000_000, 1_300_000),
    "django_pbkdf2_sha256": _pbkdf2("SHA256", 2_000_000, 600_000),
}
"""By the names that libpass has for them. A scheme that comes later says here what it may cost and when it is weak."""


@dataclass(frozen=True)
class ImportedHash:
    """What an imported hash says of itself. `scheme`: as reports call it."""

    scheme: str
    is_affordable: bool
    is_weak: bool


@lru_cache(maxsize=16)  # an import looks at each hash twice, one after the other
def parsed(text: str) -> ImportedHash | None:
    """A hash of another system; None for one that is damaged, or of no supported scheme."""
    if len(text) > _MAX_LENGTH or not text.isascii():
        return None
    handler = context().identify(text, resolve=True)
    if handler is None:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):  # old bcrypt libraries set unused bits
            parts = handler.from_string(text)
    except ValueError:
        return None
    scheme = _SCHEMES[handler.name]
    affordable = scheme.is_affordable(parts)
    return ImportedHash(scheme.name, affordable, affordable and scheme.is_weak(parts))


def matches(stored_hash: str, password: str) -> bool:
    """Whether a password matches a hash that `parsed` accepts. As slow as the hash says: not for the event loop."""
    secret = password.encode()
    if stored_hash.startswith("$2"):
        # bcrypt uses 72 bytes. Its libraries used to truncate longer passwords, so their hashes are of the first 72.
        secret = secret[:72]
    try:
        return bool(context().verify(secret, stored_hash))
    except ValueError:  # a password that the scheme can't hash (a NUL, thousands of characters), or a damaged hash
        return False


@cache
def context() -> CryptContext:
    """The schemes of other systems' hashes. Imported at the first such hash."""
    from passlib.context import CryptContext

    return CryptContext(schemes=list(_SCHEMES))
