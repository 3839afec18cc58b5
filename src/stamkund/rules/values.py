"""What a parameter may hold: each value type parses text, or refuses it with a sentence that says why.

The sentences and patterns are those of the documents ("Allowed values", "Size range"); sizes are checked before
patterns. HTTP parameters and the import use the same value types, so both refuse the same values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

from stamkund.rules import emails, person_number
from stamkund.rules.customer_numbers import DOCUMENTED_CUSTOMER_NUMBER, LONG_CUSTOMER_NUMBER
from stamkund.rules.emails import MAX_EMAIL_LENGTH
from stamkund.rules.ids import ID_PATTERN, ID_TEXT, parse_id
from stamkund.rules.person_number import PersonNumber
from stamkund.rules.timestamps import parse_date
from stamkund.rules.user_agents import MAX_USER_AGENT_LENGTH

T = TypeVar("T")

EMAIL_TEXT = r"/\A[\w+\-.]+@[a-z\d\-]+(\.[a-z]+)*\.[a-z]+\z/i"
"""The pattern as the documents' error messages print it. Real domains have digits and hyphens after the first label
too, so more is accepted than the pattern says."""

# No two neighbouring parts share a character, so matching takes linear time on any input.
_EMAIL = re.compile(r"[\w+\-.]+@[a-z\d\-]+(?:\.[a-z\d\-]+)*\.[a-z]+", re.ASCII | re.IGNORECASE)
_CODE_TEXT = "/^[a-zA-Z-_0-9]+$/"
_CODE = re.compile(r"[a-zA-Z\-_0-9]+")
_PRODUCT_CODE_TEXT = "/^[a-zA-Z-_0-9+]+$/"
_PRODUCT_CODE = re.compile(r"[a-zA-Z\-_0-9+]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Invalid(ValueError):
    """The text is not a value of this type; the message is the sentence for the caller."""


def wrong_format(pattern: str) -> Invalid:
    """The refusal of a text that does not have the documented form."""
    return Invalid(f"Parameter must match format ({pattern})")


@dataclass(frozen=True)
class Context:
    """What parsing may depend on: today's date, and whether a social security number must be real."""

    today: date
    checksum: bool = False


NO_CONTEXT = Context(date.min)
"""For value types that do not depend on it: all those of look-ups."""


@dataclass(frozen=True)
class ValueType(Generic[T]):
    """The type of a parameter's value. `read` makes the value from a text of an allowed size.

    `long_length`: what `parse` accepts instead of `max_length`; more than that is refused where the organisation is
    known, unless it allows it.
    `pattern`: for the reference, as the documents print it. `accepts`: what the whole text must match. `json_type`: the
    type of the value in JSON.
    `cleaned`: drops what is no part of the value, before anything else; it must be cheap for a text of any length.
    `cleaned_in_query`: in its place for a query, where other characters may stand for what was meant.
    """

    name: str
    read: Callable[[str, Context], T]
    pattern: str | None = None
    accepts: re.Pattern[str] | None = None
    min_length: int = 0
    max_length: int | None = None
    example: str = ""
    control_characters: bool = field(default=False, repr=False)
    json_type: str = "string"
    long_length: int | None = None
    cleaned: Callable[[str], str] | None = None
    cleaned_in_query: Callable[[str], str] | None = None

    def parse(self, text: str, context: Context) -> T:
        """The value that `text` holds. Raises Invalid."""
        return self._read(text if self.cleaned is None else self.cleaned(text), context)

    def parse_in_query(self, text: str, context: Context) -> T:
        """The same for a text in a query."""
        cleaned = self.cleaned_in_query or self.cleaned
        return self._read(text if cleaned is None else cleaned(text), context)

    def _read(self, text: str, context: Context) -> T:
        if len(text) < self.min_length:
            raise Invalid(f"Parameter must be at least {self.min_length} characters")
        is_long = self.max_length is not None and len(text) > self.max_length
        if is_long and len(text) > (self.long_length or 0):
            raise self.too_long()
        try:
            value = self.read(text, context)
        except Invalid:
            if is_long:  # the length is complained about first, as without `long_length`
                raise self.too_long() from None
            raise
        # What is printable has no control character, which is found out sooner than by the regular expression.
        if not self.control_characters and not text.isprintable() and _CONTROL.search(text):
            raise Invalid("Parameter must not contain control characters")
        return value

    def too_long(self) -> Invalid:
        """The sentence for a text of more than `max_length` characters."""
        return Invalid(f"Parameter must be at most {self.max_length} characters")


def matching(pattern: re.Pattern[str], printed: str) -> Callable[[str, Context], str]:
    """Reads a text that matches `pattern` as a whole; `printed` is how the documents write the pattern."""

    def read(text: str, _: Context) -> str:
        if pattern.fullmatch(text) is None:
            raise wrong_format(printed)
        return text

    return read


def _unchanged(text: str, _: Context) -> str:
    return text


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_LONGEST_BOOLEAN = 5


def _read_boolean(text: str, _: Context) -> bool:
    boolean = _BOOLEANS.get(text.lower()) if len(text) <= _LONGEST_BOOLEAN else None
    if boolean is None:
        raise Invalid("Parameter must be true or false")
    return boolean


def _read_id(text: str, _: Context) -> str:
    id_ = parse_id(text)
    if id_ is None:
        raise wrong_format(ID_TEXT)
    return id_


def _trimmed_if_email(text: str) -> str:
    return emails.trimmed(text) if "@" in text else text


def _read_id_or_email(text: str, _: Context) -> str:
    return text if _EMAIL.fullmatch(text) else _read_id(text, _)


def _read_unicode(text: str, _: Context) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid("Parameter must be Unicode text") from None
    return text


MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 6, 1024


def without_line_end(password: str) -> str:
    """A password without one line end at its end, which comes along when it is pasted or read from a file.

    It is cut where a password is set (`PASSWORD`) and where one is tried (`Logins.log_in`).
    """
    for line_end in ("\r\n", "\n", "\r"):
        if password.endswith(line_end):
            return password[: -len(line_end)]
    return password


_PERSON_NUMBER_TEXT = "/^[0-9]{6}-[0-9]{4}$/"
_PERSON_NUMBER = re.compile(r"[0-9]{6}-[0-9]{4}")
_MOBILE_TEXT = "/^[+,0]?[0-9]{10,12}$/"
_MOBILE = re.compile(r"[+,0]?[0-9]{10,12}")
_COMPANY_NUMBER = re.compile(r"[0-9]{6}-[0-9]{4}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _read_person_number(text: str, context: Context) -> PersonNumber:
    number = person_number.parse(text, context.today) if _PERSON_NUMBER.fullmatch(text) else None
    if number is None:
        raise wrong_format(_PERSON_NUMBER_TEXT)
    if context.checksum and number.century is None:
        raise Invalid("Parameter must be a real date followed by a right check digit")
    return number


def _read_birth_date(text: str, context: Context) -> date:
    if _DATE.fullmatch(text) is None:
        raise wrong_format("YYYY-MM-DD")
    try:
        born = parse_date(text)
    except ValueError:
        raise Invalid("Parameter must be a real date") from None
    if born > context.today:
        raise Invalid("Parameter must not be in the future")
    return born


_RETURN_URL_TEXT = "http(s)://host/path?query"
# No blanks, control characters or backslashes (which browsers take for slashes); a host without user name or escapes.
_RETURN_URL = re.compile(
    r"https?://(?!:)[^\s\x00-\x20\x7f\\/?#@%]+(?:[/?#][^\s\x00-\x20\x7f\\]*)?", re.ASCII | re.IGNORECASE
)


def _read_permissions(text: str, context: Context) -> list[str]:
    """Ids separated by commas, in order and without duplicates; an empty text means none."""
    names = [part.strip().lower() for part in text.split(",")] if text.strip() else []
    return list(dict.fromkeys(names))


ID = ValueType("id", _read_id, ID_TEXT, ID_PATTERN, max_length=24, example="585a4768edce2c5e6f000001")
EMAIL = ValueType(
    "email",
    matching(_EMAIL, EMAIL_TEXT),
    EMAIL_TEXT,
    _EMAIL,
    max_length=MAX_EMAIL_LENGTH,
    example="ove.ovesson@example.com",
    cleaned=emails.trimmed,
    cleaned_in_query=emails.pasted,
)
PASSWORD = ValueType(
    "password",
    _read_unicode,
    min_length=MIN_PASSWORD_LENGTH,
    max_length=MAX_PASSWORD_LENGTH,
    example="Df7Vdd8!!vnM",
    control_characters=True,
    cleaned=without_line_end,
)
ID_OR_EMAIL = ValueType(
    "id or email",
    _read_id_or_email,
    ID_TEXT,
    re.compile(f"{ID_PATTERN.pattern}|{_EMAIL.pattern}", re.ASCII | re.IGNORECASE),
    max_length=MAX_EMAIL_LENGTH,
    example=ID.example,
    cleaned=_trimmed_if_email,
    cleaned_in_query=lambda text: emails.pasted(text) if "@" in text else text,
)
"""An id; samples of some documents send an e-mail instead."""
TEXT = ValueType("text", _unchanged, max_length=1024, example="Ovesson")
ALIAS = ValueType("alias", _unchanged, max_length=50, example="Oves Alias")
ALIAS_KEY = ValueType("alias", _unchanged, max_length=1024, example="Oves Alias")
EXTERNAL_ID = ValueType("external id", _unchanged, min_length=1, max_length=128, example="Key 1")
MOBILE = ValueType(
    "mobile phone number",
    matching(_MOBILE, _MOBILE_TEXT),
    _MOBILE_TEXT,
    _MOBILE,
    min_length=10,
    max_length=12,
    example="0701234567",
)
PERSON_NUMBER = ValueType(
    "social security number", _read_person_number, "dddddd-dddd", _PERSON_NUMBER, example="620817-9256"
)
CUSTOMER_NUMBER = ValueType(
    "customer number",
    matching(_CODE, _CODE_TEXT),
    _CODE_TEXT,
    _CODE,
    max_length=DOCUMENTED_CUSTOMER_NUMBER,
    example="100001",
    long_length=LONG_CUSTOMER_NUMBER,
)
TULO_CUSTOMER_NUMBER = ValueType(
    "tulo customer number", matching(_CODE, _CODE_TEXT), _CODE_TEXT, _CODE, max_length=50, example="00001"
)
ZIP_CODE = ValueType("zip code", matching(_CODE, _CODE_TEXT), _CODE_TEXT, _CODE, max_length=5, example="43921")
COMPANY_NUMBER = ValueType(
    "company registration number",
    matching(_COMPANY_NUMBER, "dddddd-dddd"),
    "dddddd-dddd",
    _COMPANY_NUMBER,
    example="556468-3984",
)
PERSON_NUMBER_KEY = ValueType(
    "social security number",
    matching(_PERSON_NUMBER, _PERSON_NUMBER_TEXT),
    "dddddd-dddd",
    _PERSON_NUMBER,
    example="620817-9256",
)
"""For look-ups: they only need the pattern, not the century."""
BIRTH_DATE = ValueType(
    "birth date", _read_birth_date, "YYYY-MM-DD", _DATE, min_length=10, max_length=10, example="1962-08-17"
)
PERMISSIONS = ValueType("marketing permissions", _read_permissions, max_length=1024, example="5ba4a64509c04c5ab4000001")
TITLE_CODE = ValueType(
    "title code", matching(_CODE, _CODE_TEXT), _CODE_TEXT, _CODE, min_length=1, max_length=15, example="TITLE_CODE"
)
PRODUCT_CODE = ValueType(
    "product code",
    matching(_PRODUCT_CODE, _PRODUCT_CODE_TEXT),
    _PRODUCT_CODE_TEXT,
    _PRODUCT_CODE,
    min_length=1,
    max_length=50,
    example="package_code",
)
"""The code of a product, package or campaign; with the plus sign that the newer versions of the documents allow."""
IP_ADDRESS = ValueType("IP address", _unchanged, max_length=39, example="192.0.2.1")
USER_AGENT = ValueType("user agent", _unchanged, max_length=MAX_USER_AGENT_LENGTH, example="Mozilla/5.0")
MAX_SSO_TOKEN_LENGTH = 60_000
"""User agent and password at their longest, and all of it escaped."""
SSO_TOKEN = ValueType(
    "token",
    _read_unicode,
    max_length=MAX_SSO_TOKEN_LENGTH,
    example="eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjaWQiOiI1ODVhNDc2OGVkY2UyYzVlNmYwMDAwMDEifQ.zyQ7EOM3",
    control_characters=True,
)
"""A JSON Web Token. Its format is not checked here, so that every invalid token gets the same response."""
RETURN_URL = ValueType(
    "URL",
    matching(_RETURN_URL, _RETURN_URL_TEXT),
    _RETURN_URL_TEXT,
    _RETURN_URL,
    max_length=8192,
    example="https://herald.example.com/a?b=c",
)
"""The URL of a site that a browser returns to."""
BOOLEAN = ValueType("boolean", _read_boolean, "true or false", example="true", json_type="boolean")
"""A boolean of JSON; in a query `true` or `false` in any case, or `1` or `0`."""
