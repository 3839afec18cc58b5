"""JSON Schema from the declarations: of the values of parameters, and of the structs in responses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import UnsetType

from stamkund.rules.values import ValueType
from stamkund.wire.about import FormField
from stamkund.wire.parameters import UNSET, Parameter, StructuredType
from stamkund.wire.structures import ArrayType, MapType, ObjectType

Schema = dict[str, Any]

REF = "#/components/schemas/"
_NO_CONTROL_CHARACTERS = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_RANGE = re.compile(r"([a-z])-([a-z])")


def of_type(value_type: ValueType[Any] | StructuredType[Any]) -> Schema:
    """What a type accepts, as exactly as JSON Schema can express it."""
    if isinstance(value_type, ObjectType):
        return of_parameters(value_type.members.parameters)
    if isinstance(value_type, ArrayType):
        return {"type": "array", "items": of_type(value_type.item), "maxItems": value_type.max_items}
    if isinstance(value_type, MapType):
        return {
            "type": "object",
            "propertyNames": of_type(value_type.key),
            "additionalProperties": of_type(value_type.value),
            "minProperties": 1,
            "maxProperties": value_type.max_members,
        }
    assert isinstance(value_type, ValueType), "there is no other structured type"
    return _of_value_type(value_type)


def _of_value_type(value_type: ValueType[Any]) -> Schema:
    schema: Schema = {"type": value_type.json_type}
    if value_type.json_type != "string":
        return schema
    if value_type.accepts is not None:
        schema["pattern"] = ecma(value_type.accepts)
    elif not value_type.control_characters:
        schema["pattern"] = _NO_CONTROL_CHARACTERS
    if value_type.min_length:
        schema["minLength"] = value_type.min_length
    if value_type.max_length is not None:
        # Clients are made of this document for all organisations, also those that allow the longer ones.
        schema["maxLength"] = value_type.long_length or value_type.max_length
    return schema


def _of_parameter(parameter: Parameter[Any]) -> Schema:
    schema = of_type(parameter.type)
    return {"anyOf": [schema, {"const": UNSET}]} if parameter.unset else schema


def example(value_type: ValueType[Any] | StructuredType[Any]) -> Any:
    """The example of a type, as a JSON value."""
    if isinstance(value_type, StructuredType):
        return value_type.example
    return value_type.example if value_type.json_type == "string" else json.loads(value_type.example)


def ecma(pattern: re.Pattern[str]) -> str:
    """An expression for the whole text, in the dialect of JSON Schema: anchored, and without flags."""
    text = pattern.pattern
    if pattern.flags & re.IGNORECASE:
        text = _RANGE.sub(lambda r: f"{r[0]}{r[0].upper()}", text)
    return f"^(?:{text})$"


def of_parameters(parameters: Iterable[Parameter[Any]]) -> Schema:
    """A JSON object that has these parameters and no others."""
    properties: Schema = {}
    required, alternatives = [], []
    for p in parameters:
        properties[p.name] = {**_of_parameter(p), "description": p.note, "examples": [example(p.type)]}
        if p.required:
            required.append(p.name)
        if p.required_unless is not None:
            alternatives.append({"anyOf": [{"required": [p.name]}, {"required": [p.required_unless]}]})
    return _strict(properties, required) | ({"allOf": alternatives} if alternatives else {})


def of_form(grant: str, fields: Iterable[FormField]) -> Schema:
    """One variant of a form; the one of the token endpoint has a variant for each `grant_type`."""
    properties: Schema = {"grant_type": {"type": "string", "const": grant}} if grant else {}
    required = list(properties)
    for field in fields:
        properties[field.name] = {"type": "string", "description": field.note}
        if field.example:
            properties[field.name]["examples"] = [field.example]
        if field.required:
            required.append(field.name)
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _strict(properties: Schema, required: list[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    return schema


def components(types: Iterable[type]) -> dict[str, Schema]:
    """The schemas of the structs and of those inside them, by name. A key that may be left out is not required."""
    unique = tuple(dict.fromkeys(types))
    _, schemas = msgspec.json.schema_components(unique, ref_template=REF + "{name}")
    for struct in _structs(unique):
        schema = schemas[struct.__name__]
        optional = _optional_keys(struct)
        schema["required"] = [name for name in schema["required"] if name not in optional]
    return dict(sorted(schemas.items()))


def _optional_keys(struct: type) -> set[str]:
    return {name for name, hint in get_type_hints(struct).items() if UnsetType in get_args(hint)}


def _structs(types: Iterable[Any]) -> set[type]:
    """All structs in the types, at any depth."""
    structs: set[type] = set()
    pending = list(types)
    while pending:
        hint = pending.pop()
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            if hint not in structs:
                structs.add(hint)
                pending.extend(get_type_hints(hint).values())
        else:
            pending.extend(get_args(hint))
    return structs
