"""In which encoding a file is: by its mark, by its zeros, by what its bytes are; never by a guess about half of it.

A file that begins with a byte order mark says it. A file of ASCII and UTF-8 needs no decision. Any other is looked
through as a whole, once, when its first line turns up that is not UTF-8.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

from stamkund.importing.report import CannotRun

UTF8 = "utf-8"
WINDOWS = "cp1252"
_MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 1024
_UTF8_CHARACTERS = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_ASCII = bytes(range(128))
# Of 0x80 to 0x9f, Windows-1252 uses these in running text: euro sign, ellipsis, quotation marks, dashes. In the
# encodings of DOS and of older Macs the others are letters.
_HIGH_PUNCTUATION = bytes((0x80, 0x85, *range(0x91, 0x98)))
_HIGH_LETTERS = bytes(range(0xA0, 0x100))
# Punctuation where nobody writes it, because these bytes are letters in other encodings: a euro sign or an ellipsis
# before a letter, an opening quotation mark after one, a symbol between two of them (but for an acute accent and a
# middle dot, which people do write there).
_MISPLACED = re.compile(
    rb"[\x80\x85](?=[A-Za-z])|(?<=[A-Za-z])[\x91\x93\x95]|"
    rb"(?<=[A-Za-z])[\x94\xa1-\xac\xae-\xb3\xb5\xb6\xb8-\xbf](?=[A-Za-z])"
)
_OPENING, _CLOSING = re.compile(rb"(?<![A-Za-z\x80-\xff])[\x93\x94]"), re.compile(rb"(?<=[A-Za-z])\x94(?![A-Za-z])")
_FEW = 50
"""One in so many may be what it looks like by accident."""


_NO_FILES = ("utf-7", "unicode-escape", "raw-unicode-escape", "punycode", "idna", "undefined")
"""Encodings that Python has for other things: what they decode to may be no text at all."""


def named(name: str) -> str:
    """The name of an encoding that somebody chose, as Python has it. Raises CannotRun."""
    try:
        info = codecs.lookup(name)
        "a".encode(name)
        if info.name in _NO_FILES:
            raise LookupError
    except (LookupError, UnicodeError, TypeError, ValueError):
        raise CannotRun(
            f"There is no encoding {name[:40]!r}. Usual ones are utf-8, utf-16, cp1252 (Windows), cp850 (DOS) and "
            "mac-roman."
        ) from None
    return UTF8 if info.name in (UTF8, "utf-8-sig", "ascii") else info.name


def marked(start: bytes) -> str:
    """The encoding that the first bytes of a file show: by a mark, or by the zeros of UTF-16; otherwise UTF-8."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    sample = start[:_SAMPLE_BYTES]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 4 > len(sample) and min(even, odd) * 10 < max(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    return UTF8


@dataclass(slots=True)
class _Census:
    """How many bytes of a file are parts of UTF-8 characters, and how many others there are beyond ASCII."""

    characters: int = 0
    others: int = 0
    unusual: int = 0

    def add(self, block: bytes) -> None:
        if block.isascii():
            return
        characters = _UTF8_CHARACTERS.findall(block)
        high = block.translate(None, _ASCII)
        self.characters += len(characters)
        self.others += len(high) - sum(map(len, characters))
        self.unusual += len(high.translate(None, _HIGH_PUNCTUATION + _HIGH_LETTERS)) + len(_MISPLACED.findall(block))
        self.unusual += max(0, len(_CLOSING.findall(block)) - len(_OPENING.findall(block)))


_MOST = 4
"""So many times as many characters in UTF-8 as other bytes make a file one in UTF-8 with broken lines."""


def of_other_bytes(blocks: Iterable[bytes], name: str) -> str:
    """The encoding of a file with a line that is not UTF-8; no character is cut by the end of a block.

    UTF-8 where most characters by far are that: single lines are broken then. Raises CannotRun where nobody can tell.
    """
    census = _Census()
    for block in blocks:
        census.add(block)
    if census.characters >= _MOST * census.others:
        return UTF8
    if census.characters * _FEW > census.others:
        raise CannotRun(
            f"The file {name} has lines in UTF-8 and lines in another encoding. Write it in one, or name the one to "
            "read it in with --encoding; lines in the other are then rejected or misread."
        )
    if census.unusual * _FEW > census.others:
        raise CannotRun(
            f"The file {name} is neither UTF-8 nor Windows-1252. Name its encoding with --encoding (such as cp850 or "
            "mac-roman), or save it as UTF-8."
        )
    return WINDOWS
