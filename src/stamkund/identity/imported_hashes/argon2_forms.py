"""Argon2, as every system writes it, and with Django's prefix."""

from __future__ import annotations

import re

from argon2.low_level import Type, hash_secret_raw

from stamkund.identity.imported_hashes import limits
from stamkund.identity.imported_hashes.form import (
    Check,
    ImportedHash,
    base64_bytes,
    check_by,
    decoy_of,
    digest_bytes,
    form,
)

_ARGON2 = (
    r"(?P<kind>{}\$argon2(?P<type>id|i|d)\$(?:v=(?P<version>16|19)\$)?"
    r"m=(?P<kib>\d{{1,10}}),t=(?P<passes>\d{{1,10}}),p=(?P<lanes>\d{{1,8}}))"
    r"\$(?P<salt>[A-Za-z0-9+/]+=*)\$(?P<digest>[A-Za-z0-9+/]+=*)"
)
_TYPES = {"id": Type.ID, "i": Type.I, "d": Type.D}
_FIRST_VERSION = 16
"""The version of hashes that name none."""
_MIN_SALT_BYTES = 8
_MIN_KIB_OF_A_LANE = 8


def argon2_check(
    type_: str, version: int, kib: int, passes: int, lanes: int, salt: bytes, digest: bytes
) -> tuple[limits.Cost, Check]:
    """What it costs, and the check. Raises ValueError where Argon2 knows no such parameters."""
    if passes < 1 or lanes < 1 or kib < _MIN_KIB_OF_A_LANE * lanes or len(salt) < _MIN_SALT_BYTES:
        raise ValueError("no such parameters")

    def computed(secret: bytes) -> bytes:
        return hash_secret_raw(secret, salt, passes, kib, lanes, len(digest), _TYPES[type_], version)

    return limits.argon2(kib, passes, lanes), check_by(computed, digest)


def _build(match: re.Match[str]) -> ImportedHash:
    kib, passes, lanes = int(match["kib"]), int(match["passes"]), int(match["lanes"])
    version = int(match["version"] or _FIRST_VERSION)
    salt, digest = base64_bytes(match["salt"]), digest_bytes(match["digest"])
    cost, check = argon2_check(match["type"], version, kib, passes, lanes, salt, digest)
    return ImportedHash("Argon2", match["kind"], cost, decoy_of(match), check)


FORMS = (
    form("$argon2", _ARGON2.format(""), _build),
    form("argon2$", _ARGON2.format("argon2"), _build),
)
