"""Swedish social security numbers (personnummer, samordningsnummer, and interim numbers of registers).

Century, birth date and gender follow from a number that is *real*: a date with a correct check digit. Any other number
is accepted too, because the person can be found by it (wire contract, section 2). The century is decided when the
number is first read, and stored: otherwise a subscriber born in 1926 would become a newborn in 2026.

Two kinds look unreal and are not. A co-ordination number has 60 added to its day, and month 00 or day 60 where that
part of the birth date is not known: it is real and has a century, but no birth date follows from it. An interim number
has a letter for its seventh digit, which counts as 1 in the check digit.
"""

from __future__ import annotations

import re
from datetime import date

from stdnum import luhn

_TEN = re.compile(r"[0-9]{6}-[0-9]{4}", re.ASCII)
_TWELVE = re.compile(r"([0-9]{8})-?([0-9]{4})", re.ASCII)
_LENIENT = re.compile(r"([0-9]{2})?([0-9]{6})([-+]?)([0-9TRSUWXJKLMN][0-9]{3})", re.ASCII)
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"))
_MAX_LENIENT = 64


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
        return _twelve(digits[:2], f"{digits[2:8]}-{digits[8:]}", today)
    return None


def with_century_of(number: PersonNumber, born: date | None, today: date) -> PersonNumber:
    """The number with the century of a birth date that fits it; without one, as it came in."""
    fitting = None if born is None else parse(number.ten, today, born)
    return fitting if fitting is not None and fitting.birth_date == born else number


def parse_lenient(text: str, today: date, born: date | None = None) -> PersonNumber | None:
    """As `parse`, in all the forms that registers export.

    The dash may be missing or another character that looks like one, blanks may be anywhere, and the seventh digit may
    be the letter of an interim number. A plus sign for the dash says that the person is a hundred years old or more.
    """
    if len(text) > _MAX_LENIENT:
        return None
    match = _LENIENT.fullmatch("".join(text.split()).translate(_DASHES).upper())
    if match is None:
        return None
    century, ten = match[1], f"{match[2]}-{match[4]}"
    if century is not None:
        return _twelve(century, ten, today)
    return PersonNumber(ten, _century(ten, today, born, hundred=match[3] == "+"))


def _twelve(century: str, ten: str, today: date) -> PersonNumber:
    is_real = _has_check_digit(ten) and _is_past_day(century + ten[:6], today)
    return PersonNumber(ten, century if is_real else None)


def _has_check_digit(ten: str) -> bool:
    seventh = ten[7] if ten[7].isdigit() else "1"
    return bool(luhn.is_valid(f"{ten[:6]}{seventh}{ten[8:]}"))


def _century(ten: str, today: date, born: date | None, *, hundred: bool = False) -> str | None:
    """`hundred`: the person has the hundredth birthday behind them, or has it this year."""
    if not _has_check_digit(ten):
        return None
    centuries = _recent_centuries(today)
    if born is not None and (match := next((c for c in centuries if _date(c + ten[:6]) == born), None)):
        return match
    latest = date(today.year - 100, 12, 31) if hundred else today
    return next((c for c in centuries if _is_past_day(c + ten[:6], latest)), None)


def _recent_centuries(today: date) -> tuple[str, str, str]:
    now = today.year // 100
    return str(now), str(now - 1), str(now - 2)


def _is_past_day(digits: str, today: date) -> bool:
    """Whether `YYYYMMDD` is a day that was, or as much of one as a co-ordination number may know."""
    day = _date(digits)
    if day is not None:
        return day <= today
    year, month, day_number = int(digits[:4]), int(digits[4:6]), int(digits[6:]) - 60
    partly_known = (month == 0 and 0 <= day_number <= 31) or (day_number == 0 and month <= 12)
    return partly_known and (year, month) <= (today.year, today.month)


def _date(digits: str) -> date | None:
    """`YYYYMMDD` as a date. A co-ordination number has 60 added to its day."""
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    try:
        return date(year, month, day - 60 if day > 60 else day)
    except ValueError:
        return None
