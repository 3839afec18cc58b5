"""Hashing and checking passwords: Argon2id in a few threads of low priority, behind a bounded queue.

Argon2 is slow on purpose and would starve everything else: with few threads that give way to the event loop, look-ups
keep their pace while passwords are hashed. A full queue answers Busy, which becomes 503 with Retry-After. Hashes that
were imported from elsewhere are checked by libpass and replaced by ours at the next login.
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

# What one check of a hash from elsewhere may cost. Rounds of bcrypt, scrypt and phpass are exponents of two.
_MOST_ROUNDS = {
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
_MOST_MEMORY_KIB = 1 << 20


class HashingQueueFull(Exception):
    """Too many passwords are waiting already."""


class Passwords:
    """Hashes and checks passwords of one process."""

    def __init__(self, settings: Settings, workers: int = 1) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=settings.argon2_passes,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_lanes,
        )
        threads = settings.hashing_threads or max(1, (os.cpu_count() or 1) // workers)
        self._pool = ThreadPoolExecutor(threads, "stamkund-hashing", initializer=_give_way)
        self._turns = asyncio.Semaphore(2 * threads)  # one waiting behind each, so that no thread idles
        self._waiting = 0
        self._most = settings.hashing_queue
        self._nobody: str | None = None

    async def hash(self, password: str, check: Callable[[], Awaitable[None]] | None = None) -> str:
        """The Argon2id hash of a password.

        `check` runs when the password's turn has come: what it raises spares the hashing. Raises HashingQueueFull.
        """
        text = normal(password)
        return await self._in_turn(lambda: self._hasher.hash(text), check)

    async def verify(self, password: str, known: str | None) -> bool:
        """Whether `password` has the hash `known`; with None it is False, and takes as long. Raises HashingQueueFull."""
        text = normal(password)
        if self._nobody is None:
            self._nobody = await self._in_turn(lambda: self._hasher.hash("nobody's password"))
        compared = known or self._nobody
        return await self._in_turn(lambda: _matches(self._hasher, compared, text)) and known is not None

    def is_outdated(self, stored_hash: str) -> bool:
        """Whether a hash that matched was made with other parameters, or elsewhere."""
        try:
            return self._hasher.check_needs_rehash(stored_hash)
        except argon2.exceptions.InvalidHashError:
            return True

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_turn(self, work: Callable[[], T], check: Callable[[], Awaitable[None]] | None = None) -> T:
        if self._waiting >= self._most:
            raise HashingQueueFull
        self._waiting += 1
        try:
            async with self._turns:
                if check is not None:
                    await check()
                return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


def normal(password: str) -> str:
    """The form that is hashed: NFC, so that a password typed on another keyboard is still the same."""
    return unicodedata.normalize("NFC", password)


def can_verify(known: str) -> bool:
    """Whether a hash from elsewhere is whole, of a kind that we can check, and at a cost that we can bear."""
    kind = _elsewhere().identify(known, resolve=True)
    if kind is None:
        return False
    try:
        with warnings.catch_warnings(action="ignore"):  # old bcrypt libraries left bits over that mean nothing
            parts = kind.from_string(known)
    except ValueError:
        return False
    return parts.rounds <= _MOST_ROUNDS[kind.name] and getattr(parts, "memory_cost", 0) <= _MOST_MEMORY_KIB


def _matches(hasher: argon2.PasswordHasher, known: str, password: str) -> bool:
    if not known.startswith("$argon2id$"):
        return _matches_elsewhere(known, password)
    try:
        return hasher.verify(known, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _matches_elsewhere(known: str, password: str) -> bool:
    secret = password.encode()
    if known.startswith("$2"):
        # bcrypt looks at 72 bytes. Its libraries used to cut longer passwords; whoever has one knows no shorter one.
        secret = secret[:72]
    try:
        return bool(_elsewhere().verify(secret, known))
    except ValueError:  # a password that this kind can't hash (a NUL, thousands of characters), or a damaged hash
        return False


@cache
def _elsewhere() -> CryptContext:
    """The kinds of hashes that other systems leave behind. Loaded only when one turns up."""
    from passlib.context import CryptContext

    return CryptContext(schemes=list(_MOST_ROUNDS))


def _give_way() -> None:
    """Lowers the priority of the calling thread, where the system has priorities for threads (Linux)."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
