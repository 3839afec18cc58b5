"""What each entry of a catalogue file may hold. Sizes and patterns of codes are those of the documents."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from stamkund.rules.values import NO_CONTEXT, PRODUCT_CODE, TITLE_CODE, Invalid, ValueType

CODES = "code"
"""The field that an entry is known by."""
MOST_GRACE_DAYS = 366
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")

Check = Callable[[Any], Any]
"""Answers the value that is stored. Raises Invalid."""


@dataclass(frozen=True)
class Field:
    """One key of an entry. `refers_to`: the parts of which one must have this code; `many`: a list of such values."""

    name: str
    check: Check
    required: bool = False
    refers_to: tuple[str, ...] = ()
    many: bool = False


@dataclass(frozen=True)
class Part:
    """One list of the document. No two entries of the parts that share `codes` have the same code."""

    name: str
    codes: str
    fields: tuple[Field, ...]


def kind_of(value: Any) -> str:
    """What a JSON value is, in a word."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    words = {str: "text", int: "a number", float: "a number", list: "a list"}
    return words.get(type(value), "an object")


def _text(kind: ValueType[str]) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise Invalid(f"must be text, not {kind_of(value)}")
        return kind.parse(value, NO_CONTEXT)

    return check


def _url(value: Any) -> str:
    text: str = _LONG_TEXT(value)
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc or text.split() != [text]:
        raise Invalid("must be an address that begins with https:// or http://")
    return text


def _colour(value: Any) -> str:
    if not isinstance(value, str) or _COLOUR.fullmatch(value) is None:
        raise Invalid("must be a colour such as #00aabb")
    return value


def _days(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MOST_GRACE_DAYS:
        raise Invalid(f"must be a whole number from 0 to {MOST_GRACE_DAYS}")
    return value


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"must be true or false, not {kind_of(value)}")
    return value


_LONG_TEXT = _text(ValueType("text", lambda given, _: given, min_length=1, max_length=1024))
_SHORT_TEXT = _text(ValueType("text", lambda given, _: given, min_length=1, max_length=50))
_TITLE_CODE = _text(TITLE_CODE)
_CODE = _text(PRODUCT_CODE)

PARTS = (
    Part(
        "titles",
        "titles",
        (
            Field(CODES, _TITLE_CODE, required=True),
            Field("name", _LONG_TEXT, required=True),
            Field("image_url", _url),
            Field("merchant_image_url", _url),
            Field("url", _url),
            Field("rgb", _colour),
        ),
    ),
    Part("products", "products", (Field(CODES, _CODE, required=True), Field("name", _LONG_TEXT, required=True))),
    Part(
        "packages",
        "packages and campaigns",
        (
            Field(CODES, _CODE, required=True),
            Field("products", _CODE, required=True, refers_to=("products",), many=True),
            Field("name", _LONG_TEXT),
            Field("title", _TITLE_CODE, refers_to=("titles",)),
            Field("integration_code", _SHORT_TEXT),
            Field("grace_days", _days),
            Field("cancellable", _yes_or_no),
        ),
    ),
    Part(
        "campaigns",
        "packages and campaigns",
        (
            Field(CODES, _CODE, required=True),
            Field("package", _CODE, required=True, refers_to=("packages",)),
            Field("name", _LONG_TEXT),
            Field("transforms_to", _CODE, refers_to=("packages", "campaigns")),
        ),
    ),
)
"""The document, in its order."""
