"""Swedish social security numbers (personnummer, samordningsnummer).

Century, birth date and gender follow from a number that is *real*: a date with a correct check digit. Any other number
is accepted too, because the person can be found by it (wire contract, section 2). The century is decided when the
number is first read, and stored: otherwise a subscriber born in 1926 would become a newborn in 2026.
"""

from __future__ import annotations

import re
from datetime import date

from stdnum import luhn

_TEN = re.compile(r"[0-9]{6}-[0-9]{4}", re.ASCII)
_TWELVE = re.compile(r"([0-9]{8})-?([0-9]{4})", re.ASCII)
_TEN_BARE = re.compile(r"([0-9]{6})([0-9]{4})", re.ASCII)


class PersonNumber:
    """A social security number: `ten` as the documents write it (`800610-8230`), and its century if it is real.

    Its repr is masked, so that it can't get into a log or a traceback.
    """

    __slots__ = ("century", "ten")

    def __init__(self, ten: str, century: str | None = None) -> None:
        self.ten = ten
        self.century = century

    @property
    def twelve(self) -> str | None:
        """`198006108230`, or None when the number is not real."""
        return None if self.century is None else f"{self.century}{self.ten[:6]}{self.ten[7:]}"

    @property
    def birth_date(self) -> date | None:
        return None if self.century is None else _date(self.century + self.ten[:6])

    @property
    def gender(self) -> str | None:
        """`M` for an odd ninth digit, `F` for an even one, None when the number is not real."""
        if self.century is None:
            return None
        return "M" if int(self.ten[9]) % 2 else "F"

    def stored(self) -> str:
        """The text that `from_stored` parses: ten or twelve digits with a dash."""
        return f"{self.century or ''}{self.ten}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PersonNumber) and (self.ten, self.century) == (other.ten, other.century)

    def __hash__(self) -> int:
        return hash((self.ten, self.century))

    def __repr__(self) -> str:
        return "PersonNumber(******-****)"

    __str__ = __repr__


def from_stored(text: str) -> PersonNumber:
    """Parses the text that `PersonNumber.stored` returned."""
    return PersonNumber(text[-11:], text[:-11] or None)


def parse(text: str, today: date, born: date | None = None) -> PersonNumber | None:
    """The number, from ten digits with a dash or from twelve digits; None for any other text.

    The century of a ten-digit number is that of the birth date `born` where the two agree, otherwise the most recent
    one that is not in the future.
    """
    if _TEN.fullmatch(text):
        return PersonNumber(text, _century(text, today, born))
    if match := _TWELVE.fullmatch(text):
        digits = match[1] + match[2]
        ten = f"{digits[2:8]}-{digits[8:]}"
        is_real = luhn.is_valid(digits[2:]) and _past_date(digits[:8], today) is not None
        return PersonNumber(ten, digits[:2] if is_real else None)
    return None


def parse_lenient(text: str, today: date, born: date | None = None) -> PersonNumber | None:
    """As `parse`, but the dash may be missing: subscription systems export all of these forms."""
    if match := _TEN_BARE.fullmatch(text):
        text = f"{match[1]}-{match[2]}"
    return parse(text, today, born)


def _century(ten: str, today: date, born: date | None) -> str | None:
    if not luhn.is_valid(ten[:6] + ten[7:]):
        return None
    centuries = _recent_centuries(today)
    if born is not None and (match := next((c for c in centuries if _date(c + ten[:6]) == born), None)):
        return match
    return next((c for c in centuries if _past_date(c + ten[:6], today)), None)


def _recent_centuries(today: date) -> tuple[str, str, str]:
    now = today.year // 100
    return str(now), str(now - 1), str(now - 2)


def _past_date(digits: str, today: date) -> date | None:
    day = _date(digits)
    return day if day is not None and day <= today else None


def _date(digits: str) -> date | None:
    """`YYYYMMDD` as a date. A co-ordination number has 60 added to its day."""
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    try:
        return date(year, month, day - 60 if day > 60 else day)
    except ValueError:
        return None
