"""Hashing and verifying passwords: Argon2id in a few threads of low priority, behind a bounded queue.

Argon2 is slow on purpose and would starve everything else. With few threads that give way to the event loop, look-ups
stay fast while passwords are hashed. A full queue raises HashingQueueFull, which becomes 503 with Retry-After. Imported
hashes of other systems are verified by libpass (`imported_hashes.py`), and upgraded at the next login.
"""

from __future__ import annotations

import asyncio
import os
import threading
import unicodedata
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2

from stamkund.identity import imported_hashes
from stamkund.settings import Settings

T = TypeVar("T")

_NICENESS = 15


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


def _matches(hasher: argon2.PasswordHasher, stored_hash: str, password: str) -> bool:
    if not _may_be_verified(hasher, stored_hash):
        hasher.hash(password)  # so that the time does not tell
        return False
    if not stored_hash.startswith("$argon2id$"):
        return imported_hashes.matches(stored_hash, password)
    try:
        return hasher.verify(stored_hash, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _may_be_verified(hasher: argon2.PasswordHasher, stored_hash: str) -> bool:
    """Whether a hash costs no more than an imported one may, or than those that the settings ask for."""
    imported = imported_hashes.parsed(stored_hash)
    if imported is None or imported.is_affordable:
        return imported is not None
    if not stored_hash.startswith("$argon2id$"):
        return False
    own = argon2.extract_parameters(stored_hash)
    return own.memory_cost <= hasher.memory_cost and own.time_cost <= hasher.time_cost


def _lower_priority() -> None:
    """Lowers the priority of the calling thread, on systems that have one for each thread (Linux)."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
