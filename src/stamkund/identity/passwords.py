"""Hashing and verifying passwords: Argon2id in a few threads of low priority, behind a bounded queue.

Nothing is done with a password on the event loop but to look at its length: a longer one than anybody can set matches
nothing, and is not looked at further. What else it takes (NFC takes time that grows with the square of the length) is
done by the threads of the queue (`hashing_queue.py`), which is bounded and raises HashingQueueFull or CallerGone.
Imported hashes of other systems are verified by libpass (`imported_hashes.py`), and upgraded at the next login.
"""

from __future__ import annotations

import os
import unicodedata

import argon2

from stamkund.identity import imported_hashes
from stamkund.identity.hashing_queue import Check, HashingQueue
from stamkund.rules.requester import ANYBODY, Requester
from stamkund.rules.values import MAX_PASSWORD_LENGTH
from stamkund.settings import Settings

_DUMMY_PASSWORD = "the password of an unknown e-mail"  # noqa: S105


class Passwords:
    """Hashes and verifies the passwords of one process."""

    def __init__(self, settings: Settings, workers: int = 1) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=settings.argon2_passes,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_lanes,
        )
        threads = settings.hashing_threads or max(1, (os.cpu_count() or 1) // workers)
        self._queue = HashingQueue(threads, settings.hashing_queue, settings.hashing_seconds)
        self._dummy_hash: str | None = None

    async def hash(self, password: str, check: Check | None = None, requester: Requester = ANYBODY) -> str:
        """The Argon2id hash of a password of an allowed length.

        `check` runs just before the hashing, which is skipped if it raises. Raises HashingQueueFull, CallerGone, and
        what `check` raises.
        """
        if len(password) > MAX_PASSWORD_LENGTH:
            raise ValueError("a password that is too long")
        return await self._queue.run(lambda: self._hasher.hash(normalise(password)), requester, check)

    async def verify(self, password: str, stored_hash: str | None, requester: Requester = ANYBODY) -> bool:
        """Whether a password matches a hash. Without one the result is False, after the same time; as it is for a
        password that is too long for anybody's.

        Raises HashingQueueFull, CallerGone.
        """
        if len(password) > MAX_PASSWORD_LENGTH:
            password, stored_hash = "", None
        expected = stored_hash or await self.dummy_hash(requester)
        matches = await self._queue.run(lambda: _matches(self._hasher, expected, normalise(password)), requester)
        return matches and stored_hash is not None

    async def dummy_hash(self, requester: Requester = ANYBODY) -> str:
        """A hash of ours that nobody has, made once. Raises HashingQueueFull, CallerGone."""
        if self._dummy_hash is None:
            self._dummy_hash = await self._queue.run(lambda: self._hasher.hash(_DUMMY_PASSWORD), requester)
        return self._dummy_hash

    def is_outdated(self, stored_hash: str) -> bool:
        """Whether a hash was made with other parameters, or by another system."""
        try:
            return self._hasher.check_needs_rehash(stored_hash)
        except argon2.exceptions.InvalidHashError:
            return True

    def close(self) -> None:
        self._queue.close()


def normalise(password: str) -> str:
    """The form that is hashed: NFC, because keyboards compose characters differently. Not for the event loop."""
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
