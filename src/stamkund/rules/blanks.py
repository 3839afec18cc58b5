"""Blanks and invisible characters around a text, which keyboards, forms and spreadsheets leave there."""

from __future__ import annotations

import re

# Soft hyphens, zero-width characters, direction marks, variation selectors, byte order marks.
_INVISIBLE = "\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
_BLANK = re.compile(rf"[\s{_INVISIBLE}]")


def trimmed(text: str) -> str:
    """The text without the blanks and invisible characters at its ends. Takes linear time."""
    if text[:1].isalnum() and text[-1:].isalnum():  # as nearly all texts begin and end
        return text
    start, end = 0, len(text)
    while start < end and _BLANK.match(text, start):
        start += 1
    while end > start and _BLANK.match(text, end - 1):
        end -= 1
    return text[start:end]
