"""Hashing and verifying passwords: Argon2id in a few threads of low priority, behind a bounded queue.

Nothing is done with a password on the event loop but to look at its length: a longer one than anybody can set matches
nothing, and is not looked at further. What else it takes (NFC takes time that grows with the square of the length) is
done by the threads of the queue (`hashing_queue.py`), which is bounded and raises HashingQueueFull or CallerGone.
Hashes of other systems (`imported_hashes`) are upgraded at the next login. Those systems hashed what browsers sent
them, so a password is tried in several readings for an imported hash: all of them in one place of the queue, and as
many for a decoy as for a reader, since only the password decides how many there are.
"""

from __future__ import annotations

import os
import unicodedata
from contextlib import suppress

import argon2

from stamkund.identity import imported_hashes
from stamkund.identity.hashing_queue import Check, HashingQueue
from stamkund.identity.imported_hashes import FirebaseProject, Secrets, base64_bytes
from stamkund.rules.requester import ANYBODY, Requester
from stamkund.rules.values import MAX_PASSWORD_LENGTH
from stamkund.settings import Settings

_OWN = "$argon2id$"
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
        self._secrets = _secrets(settings)
        self._dummy_hash: str | None = None

    async def hash(self, password: str, check: Check | None = None, requester: Requester = ANYBODY) -> str:
        """The Argon2id hash of a password of an allowed length.

        `check` runs just before the hashing, which is skipped if it raises. Raises HashingQueueFull, CallerGone, and
        what `check` raises.
        """
        if len(password) > MAX_PASSWORD_LENGTH:
            raise ValueError("a password that is too long")
        return await self._queue.run(lambda: self._hasher.hash(normalise(password)), requester, check)

    async def verify(
        self, password: str, stored_hash: str | None, requester: Requester = ANYBODY, *, imported: bool = False
    ) -> bool:
        """Whether a password matches a hash. Without one the result is False, after the same time; as it is for a
        password that is empty, or too long for anybody's.

        `imported`: another system made the hash, or may have. Raises HashingQueueFull, CallerGone.
        """
        if not password or len(password) > MAX_PASSWORD_LENGTH:  # old systems hashed nothing for those who had none
            password, stored_hash = "", None
        expected = stored_hash or await self.dummy_hash(requester)
        imported = imported and stored_hash is not None
        matches = await self._queue.run(
            lambda: _matches(self._hasher, expected, password, self._secrets, imported=imported), requester
        )
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


def readings(password: str) -> list[bytes]:
    """What another system may have hashed of a password, each once. Not for the event loop.

    The composed form first, then as it was typed (decomposed on some devices), then in the encoding that old sites had.
    """
    composed = normalise(password)
    made = [text.encode(errors="surrogatepass") for text in (composed, password)]
    with suppress(UnicodeEncodeError):
        made.append(composed.encode("cp1252"))
    return list(dict.fromkeys(made))


def _matches(
    hasher: argon2.PasswordHasher, stored_hash: str, password: str, secrets: Secrets, *, imported: bool
) -> bool:
    own = stored_hash.startswith(_OWN) and not imported
    parsed = imported_hashes.parsed(stored_hash)
    if parsed is None or not parsed.is_affordable:
        hasher.hash(normalise(password))  # so that the time does not tell
        return False
    if not own:
        matches = imported_hashes.matches(stored_hash, readings(password), secrets)
        if not matches and imported_hashes.is_weak(stored_hash):
            # A digest takes microseconds: what else a login does for a reader and not for an unknown e-mail would show.
            hasher.hash(normalise(password))
        return matches
    try:
        return hasher.verify(stored_hash, normalise(password))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _secrets(settings: Settings) -> Secrets:
    """What the settings say of the systems that imported hashes come from."""
    project = None
    if settings.firebase_signer_key:
        project = FirebaseProject(
            base64_bytes(settings.firebase_signer_key),
            base64_bytes(settings.firebase_salt_separator),
            settings.firebase_rounds,
            settings.firebase_memory_cost,
        )
    return Secrets(settings.imported_bcrypt_pepper.encode(), project)
