"""What each column may hold. Values come from other systems, so some are freer than the API's parameters are."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from stamkund.identity.passwords import can_verify
from stamkund.rules import values
from stamkund.rules.subscription import STATES, TYPES
from stamkund.rules.timestamps import Zone, parse_timestamp
from stamkund.rules.values import NO_CONTEXT, Invalid, ValueType

Check = Callable[[str], str]
"""Answers the text that is stored. Raises Invalid."""

_MOMENT = re.compile(
    r"\d{4}-?\d\d-?\d\d(?:[T ](?P<time>\d\d:?\d\d(?::?\d\d(?:[.,]\d{1,9})?)?) ?(?P<offset>Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_SEEN = 50_000
"""How many different texts of a kind are remembered: the same codes and dates come again and again."""


def text(longest: int, shortest: int = 1) -> Check:
    """Free text of this size, without control characters."""
    kind: ValueType[str] = ValueType("text", lambda given, _: given, min_length=shortest, max_length=longest)

    def check(given: str) -> str:
        if shortest <= len(given) <= longest and given.isprintable():
            return given
        return kind.parse(given, NO_CONTEXT)

    return check


def of_kind(kind: ValueType[str], usual: str | None = None) -> Check:
    """Text of one of the API's kinds. What matches `usual` is good without more ado."""
    at_once = re.compile(usual or r"(?!)").fullmatch

    def check(given: str) -> str:
        return given if at_once(given) else kind.parse(given, NO_CONTEXT)

    return check


def one_of(allowed: tuple[str, ...]) -> Check:
    def check(given: str) -> str:
        if given not in allowed:
            raise Invalid(f"must be one of {', '.join(allowed)}")
        return given

    return check


def _password_hash(given: str) -> str:
    if len(given) > 1024 or not given.isascii() or not can_verify(given):
        raise Invalid("must be a password hash of a known kind")
    return given


CUSTOMER_NUMBER = of_kind(values.TULO_CUSTOMER_NUMBER, "[a-zA-Z0-9_-]{1,50}")
NAME = text(1024)
EXTERNAL_ID = text(128)

CUSTOMER: tuple[tuple[str, Check], ...] = (
    ("email", of_kind(values.EMAIL, r"[a-zA-Z0-9_+.-]{1,64}@[a-zA-Z0-9-]{1,63}\.[a-zA-Z]{1,63}")),
    ("first_name", NAME),
    ("last_name", NAME),
    ("mobile_phone_number", NAME),
    ("zip_code", NAME),
    ("company_name", NAME),
    ("company_registration_number", text(50)),
    ("password_hash", _password_hash),
)
"""The columns of a customer that hold text and stand for themselves."""

SUBSCRIPTION: tuple[tuple[str, Check], ...] = (
    ("package_code", lru_cache(_SEEN)(of_kind(values.PRODUCT_CODE))),
    ("title_code", text(15)),
    ("subscription_number", text(50)),
    ("subscription_type", one_of(TYPES)),
    ("state", one_of(STATES)),
    ("provision_service", NAME),
)
"""The same of a subscription."""


def moments(local: Zone) -> Callable[[str], int]:
    """Reads dates and times: ISO 8601, with a blank before the offset or none; without an offset local to `local`."""

    @lru_cache(_SEEN)
    def read(given: str) -> int:
        match = _MOMENT.fullmatch(given) if len(given) <= 64 else None
        if match is None:
            raise Invalid("must be an ISO 8601 date, or date and time")
        try:
            return parse_timestamp(given.replace(" ", "T", 1).replace(" ", ""), local)
        except (ValueError, OverflowError):
            raise Invalid("must be a real date between the years 1850 and 2999, or date and time") from None

    return read


def sentence(error: Invalid) -> str:
    """The reason that goes with a column: the API's sentence without its subject."""
    return str(error).removeprefix("Parameter ")
