"""Hashing and verifying passwords: Argon2id in a few threads of low priority, behind a bounded queue.

Argon2 is slow on purpose and would starve everything else. With few threads that give way to the event loop, look-ups
stay fast while passwords are hashed. A full queue raises HashingQueueFull, which becomes 503 with Retry-After. Imported
hashes of other systems are verified by libpass, and upgraded at the next login.
"""

from __future__ import annotations

import asyncio
import os
import threading
import unicodedata
import warnings
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import argon2

from stamkund.settings import Settings

if TYPE_CHECKING:
    from passlib.context import CryptContext

T = TypeVar("T")

_NICENESS = 15

# The highest costs of imported hashes that are accepted. Rounds of bcrypt, scrypt and phpass are exponents of two.
_MAX_ROUNDS = {
    "argon2": 20,
    "bcrypt": 16,
    "bcrypt_sha256": 16,
    "django_bcrypt_sha256": 16,
    "scrypt": 20,
    "phpass": 20,
    "pbkdf2_sha1": 5_000_000,
    "pbkdf2_sha256": 5_000_000,
    "pbkdf2_sha512": 5_000_000,
    "django_pbkdf2_sha1": 5_000_000,
    "django_pbkdf2_sha256": 5_000_000,
}
_MAX_MEMORY_KIB = 1 << 20


class HashingQueueFull(Exception):
    """Too many passwords are waiting to be hashed."""


class Passwords:
    """Hashes and verifies the passwords of one process."""

    def __init__(self, settings: Settings, workers: int = 1) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=settings.argon2_passes,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_lanes,
        )
        threads = settings.hashing_threads or max(1, (os.cpu_count() or 1) // workers)
        self._pool = ThreadPoolExecutor(threads, "stamkund-hashing", initializer=_lower_priority)
        self._turns = asyncio.Semaphore(2 * threads)  # one job waits for each thread, so that none idles
        self._waiting = 0
        self._max_waiting = settings.hashing_queue
        self._dummy_hash: str | None = None

    async def hash(self, password: str, check: Callable[[], Awaitable[None]] | None = None) -> str:
        """The Argon2id hash of a password.

        `check` runs just before the hashing, which is skipped if it raises. Raises HashingQueueFull, and what `check`
        raises.
        """
        text = normalise(password)
        return await self._in_turn(lambda: self._hasher.hash(text), check)

    async def verify(self, password: str, stored_hash: str | None) -> bool:
        """Whether a password matches a hash. Without one the result is False, after the same time.

        Raises HashingQueueFull.
        """
        text = normalise(password)
        if self._dummy_hash is None:
            self._dummy_hash = await self._in_turn(lambda: self._hasher.hash("the password of an unknown e-mail"))
        expected = stored_hash or self._dummy_hash
        return await self._in_turn(lambda: _matches(self._hasher, expected, text)) and stored_hash is not None

    def is_outdated(self, stored_hash: str) -> bool:
        """Whether a hash was made with other parameters, or by another system."""
        try:
            return self._hasher.check_needs_rehash(stored_hash)
        except argon2.exceptions.InvalidHashError:
            return True

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_turn(self, work: Callable[[], T], check: Callable[[], Awaitable[None]] | None = None) -> T:
        if self._waiting >= self._max_waiting:
            raise HashingQueueFull
        self._waiting += 1
        try:
            async with self._turns:
                if check is not None:
                    await check()
                return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


def normalise(password: str) -> str:
    """The form that is hashed: NFC, because keyboards compose characters differently."""
    return unicodedata.normalize("NFC", password)


def can_verify(imported_hash: str) -> bool:
    """Whether an imported hash is complete, of a supported scheme, and not too costly to verify."""
    scheme = _foreign_context().identify(imported_hash, resolve=True)
    if scheme is None:
        return False
    try:
        with warnings.catch_warnings(action="ignore"):  # old bcrypt libraries set unused bits
            parts = scheme.from_string(imported_hash)
    except ValueError:
        return False
    return parts.rounds <= _MAX_ROUNDS[scheme.name] and getattr(parts, "memory_cost", 0) <= _MAX_MEMORY_KIB


def _matches(hasher: argon2.PasswordHasher, stored_hash: str, password: str) -> bool:
    if not stored_hash.startswith("$argon2id$"):
        return _matches_foreign(stored_hash, password)
    try:
        return hasher.verify(stored_hash, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _matches_foreign(stored_hash: str, password: str) -> bool:
    secret = password.encode()
    if stored_hash.startswith("$2"):
        # bcrypt uses 72 bytes. Its libraries used to truncate longer passwords, so their hashes are of the first 72.
        secret = secret[:72]
    try:
        return bool(_foreign_context().verify(secret, stored_hash))
    except ValueError:  # a password that the scheme can't hash (a NUL, thousands of characters), or a damaged hash
        return False


@cache
def _foreign_context() -> CryptContext:
    """The schemes of other systems' hashes. Imported at the first such hash."""
    from passlib.context import CryptContext

    return CryptContext(schemes=list(_MAX_ROUNDS))


def _lower_priority() -> None:
    """Lowers the priority of the calling thread, on systems that have one for each thread (Linux)."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
