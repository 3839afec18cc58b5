"""What each entry of a catalogue file may hold. Sizes and patterns of codes are those of the documents."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from stamkund.rules.values import NO_CONTEXT, PRODUCT_CODE, TITLE_CODE, Invalid, ValueType

CODE = "code"
"""The field that identifies an entry."""
MAX_GRACE_DAYS = 366
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")

FieldCheck = Callable[[Any], Any]
"""Returns the value to store. Raises Invalid."""


@dataclass(frozen=True)
class CatalogueField:
    """One key of an entry. `is_list`: it holds a list of such values.

    `refers_to`: the value must be the code of an entry in one of these lists.
    """

    name: str
    check: FieldCheck
    required: bool = False
    refers_to: tuple[str, ...] = ()
    is_list: bool = False


@dataclass(frozen=True)
class CatalogueList:
    """One list of the document. Codes are unique among all lists with the same `namespace`."""

    name: str
    namespace: str
    fields: tuple[CatalogueField, ...]


def json_type_name(value: Any) -> str:
    """The type of a JSON value, in plain words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names = {str: "text", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object")


def _text_check(value_type: ValueType[str]) -> FieldCheck:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise Invalid(f"must be text, not {json_type_name(value)}")
        return value_type.parse(value, NO_CONTEXT)

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
    if type(value) is not int or not 0 <= value <= MAX_GRACE_DAYS:
        raise Invalid(f"must be a whole number from 0 to {MAX_GRACE_DAYS}")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"must be true or false, not {json_type_name(value)}")
    return value


_LONG_TEXT = _text_check(ValueType("text", lambda text, _: text, min_length=1, max_length=1024))
_SHORT_TEXT = _text_check(ValueType("text", lambda text, _: text, min_length=1, max_length=50))
_TITLE_CODE = _text_check(TITLE_CODE)
_PRODUCT_CODE = _text_check(PRODUCT_CODE)

LISTS = (
    CatalogueList(
        "titles",
        "titles",
        (
            CatalogueField(CODE, _TITLE_CODE, required=True),
            CatalogueField("name", _LONG_TEXT, required=True),
            CatalogueField("image_url", _url),
            CatalogueField("merchant_image_url", _url),
            CatalogueField("url", _url),
            CatalogueField("rgb", _colour),
        ),
    ),
    CatalogueList(
        "products",
        "products",
        (
            CatalogueField(CODE, _PRODUCT_CODE, required=True),
            CatalogueField("name", _LONG_TEXT, required=True),
        ),
    ),
    CatalogueList(
        "packages",
        "packages and campaigns",
        (
            CatalogueField(CODE, _PRODUCT_CODE, required=True),
            CatalogueField("products", _PRODUCT_CODE, required=True, refers_to=("products",), is_list=True),
            CatalogueField("name", _LONG_TEXT),
            CatalogueField("title", _TITLE_CODE, refers_to=("titles",)),
            CatalogueField("integration_code", _SHORT_TEXT),
            CatalogueField("grace_days", _days),
            CatalogueField("cancellable", _boolean),
        ),
    ),
    CatalogueList(
        "campaigns",
        "packages and campaigns",
        (
            CatalogueField(CODE, _PRODUCT_CODE, required=True),
            CatalogueField("package", _PRODUCT_CODE, required=True, refers_to=("packages",)),
            CatalogueField("name", _LONG_TEXT),
            CatalogueField("transforms_to", _PRODUCT_CODE, refers_to=("packages", "campaigns")),
        ),
    ),
)
"""The lists of the document, in the order in which they are checked."""
