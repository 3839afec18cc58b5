"""As much of JSON Schema as our document uses: enough to hold its examples against its schemas."""

from __future__ import annotations

import re
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
KEYWORDS = {
    *("type", "const", "pattern", "minLength", "maxLength", "properties", "required", "additionalProperties"),
    *("items", "maxItems", "propertyNames", "minProperties", "maxProperties"),
    *("allOf", "anyOf", "oneOf", "$ref", "title", "description", "examples"),
}


def resolved(document: dict[str, Any], reference: str) -> Any:
    """What `#/…` points to. Raises KeyError."""
    schema_part: Any = document
    for part in reference.removeprefix("#/").split("/"):
        schema_part = schema_part[part]
    return schema_part


def valid(document: dict[str, Any], schema: dict[str, Any], value: Any) -> bool:
    """Whether the value is as the schema says. An unknown keyword is a fault of the test."""
    assert set(schema) <= KEYWORDS, f"teach the tests {set(schema) - KEYWORDS}"
    if "$ref" in schema:
        return valid(document, resolved(document, schema["$ref"]), value)
    return (
        _is(schema.get("type"), value)
        and value == schema.get("const", value)
        and _fits(schema, value)
        and _holds(document, schema, value)
        and _chosen(document, schema, value)
    )


def _is(name: str | None, value: Any) -> bool:
    return name is None or (isinstance(value, _TYPES[name]) and (name != "integer" or not isinstance(value, bool)))


def _fits(schema: dict[str, Any], value: Any) -> bool:
    if not isinstance(value, str):
        return True
    sized = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    return sized and re.search(_python(schema.get("pattern", "")), value, re.ASCII) is not None


def _python(pattern: str) -> str:
    """ECMAScript's `$` is the very end, Python's also stands before a last line break."""
    return re.sub(r"\$$", lambda _: r"\Z", pattern)


def _holds(document: dict[str, Any], schema: dict[str, Any], value: Any) -> bool:
    if isinstance(value, list):
        items = schema.get("items", {})
        return len(value) <= schema.get("maxItems", len(value)) and all(valid(document, items, one) for one in value)
    if not isinstance(value, dict):
        return True
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", {})
    additional = {name: one for name, one in value.items() if name not in properties}
    return (
        set(schema.get("required", ())) <= set(value)
        and schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value))
        and all(valid(document, schema.get("propertyNames", {}), name) for name in value)
        and not (others is False and additional)
        and all(valid(document, others or {}, one) for one in additional.values() if others is not True)
        and all(valid(document, properties[name], one) for name, one in value.items() if name in properties)
    )


def _chosen(document: dict[str, Any], schema: dict[str, Any], value: Any) -> bool:
    one_of = [valid(document, s, value) for s in schema.get("oneOf", ())]
    any_of = [valid(document, s, value) for s in schema.get("anyOf", ())]
    if not all(valid(document, s, value) for s in schema.get("allOf", ())):
        return False
    return (not one_of or sum(one_of) == 1) and (not any_of or any(any_of))
