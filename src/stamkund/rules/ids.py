"""Ids: 24 lower-case hex digits, unguessable and roughly in order of time.

Four bytes of seconds, then eight random bytes: guessing an existing id takes 2**64 attempts for each second.
"""

from __future__ import annotations

import os
import re
import threading

ID_TEXT = r"/^[a-f\d]{24}$/"
"""The pattern as the documents' error messages print it (without the `i` that it has)."""

ID_PATTERN = re.compile(r"[a-f0-9]{24}", re.ASCII | re.IGNORECASE)


class _Random(threading.local):
    """The system's random bytes, read in blocks: an import needs three ids for each customer.

    Each thread has a buffer of its own, so that no bytes are used twice. A forked process discards its parent's.
    """

    def __init__(self) -> None:
        self.buffer = b""
        self.position = 0
        self.process = 0

    def eight_bytes(self) -> str:
        start = self.position
        if start == len(self.buffer) or self.process != os.getpid():
            self.buffer, self.process, start = os.urandom(4096), os.getpid(), 0
        self.position = start + 8
        return self.buffer[start : start + 8].hex()


_random = _Random()


def new_id(now: int) -> str:
    """A new id, made at `now`."""
    return f"{now & 0xFFFFFFFF:08x}{_random.eight_bytes()}"


def is_id(text: str) -> bool:
    return ID_PATTERN.fullmatch(text) is not None


def parse_id(text: str) -> str | None:
    """The id that somebody sent, in lower case as it is stored; None for what can't be one."""
    return text.lower() if is_id(text) else None
