"""How text from other systems is read before any column looks at it: blanks, words for nothing, line breaks, masks."""

from __future__ import annotations

import re

from stamkund.rules import blanks

NOTHING = frozenset({"NULL", "null", "(null)", "<null>", r"\N", "-", "--", "\N{EN DASH}", "\N{EM DASH}"})
"""What databases and people write where there is no value."""
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_MASK_LENGTH = 24


def trimmed(text: str) -> str | None:
    """The text without blanks and invisible characters at its ends, and on one line; None for a word for nothing."""
    text = blanks.trimmed(text)
    if not text.isprintable():
        text = " ".join(filter(None, map(str.strip, _BREAKS.split(text))))
    return None if not text or text in NOTHING else text


def masked(text: str) -> str:
    """What a value looks like, without what it says: a letter is `a`, a digit `9`; cut after 24 characters."""
    cut = "".join(_masked(character) for character in text[:_MASK_LENGTH])
    return f"{cut}…" if len(text) > _MASK_LENGTH else cut


def _masked(character: str) -> str:
    if character.isdecimal():
        return "9"
    if character.isalpha():
        return "a"
    return character if character.isascii() and character.isprintable() else "?"
