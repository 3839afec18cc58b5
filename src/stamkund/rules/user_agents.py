"""User agents, as browsers, apps and sites name themselves. They may hold anything, so every door reads them here."""

from __future__ import annotations

import re
from typing import Any

MAX_USER_AGENT_LENGTH = 4096
_MAX_COMPARED = 1024
"""Characters that tell one browser from another."""
_CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f]+")


def of_header(raw: bytes | None) -> str | None:
    """What a header says, to be stored and shown; None where there is none. UTF-8, else Latin-1."""
    if raw is None:
        return None
    try:
        return printable(raw.decode())
    except UnicodeDecodeError:
        return printable(raw.decode("latin-1"))


def printable(text: Any) -> str | None:
    """What a site says of its visitor, to be stored and shown; None for what is no text."""
    return _CONTROL_CHARACTERS.sub(" ", text[:MAX_USER_AGENT_LENGTH]) if isinstance(text, str) else None


def comparable(text: str) -> str:
    """Without what frameworks do to a header on its way: blanks, and characters that no header may have."""
    cut = text.strip()[:_MAX_COMPARED]
    return " ".join("".join(c if c.isprintable() else " " for c in cut).split())
