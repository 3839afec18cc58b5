"""A call described for the reference: names, tables and samples, not yet Markdown or HTML."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec

from stamkund.reference.examples import example_response
from stamkund.reference.refusals import refusals
from stamkund.rules.values import ValueType
from stamkund.wire.about import FormField
from stamkund.wire.endpoint import Endpoint
from stamkund.wire.parameters import Parameter, StructuredType
from stamkund.wire.response import JSON
from stamkund.wire.structures import ArrayType, MapType, ObjectType

HOST = "https://stamkund.example.com"
"""The host of samples."""


@dataclass(frozen=True)
class ParameterRow:
    """One row of a table of parameters."""

    name: str
    required: bool
    allowed: str
    size: str
    note: str
    example: str


@dataclass(frozen=True)
class ParameterTable:
    """The parameters of a call, or those of one variant of its form."""

    title: str
    note: str
    fields: tuple[ParameterRow, ...]


@dataclass(frozen=True)
class ErrorRow:
    """One row of a table of errors."""

    status: int
    code: str
    field: str
    message: str


@dataclass(frozen=True)
class CallDescription:
    """Everything that the reference says about a call."""

    title: str
    anchor: str
    group: str
    routes: tuple[str, ...]
    access: tuple[tuple[str, str], ...]
    paragraphs: tuple[str, ...]
    tables: tuple[ParameterTable, ...]
    curl: str
    status: str
    response: str
    errors: tuple[ErrorRow, ...]


def describe(endpoint: Endpoint) -> CallDescription:
    return CallDescription(
        title=endpoint.about.title,
        anchor=anchor(endpoint.about.title),
        group=endpoint.about.group,
        routes=tuple(f"{endpoint.method} {path}" for path in endpoint.paths),
        access=(("Scope", _scope(endpoint)), ("Identity", _identity(endpoint)), ("Source", endpoint.about.source)),
        paragraphs=_paragraphs(endpoint),
        tables=tuple(_tables(endpoint)),
        curl=_curl(endpoint),
        status=f"{endpoint.success} {HTTPStatus(endpoint.success).phrase}",
        response=example_response(endpoint),
        errors=tuple(_errors(endpoint)),
    )


def by_group(endpoints: Iterable[Endpoint]) -> dict[str, list[CallDescription]]:
    """The calls by the name of their group, both in the order of the declarations."""
    groups: dict[str, list[CallDescription]] = {}
    for endpoint in endpoints:
        groups.setdefault(endpoint.about.group, []).append(describe(endpoint))
    return groups


def anchor(title: str) -> str:
    """The fragment of a link to the call, as Markdown viewers derive it from the heading."""
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def _scope(endpoint: Endpoint) -> str:
    if endpoint.public:
        return "none: the call is public"
    return f"`{endpoint.scope}`" if endpoint.scope else "any"


def _identity(endpoint: Endpoint) -> str:
    return "yes" if endpoint.identity else "no"


def _paragraphs(endpoint: Endpoint) -> tuple[str, ...]:
    rule = endpoint.check.__doc__ if endpoint.check is not None else None
    text = "\n\n".join(part for part in (endpoint.description, rule) if part)
    others = "; ".join(f"{other.status}: {other.note}" for other in endpoint.about.other_responses)
    if others:
        text += f"\n\nOther responses: {others.replace('.;', ';')}"
    return tuple(" ".join(part.split()) for part in text.split("\n\n"))


def _tables(endpoint: Endpoint) -> Iterable[ParameterTable]:
    if endpoint.about.forms:
        for form in endpoint.about.forms:
            heading = f"Form fields with grant_type={form.title}" if form.title else "Form fields"
            yield ParameterTable(heading, form.note, tuple(map(_form_field, form.fields)))
    elif endpoint.about.query_fields:
        yield ParameterTable("Query parameters", "", tuple(map(_form_field, endpoint.about.query_fields)))
    elif endpoint.parameter_set.parameters:
        location = "JSON body" if endpoint.body else "Query"
        rows = [row for parameter in endpoint.parameter_set.parameters for row in _rows(parameter)]
        yield ParameterTable(f"{location} parameters", "", tuple(rows))


def _rows(parameter: Parameter[Any], prefix: str = "") -> Iterator[ParameterRow]:
    """The row of a parameter, then those of what it holds, by their paths; `*` stands for any place or key."""
    name, value_type = f"{prefix}{parameter.name}", parameter.type
    if isinstance(value_type, ValueType):
        allowed, size, example = value_type.pattern or "", _size(value_type), value_type.example
    else:
        allowed, size, example = _structure(value_type), _count(value_type), json.dumps(value_type.example)
    note = f"{parameter.note} `__UNSET__` empties it." if parameter.unset else parameter.note
    yield ParameterRow(name, parameter.required, allowed, size, note, example)
    if isinstance(value_type, ArrayType) and isinstance(value_type.item, ObjectType):
        prefix, value_type = f"{name}.*.", value_type.item
    else:
        prefix = f"{name}."
    if isinstance(value_type, ObjectType):
        for member in value_type.members.parameters:
            yield from _rows(member, prefix)


def _structure(value_type: StructuredType[Any]) -> str:
    """What an array or object holds, in words."""
    if isinstance(value_type, ArrayType):
        item = value_type.item
        if isinstance(item, ValueType):
            return f"array of strings of {_size(item)}" if _size(item) else "array of strings"
        return "array of objects"
    if isinstance(value_type, MapType):
        return f"object, keys {_size(value_type.key)}, values {_size(value_type.value)}"
    return "object"


def _count(value_type: StructuredType[Any]) -> str:
    """How many items or members there may be."""
    if isinstance(value_type, ArrayType):
        return f"..{value_type.max_items}"
    return f"1..{value_type.max_members}" if isinstance(value_type, MapType) else ""


def _form_field(field: FormField) -> ParameterRow:
    return ParameterRow(field.name, field.required, "", "", field.note, field.example)


def _size(value: ValueType[Any]) -> str:
    """In the notation of the documents: `6..1024`, `..24`, `10`."""
    if value.max_length is None:
        return ""
    if value.min_length == value.max_length:
        return str(value.max_length)
    return f"{value.min_length or ''}..{value.max_length}"


def _curl(endpoint: Endpoint) -> str:
    query = f"?{endpoint.about.example.query}" if endpoint.about.example.query else ""
    parts = [f"curl --request {endpoint.method}", f"--url {shlex.quote(HOST + endpoint.paths[0] + query)}"]
    parts.append(f"--header {shlex.quote('accept: ' + (endpoint.about.media or JSON).partition(';')[0])}")
    if not endpoint.public:
        token = "<token with identity>" if endpoint.identity else "<token>"
        parts.append(f"--header {shlex.quote('authorization: Bearer ' + token)}")
    if endpoint.body == "json":
        parts.append("--header 'content-type: application/json'")
    if endpoint.about.example.body:
        parts.append(f"--data {shlex.quote(endpoint.about.example.body)}")
    return " \\\n  ".join(parts)


def _errors(endpoint: Endpoint) -> Iterable[ErrorRow]:
    for error in endpoint.about.custom_errors:
        body = msgspec.to_builtins(error.body)
        yield ErrorRow(error.status, body["error"], "", body["error_description"])
    for problem in refusals(endpoint):
        yield ErrorRow(problem.status, problem.code, problem.field or "", problem.message)
