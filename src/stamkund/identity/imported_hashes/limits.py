"""What imported hashes may cost, and which are weak.

A hash says itself what it costs to verify, and whoever writes the file that is imported decides about it. So there is a
highest cost, about a second of one core and 256 MiB of memory, which is looked at before anything is spent.

*Weak* is a hash that costs less to guess than OWASP asks for (Password Storage Cheat Sheet, 2025).
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from stamkund.settings import MAX_ARGON2_KIB, MAX_ARGON2_STARTS

MAX_LENGTH = 1024
"""Characters of a hash."""
MIB = 1 << 20
MAX_BYTES = 256 * MIB
MAX_CRYPT_SECRET = 256
"""Bytes of a password that the crypt(3) family hashes: their time grows with rounds times length."""

_MAX_BCRYPT_COST = 14
_MAX_PHPASS_COST = 16
_MAX_DRUPAL_COST = 18
_MAX_CRYPT_ROUNDS = 700_000
_MAX_LANES = 16
_MAX_ARGON2_BYTES = MAX_ARGON2_KIB * 1024
"""Memory times passes: what Argon2 writes in all."""
_MAX_SCRYPT_BYTES = 512 * MIB
_MAX_SCRYPT_INPUT_BYTES = MIB
"""What PBKDF2 makes for all lanes together, which takes much longer for each byte."""
_MAX_PBKDF2_ROUNDS = {"sha384": 1_000_000, "sha512": 1_000_000}
_MAX_PBKDF2_ROUNDS_OF_OTHERS = 2_000_000

_WEAK_BCRYPT_COST = 9
_ARGON2_MIN_KIB, _ARGON2_MIN_WRITTEN_KIB = 7_168, 35_840
_SCRYPT_MIN_COST, _SCRYPT_MIN_BLOCK, _SCRYPT_MIN_WORK = 13, 8, 10 * 8 << 13
_MIN_ROUNDS = {"sha1": 1_300_000, "sha224": 600_000, "sha256": 600_000, "sha384": 210_000, "sha512": 210_000}


class Cost(NamedTuple):
    is_affordable: bool
    is_weak: bool


FAST = Cost(is_affordable=True, is_weak=True)
"""One digest, or a thousand: verified in no time, and guessed as fast."""


def bcrypt(cost: int) -> Cost:
    return Cost(cost <= _MAX_BCRYPT_COST, cost <= _WEAK_BCRYPT_COST)


def phpass(cost: int) -> Cost:
    return Cost(cost <= _MAX_PHPASS_COST, is_weak=True)  # MD5


def drupal(cost: int) -> Cost:
    return Cost(cost <= _MAX_DRUPAL_COST, 1 << cost < _MIN_ROUNDS["sha512"])


def sha_crypt(algorithm: str, rounds: int) -> Cost:
    return Cost(rounds <= _MAX_CRYPT_ROUNDS, rounds < _MIN_ROUNDS[algorithm])


def pbkdf2(algorithm: str, rounds: int, length: int) -> Cost:
    """`length`: bytes of the digest. Each of its blocks takes all rounds, but who guesses computes only the first."""
    blocks = -(-length // hashlib.new(algorithm, usedforsecurity=False).digest_size)
    most = _MAX_PBKDF2_ROUNDS.get(algorithm, _MAX_PBKDF2_ROUNDS_OF_OTHERS)
    return Cost(rounds * blocks <= most, rounds < _MIN_ROUNDS[algorithm])


def argon2(kib: int, passes: int, lanes: int) -> Cost:
    written = kib * 1024 * passes
    few_starts = lanes <= _MAX_LANES and passes * lanes <= MAX_ARGON2_STARTS  # each is a thread that starts
    affordable = kib * 1024 <= MAX_BYTES and written <= _MAX_ARGON2_BYTES and few_starts
    return Cost(affordable, kib < _ARGON2_MIN_KIB or kib * passes < _ARGON2_MIN_WRITTEN_KIB)


def scrypt(cost: int, block: int, lanes: int) -> Cost:
    """`cost`: an exponent of two."""
    if cost > MAX_BYTES.bit_length():  # no huge number is computed
        return Cost(is_affordable=False, is_weak=False)
    lane = 128 * block
    memory, written = lane * ((1 << cost) + lanes), lane * lanes << cost
    affordable = memory <= MAX_BYTES and written <= _MAX_SCRYPT_BYTES and lane * lanes <= _MAX_SCRYPT_INPUT_BYTES
    work = block * lanes << cost
    return Cost(affordable, cost < _SCRYPT_MIN_COST or block < _SCRYPT_MIN_BLOCK or work < _SCRYPT_MIN_WORK)
