"""What each column may hold. Values come from other systems, so some are less restricted than the API's parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from stamkund.identity import imported_hashes
from stamkund.rules import values
from stamkund.rules.subscription import STATES, TYPES
from stamkund.rules.timestamps import Zone, parse_timestamp
from stamkund.rules.values import NO_CONTEXT, Invalid, ValueType

ColumnCheck = Callable[[str], str]
"""Returns the text to store. Raises Invalid."""

_TIMESTAMP = re.compile(
    r"\d{4}-?\d\d-?\d\d(?:[T ](?P<time>\d\d:?\d\d(?::?\d\d(?:[.,]\d{1,9})?)?) ?(?P<offset>Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_MAX_NAME = 1024
CACHE_SIZE = 50_000
"""How many checked texts are cached: the same codes and dates occur again and again."""


def text_check(max_length: int, min_length: int = 1) -> ColumnCheck:
    """Free text of this size, without control characters."""
    value_type: ValueType[str] = ValueType("text", lambda text, _: text, min_length=min_length, max_length=max_length)

    def check(text: str) -> str:
        if min_length <= len(text) <= max_length and text.isprintable():
            return text
        return value_type.parse(text, NO_CONTEXT)

    return check


def are_names(texts: Iterable[str | None]) -> bool:
    """Whether `NAME` accepts all of these texts, decided together: False may be wrong, True is not."""
    together = "".join(filter(None, texts))
    return len(together) <= _MAX_NAME and together.isprintable()


def value_check(value_type: ValueType[str], fast_path: str = r"(?!)") -> ColumnCheck:
    """Text of one of the API's value types. Text that matches `fast_path` is accepted without further parsing."""
    is_accepted = re.compile(fast_path).fullmatch

    def check(text: str) -> str:
        return text if is_accepted(text) else value_type.parse(text, NO_CONTEXT)

    return check


def choice_check(allowed: tuple[str, ...]) -> ColumnCheck:
    def check(text: str) -> str:
        if text not in allowed:
            raise Invalid(f"must be one of {', '.join(allowed)}")
        return text

    return check


def _password_hash(text: str) -> str:
    imported = imported_hashes.parsed(text)
    if imported is None:
        raise Invalid("must be a password hash of a supported kind")
    if not imported.is_affordable:
        raise Invalid("must be a password hash that takes less time and memory to verify")
    return text


CUSTOMER_NUMBER = value_check(values.TULO_CUSTOMER_NUMBER, "[a-zA-Z0-9_-]{1,50}")
NAME = text_check(_MAX_NAME)
EXTERNAL_ID = text_check(128)

CUSTOMER: tuple[tuple[str, ColumnCheck], ...] = (
    ("email", value_check(values.EMAIL, r"[a-zA-Z0-9_+.-]{1,64}@[a-zA-Z0-9-]{1,63}\.[a-zA-Z]{1,63}")),
    ("first_name", NAME),
    ("last_name", NAME),
    ("mobile_phone_number", NAME),
    ("zip_code", NAME),
    ("company_name", NAME),
    ("company_registration_number", text_check(50)),
    ("password_hash", _password_hash),
)
"""The columns of a customer that hold text and can be checked without looking at any other column."""

PACKAGE_CODE = lru_cache(CACHE_SIZE)(value_check(values.PRODUCT_CODE))
TITLE_CODE = text_check(15)
SUBSCRIPTION_NUMBER = text_check(50)
SUBSCRIPTION_TYPE = choice_check(TYPES)
STATE = choice_check(STATES)

SUBSCRIPTION: tuple[tuple[str, ColumnCheck], ...] = (
    ("package_code", PACKAGE_CODE),
    ("title_code", TITLE_CODE),
    ("subscription_number", SUBSCRIPTION_NUMBER),
    ("subscription_type", SUBSCRIPTION_TYPE),
    ("state", STATE),
    ("provision_service", NAME),
)
"""The same for a subscription."""


def timestamp_parser(local: Zone) -> Callable[[str], int]:
    """A function that parses dates and times: ISO 8601, local to `local` where there is no offset.

    A blank before the offset is accepted.
    """

    @lru_cache(CACHE_SIZE)
    def parse(text: str) -> int:
        match = _TIMESTAMP.fullmatch(text) if len(text) <= 64 else None
        if match is None:
            raise Invalid("must be an ISO 8601 date, or date and time")
        try:
            return parse_timestamp(text.replace(" ", "T", 1).replace(" ", ""), local)
        except (ValueError, OverflowError):
            raise Invalid("must be a real date between the years 1850 and 2999, or date and time") from None

    return parse


def reason_of(error: Invalid) -> str:
    """The reason to report with a column: the API's sentence without its subject."""
    return str(error).removeprefix("Parameter ")
