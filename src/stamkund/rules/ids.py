"""Ids: 24 lower-case hex digits, unguessable and roughly in order of time.

Four bytes of seconds, then eight random bytes: guessing one that exists takes 2**64 tries for each second.
"""

from __future__ import annotations

import os
import re

ID_TEXT = r"/^[a-f\d]{24}$/"
"""The pattern as the documents' error messages print it (without the `i` that it has)."""

ID_PATTERN = re.compile(r"[a-f0-9]{24}", re.ASCII | re.IGNORECASE)


def new_id(now: int) -> str:
    return f"{now & 0xFFFFFFFF:08x}{os.urandom(8).hex()}"


def is_id(text: str) -> bool:
    return ID_PATTERN.fullmatch(text) is not None
