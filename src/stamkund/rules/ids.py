"""Ids: 24 lower-case hex digits, unguessable and roughly in order of time.

Four bytes of seconds, then eight random bytes: guessing an existing id takes 2**64 attempts for each second.
"""

from __future__ import annotations

import os
import re
import threading
from functools import lru_cache

ID_TEXT = r"/^[a-f\d]{24}$/"
"""The pattern as the documents' error messages print it (without the `i` that it has)."""

ID_LENGTH = 24
ID_PATTERN = re.compile(r"[a-f0-9]{24}", re.ASCII | re.IGNORECASE)


_BLOCK_BYTES = 4096


class _Random(threading.local):
    """The system's random bytes as text, read in blocks: an import needs three ids for each customer.

    Each thread has texts of its own, so that none is used twice. A forked process discards its parent's.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []

    def eight_bytes(self) -> str:
        if not self.texts:
            block = os.urandom(_BLOCK_BYTES).hex()
            self.texts = [block[start : start + 16] for start in range(0, len(block), 16)]
        return self.texts.pop()

    def discard(self) -> None:
        self.texts = []


_random = _Random()
os.register_at_fork(after_in_child=_random.discard)


def new_id(now: int) -> str:
    """A new id, made at `now`."""
    return _seconds(now) + _random.eight_bytes()


@lru_cache(maxsize=16)
def _seconds(now: int) -> str:
    return f"{now & 0xFFFFFFFF:08x}"


def is_id(text: str) -> bool:
    return ID_PATTERN.fullmatch(text) is not None


def parse_id(text: str) -> str | None:
    """The id that somebody sent, in lower case as it is stored; None for what can't be one."""
    return text.lower() if is_id(text) else None


def made_at(id_: str) -> int | None:
    """When an id was made, in seconds; None for what is none."""
    return int(id_[:8], 16) if is_id(id_) else None
