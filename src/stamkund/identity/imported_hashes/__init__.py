"""Hashes of passwords that other systems made: which of them can be verified, at what cost, and which are weak.

A module has the forms of one family, by what computes them. A form says what it may cost at most (`limits.py`): a hash
that costs more is left out by the import, and is not computed at a login either, where an earlier version let it in. It
also says of what kind a hash is, so that unknown e-mails are verified against others of that kind (`decoys.py`).

All imported hashes are sealed with the key file, so that a copy of the database helps nobody to guess them; weak ones
are reported too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache

from msgspec import MsgspecError

from stamkund.identity.imported_hashes import (
    argon2_forms,
    bcrypt_forms,
    crypt_forms,
    digest_forms,
    keycloak,
    limits,
    pbkdf2_forms,
    scrypt_forms,
)
from stamkund.identity.imported_hashes.form import FirebaseProject, HashForm, ImportedHash, Secrets, base64_bytes

__all__ = ["FORMS", "FirebaseProject", "ImportedHash", "Secrets", "base64_bytes", "is_weak", "matches", "parsed"]

_FAMILIES = (bcrypt_forms, argon2_forms, pbkdf2_forms, scrypt_forms, crypt_forms, digest_forms)
FORMS: tuple[HashForm, ...] = tuple(one for family in _FAMILIES for one in family.FORMS)
_BY_CRYPT = (*bcrypt_forms.FORMS, *crypt_forms.FORMS)
# What Spring, Dovecot and LDAP servers put in front of a form, and the forms that it may stand in front of.
_PREFIXES: tuple[tuple[str, tuple[HashForm, ...]], ...] = (
    ("bcrypt", bcrypt_forms.FORMS),
    ("blf-crypt", bcrypt_forms.FORMS),
    ("crypt", _BY_CRYPT),
    ("md5-crypt", _BY_CRYPT),
    ("sha256-crypt", _BY_CRYPT),
    ("sha512-crypt", _BY_CRYPT),
    ("argon2", argon2_forms.FORMS),
    ("argon2@springsecurity_v5_8", argon2_forms.FORMS),
    ("argon2i", argon2_forms.FORMS),
    ("argon2id", argon2_forms.FORMS),
    ("scrypt", (scrypt_forms.SPRING, *scrypt_forms.FORMS)),
    ("scrypt@springsecurity_v5_8", (scrypt_forms.SPRING,)),
    ("ldap", digest_forms.FORMS),
)
_BY_PREFIX = dict(_PREFIXES)
_PREFIX = re.compile(r"\{([A-Za-z0-9_@-]{1,32})\}")
_DAMAGED = (ValueError, MsgspecError)


@lru_cache(maxsize=16)  # an import looks at each hash twice, one after the other
def parsed(text: str) -> ImportedHash | None:
    """A hash of another system; None for one that is damaged, or of no supported form. Blanks at its ends are not."""
    if len(text) > limits.MAX_LENGTH or not text.isascii():
        return None
    if text.startswith("{"):
        prefix = _PREFIX.match(text)
        if prefix is None:
            return _keycloak(text)
        forms = _BY_PREFIX.get(prefix[1].lower())
        inner = None if forms is None else _parsed(text[prefix.end() :], forms)
        if inner is not None:
            return replace(inner, decoy=prefix[0] + inner.decoy)
    return _parsed(text, FORMS)


def is_weak(text: str) -> bool:
    imported = parsed(text)
    return imported is not None and imported.is_weak


def matches(stored_hash: str, readings: Sequence[bytes], secrets: Secrets) -> bool:
    """Whether one of the readings of a password matches a hash. As slow as the hash says: not for the event loop.

    False, and nothing is computed, where `parsed` does not accept it, or it costs too much.
    """
    imported = parsed(stored_hash)
    if imported is None or not imported.is_affordable:
        return False
    try:
        return imported.check(readings, secrets)
    except ValueError:  # a password that the scheme can't hash: a NUL, thousands of characters
        return False


def _parsed(text: str, forms: Sequence[HashForm]) -> ImportedHash | None:
    for one in forms:
        if text.startswith(one.start):
            match = one.pattern.fullmatch(text)
            if match is not None:
                with suppress(*_DAMAGED):
                    return one.build(match)
    return None


def _keycloak(text: str) -> ImportedHash | None:
    try:
        return keycloak.parsed(text)
    except _DAMAGED:
        return None
