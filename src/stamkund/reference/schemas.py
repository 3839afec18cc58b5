"""JSON Schema out of the declarations: of what a parameter may hold, and of what a struct answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import UnsetType

from stamkund.rules.values import ValueType
from stamkund.wire.endpoint import FormField
from stamkund.wire.parameters import Parameter

Schema = dict[str, Any]

REF = "#/components/schemas/"
_NO_CONTROL_CHARACTERS = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_RANGE = re.compile(r"([a-z])-([a-z])")


def of_kind(kind: ValueType[Any]) -> Schema:
    """What a kind of value accepts, as exactly as JSON Schema can say it."""
    schema: Schema = {"type": kind.json_type}
    if kind.json_type != "string":
        return schema
    if kind.accepts is not None:
        schema["pattern"] = ecma(kind.accepts)
    elif not kind.control_characters:
        schema["pattern"] = _NO_CONTROL_CHARACTERS
    if kind.min_length:
        schema["minLength"] = kind.min_length
    if kind.max_length is not None:
        schema["maxLength"] = kind.max_length
    return schema


def example(kind: ValueType[Any]) -> Any:
    """The example of a kind as JSON has it."""
    return kind.example if kind.json_type == "string" else json.loads(kind.example)


def ecma(pattern: re.Pattern[str]) -> str:
    """The expression that a whole text must match, in the dialect of JSON Schema: anchored, and without flags."""
    text = pattern.pattern
    if pattern.flags & re.IGNORECASE:
        text = _RANGE.sub(lambda r: f"{r[0]}{r[0].upper()}", text)
    return f"^(?:{text})$"


def of_parameters(parameters: Iterable[Parameter[Any]]) -> Schema:
    """The JSON object that holds the parameters and nothing else."""
    known = tuple(parameters)
    properties = {p.name: {**of_kind(p.kind), "description": p.note, "examples": [example(p.kind)]} for p in known}
    return _strict(properties, [p.name for p in known if p.required])


def of_form(grant: str, fields: Iterable[FormField]) -> Schema:
    """One way to fill in a form; in the token endpoint's `grant_type` says which."""
    known = tuple(fields)
    properties: Schema = {"grant_type": {"type": "string", "const": grant}} if grant else {}
    required = list(properties)
    for one in known:
        properties[one.name] = {"type": "string", "description": one.note}
        if one.example:
            properties[one.name]["examples"] = [one.example]
    required += [one.name for one in known if one.required]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _strict(properties: Schema, required: list[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    return schema


def components(types: Iterable[type]) -> dict[str, Schema]:
    """A schema for each struct and those inside it, by name. A key that may be left out is not required."""
    wanted = tuple(dict.fromkeys(types))
    _, schemas = msgspec.json.schema_components(wanted, ref_template=REF + "{name}")
    for struct in _structs(wanted):
        schema = schemas[struct.__name__]
        left_out = _left_out(struct)
        schema["required"] = [name for name in schema["required"] if name not in left_out]
    return dict(sorted(schemas.items()))


def _left_out(struct: type) -> set[str]:
    return {name for name, hint in get_type_hints(struct).items() if UnsetType in get_args(hint)}


def _structs(types: Iterable[Any]) -> set[type]:
    """All structs that the types hold, however deep."""
    found: set[type] = set()
    waiting = list(types)
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            if one not in found:
                found.add(one)
                waiting.extend(get_type_hints(one).values())
        else:
            waiting.extend(get_args(one))
    return found
