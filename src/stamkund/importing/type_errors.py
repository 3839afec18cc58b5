"""What msgspec says about a value of another type, as column and reason, without anything that the row holds."""

from __future__ import annotations

import re

_PATH = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`\Z")
_EXPECTED = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<actual>[^`]+)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[a-z_]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
PLAIN_KEY = re.compile(r"[a-z][A-Za-z_]{0,39}")
"""What a key looks like. Anything else may be a value in the wrong place, which must not be reported."""
_TYPE_NAMES = {
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


def validation_error(message: str) -> tuple[str | None, str]:
    """Column and reason of a message of msgspec about a value of another type."""
    path = _PATH.search(message)
    column = (path["path"] if path else "") or None
    message = message[: path.start()] if path else message
    if match := _EXPECTED.fullmatch(message):
        expected = " or ".join(_type_name(name) for name in match["expected"].split(" | "))
        return column, f"must be {expected}, not {_type_name(match['actual'])}"
    if match := _MISSING.fullmatch(message):
        return _join(column, match["name"]), "must be given"
    if (match := _UNKNOWN.fullmatch(message)) and PLAIN_KEY.fullmatch(match["name"]):
        return _join(column, match["name"]), "is an unknown key"
    return column, "has an unknown key" if match else "has the wrong type"


def _type_name(name: str) -> str:
    return _TYPE_NAMES.get(name, name)


def _join(column: str | None, name: str) -> str:
    return name if column is None else f"{column}.{name}"
