"""Value types of the calls that create and change accounts, beside those of `values.py`.

Sources: the documentation pages "Create account", "Update account" and "Payway Address"; wire contract, sections 2 and
6 (what addresses hold, points in time).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from stamkund.rules import person_number
from stamkund.rules.countries import COUNTRIES, OLDER_COUNTRIES
from stamkund.rules.person_number import PersonNumber
from stamkund.rules.timestamps import timestamp
from stamkund.rules.values import PERSON_NUMBER, Context, Invalid, ValueType, matching, wrong_format

_TWELVE_DIGITS = re.compile(r"[0-9]{12}")
_COMPANY_NUMBER = re.compile(r"[0-9]{6}-[0-9]{4}|[0-9]{7}-[0-9]")
_COMPANY_NUMBER_TEXT = "dddddd-dddd or ddddddd-d"
_ZIP_CODE = re.compile(r"[a-zA-Z\-_0-9 ]+")
_ZIP_CODE_TEXT = "/^[a-zA-Z-_0-9 ]+$/"
_COUNTRY = re.compile(r"[a-z]{2}", re.IGNORECASE | re.ASCII)
_COUNTRIES_TEXT, _OLDER_COUNTRIES_TEXT = "two letters of ISO 3166-1", "SE, FI or AX"


def _read_person_number(text: str, context: Context) -> PersonNumber:
    number = person_number.parse(text, context.today) if _TWELVE_DIGITS.fullmatch(text) else None
    if number is None:
        return PERSON_NUMBER.read(text, context)
    if context.checksum and number.century is None:
        raise Invalid("Parameter must be a real date followed by a right check digit")
    return number


def _country(accepted: frozenset[str], printed: str) -> Callable[[str, Context], str]:
    def read(text: str, _: Context) -> str:
        code = text.upper() if _COUNTRY.fullmatch(text) else ""
        if code not in accepted:
            raise wrong_format(printed)
        return code

    return read


_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)? ?(?:Z|([+-])(\d\d):?(\d\d))", re.ASCII
)
_TIMESTAMP_TEXT = "YYYY-MM-DDThh:mm:ss+hh:mm"
_FIRST_YEAR, _LAST_YEAR = 1850, 2999


def _read_timestamp(text: str, _: Context) -> int:
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise Invalid("Parameter must be a date and time with an offset")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    sign, hours, minutes = match.groups()[6:]
    try:
        offset = UTC
        if sign is not None:
            offset = timezone(int(f"{sign}1") * timedelta(hours=int(hours), minutes=int(minutes)))
        at = datetime(year, month, day, hour, minute, second, tzinfo=offset)
    except ValueError:
        raise Invalid("Parameter must be a real date and time") from None
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise Invalid(f"Parameter must be between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    return timestamp(at)


def _unchanged(text: str, _: Context) -> str:
    return text


NEW_PERSON_NUMBER = ValueType(
    "social security number",
    _read_person_number,
    "dddddd-dddd or dddddddddddd",
    re.compile(r"[0-9]{6}-[0-9]{4}|[0-9]{12}"),
    example="620817-9256",
)
"""That of a new account: with the century too."""
COMPANY_NUMBER = ValueType(
    "company registration number",
    matching(_COMPANY_NUMBER, _COMPANY_NUMBER_TEXT),
    _COMPANY_NUMBER_TEXT,
    _COMPANY_NUMBER,
    example="556468-3984",
)
"""The Finnish form is accepted too."""
SOURCE = ValueType("source", _unchanged, min_length=6, max_length=1024, example="Campaign in spring")
TAG = ValueType("tag", _unchanged, min_length=1, max_length=128, example="foo")
ADDRESS_ZIP_CODE = ValueType(
    "zip code", matching(_ZIP_CODE, _ZIP_CODE_TEXT), _ZIP_CODE_TEXT, _ZIP_CODE, max_length=10, example="832 42"
)
COUNTRY = ValueType(
    "country",
    _country(COUNTRIES, _COUNTRIES_TEXT),
    _COUNTRIES_TEXT,
    _COUNTRY,
    min_length=2,
    max_length=2,
    example="SE",
)
OLDER_COUNTRY = ValueType(
    "country",
    _country(OLDER_COUNTRIES, _OLDER_COUNTRIES_TEXT),
    _OLDER_COUNTRIES_TEXT,
    _COUNTRY,
    min_length=2,
    max_length=2,
    example="SE",
)
"""That of the first version of an address."""
TIMESTAMP = ValueType(
    "timestamp",
    _read_timestamp,
    _TIMESTAMP_TEXT,
    _TIMESTAMP,
    max_length=40,
    example="2016-10-02 13:00 +0100",
)
"""A date and time with an offset, as a timestamp: ISO 8601, or as the example. Seconds may be missing, and fractions of
them are dropped."""
