"""Ids: 24 lower-case hex digits, unguessable and roughly in order of time.

Four bytes of seconds, then eight random bytes: guessing one that exists takes 2**64 tries for each second.
"""

from __future__ import annotations

import os
import re
import threading

ID_TEXT = r"/^[a-f\d]{24}$/"
"""The pattern as the documents' error messages print it (without the `i` that it has)."""

ID_PATTERN = re.compile(r"[a-f0-9]{24}", re.ASCII | re.IGNORECASE)


class _Random(threading.local):
    """Random bytes of the system, fetched many at a time: an import needs three ids for each customer.

    Each thread has its own, so that none can be given out twice. A forked process must not go on with its parent's.
    """

    def __init__(self) -> None:
        self.left = b""
        self.place = 0
        self.process = 0

    def eight(self) -> str:
        place = self.place
        if place == len(self.left) or self.process != os.getpid():
            self.left, self.process, place = os.urandom(4096), os.getpid(), 0
        self.place = place + 8
        return self.left[place : place + 8].hex()


_random = _Random()


def new_id(now: int) -> str:
    """A new id, made at the moment `now`."""
    return f"{now & 0xFFFFFFFF:08x}{_random.eight()}"


def is_id(text: str) -> bool:
    return ID_PATTERN.fullmatch(text) is not None
