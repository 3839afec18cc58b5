"""What every form of an imported hash is made into, and the small tools that the forms share."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stamkund.identity.imported_hashes.limits import Cost

MIN_DIGEST_BYTES = 16
"""A shorter digest is damaged: many passwords would match it, and an empty one all."""
_CHANGED = slice(-10, -2)
"""Eight characters of a digest. The last ones may be padding, or have bits that must be zero."""


@dataclass(frozen=True)
class FirebaseProject:
    """What a Firebase project keeps for all its users."""

    signer_key: bytes
    salt_separator: bytes
    rounds: int
    memory_cost: int


@dataclass(frozen=True)
class Secrets:
    """What old systems kept beside their hashes. `bcrypt_pepper`: what Devise appends to a password."""

    bcrypt_pepper: bytes = b""
    firebase: FirebaseProject | None = None


Check = Callable[[Sequence[bytes], Secrets], bool]
"""Whether one of several readings of a password matches. As slow as the hash says: not for the event loop."""


@dataclass(frozen=True)
class ImportedHash:
    """What an imported hash says of itself.

    `scheme`: as reports call it. `kind`: all that decides how long it takes to verify. `decoy`: a hash of the same kind
    that no password matches. `check` raises ValueError for a password that the scheme can't hash.
    """

    scheme: str
    kind: str
    cost: Cost
    decoy: str = field(repr=False)
    check: Check = field(repr=False, compare=False)
    needs_firebase: bool = False

    @property
    def is_affordable(self) -> bool:
        return self.cost.is_affordable

    @property
    def is_weak(self) -> bool:
        return self.cost.is_affordable and self.cost.is_weak


Build = Callable[[re.Match[str]], ImportedHash]
"""Raises ValueError where the hash is damaged."""


@dataclass(frozen=True)
class HashForm:
    """A way to write a hash. `start`: what such texts begin with, so that few patterns are tried on each."""

    start: str
    pattern: re.Pattern[str]
    build: Build


def form(start: str, pattern: str, build: Build, flags: int = 0) -> HashForm:
    return HashForm(start, re.compile(pattern, flags | re.ASCII), build)


def decoy_of(match: re.Match[str]) -> str:
    """The text with another digest, which is its group `digest`. Any alphabet has the letters A and B."""
    start, stop = match.span("digest")
    digest = match["digest"]
    return match.string[:start] + changed(digest) + match.string[stop:]


def changed(digest: str) -> str:
    """A digest that differs, in the same alphabet and of the same length."""
    other = "".join("B" if character == "A" else "A" for character in digest[_CHANGED])
    return digest[: _CHANGED.start] + other + digest[_CHANGED.stop :]


def check_by(computed: Callable[[bytes], bytes], digest: bytes) -> Check:
    """Compares what is computed of each reading."""

    def check(readings: Sequence[bytes], _: Secrets) -> bool:
        return any(hmac.compare_digest(computed(reading), digest) for reading in readings)

    return check


def base64_bytes(text: str) -> bytes:
    """Base64 as systems write it: padded or not, with `-_` or with `.` in place of `+`. Raises ValueError."""
    text = text.rstrip("=").translate(_ALPHABET)
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def digest_bytes(text: str, decode: Callable[[str], bytes] = base64_bytes) -> bytes:
    """A digest. Raises ValueError where it is too short to be one."""
    digest = decode(text)
    if len(digest) < MIN_DIGEST_BYTES:
        raise ValueError("too short")
    return digest


def hex_digest(match: re.Match[str], algorithm: str) -> bytes:
    """The group `digest`, which is of this algorithm. Raises ValueError where its length is another."""
    return sized(bytes.fromhex(match["digest"]), algorithm)


def sized(digest: bytes, algorithm: str) -> bytes:
    if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise ValueError("of another length")
    return digest


_ALPHABET = str.maketrans("-_.", "+/+")
