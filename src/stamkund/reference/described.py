"""A declared call as its readers want it: names, tables and samples, not yet Markdown or HTML."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec

from stamkund.reference.refusals import refusals
from stamkund.rules.values import ValueType
from stamkund.wire.endpoint import Endpoint, FormField
from stamkund.wire.parameters import Parameter

HOST = "https://stamkund.example.com"
"""The host of samples."""


@dataclass(frozen=True)
class Field:
    """One row of a table of parameters."""

    name: str
    required: bool
    allowed: str
    size: str
    note: str
    example: str


@dataclass(frozen=True)
class Table:
    """The parameters of a call, or those of one way to fill in its form."""

    title: str
    note: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Failure:
    """One row of a table of errors."""

    status: int
    code: str
    field: str
    message: str


@dataclass(frozen=True)
class Described:
    """A call, described."""

    title: str
    anchor: str
    group: str
    routes: tuple[str, ...]
    access: tuple[tuple[str, str], ...]
    paragraphs: tuple[str, ...]
    tables: tuple[Table, ...]
    curl: str
    status: str
    answer: str
    failures: tuple[Failure, ...]


def described(endpoint: Endpoint) -> Described:
    return Described(
        title=endpoint.title,
        anchor=anchor(endpoint.title),
        group=endpoint.group,
        routes=tuple(f"{endpoint.method} {path}" for path in endpoint.paths),
        access=(("Scope", _scope(endpoint)), ("Identity", _identity(endpoint)), ("Source", endpoint.source)),
        paragraphs=_paragraphs(endpoint),
        tables=tuple(_tables(endpoint)),
        curl=_curl(endpoint),
        status=f"{endpoint.success} {HTTPStatus(endpoint.success).phrase}",
        answer=endpoint.example.answer.strip(),
        failures=tuple(_failures(endpoint)),
    )


def by_group(endpoints: Iterable[Endpoint]) -> dict[str, list[Described]]:
    """The calls under the names of their groups, both in the order of the declarations."""
    groups: dict[str, list[Described]] = {}
    for endpoint in endpoints:
        groups.setdefault(endpoint.group, []).append(described(endpoint))
    return groups


def anchor(title: str) -> str:
    """What a link to the call ends with, made as Markdown viewers make it."""
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
    return tuple(" ".join(part.split()) for part in text.split("\n\n"))


def _tables(endpoint: Endpoint) -> Iterable[Table]:
    if endpoint.forms:
        for form in endpoint.forms:
            heading = f"Form fields with grant_type={form.title}" if form.title else "Form fields"
            yield Table(heading, form.note, tuple(map(_form_field, form.fields)))
    elif endpoint.query_fields:
        yield Table("Query parameters", "", tuple(map(_form_field, endpoint.query_fields)))
    elif endpoint.declared.parameters:
        where = "JSON body" if endpoint.body else "Query"
        yield Table(f"{where} parameters", "", tuple(map(_field, endpoint.declared.parameters)))


def _field(parameter: Parameter[Any]) -> Field:
    kind = parameter.kind
    return Field(parameter.name, parameter.required, kind.pattern or "", _size(kind), parameter.note, kind.example)


def _form_field(one: FormField) -> Field:
    return Field(one.name, one.required, "", "", one.note, one.example)


def _size(kind: ValueType[Any]) -> str:
    """As the documents write sizes: `6..1024`, `..24`, `10`."""
    if kind.max_length is None:
        return ""
    if kind.min_length == kind.max_length:
        return str(kind.max_length)
    return f"{kind.min_length or ''}..{kind.max_length}"


def _curl(endpoint: Endpoint) -> str:
    query = f"?{endpoint.example.query}" if endpoint.example.query else ""
    parts = [f"curl --request {endpoint.method}", f"--url {shlex.quote(HOST + endpoint.paths[0] + query)}"]
    parts.append(f"--header {shlex.quote('accept: ' + endpoint.media.partition(';')[0])}")
    if not endpoint.public:
        token = "<token with identity>" if endpoint.identity else "<token>"
        parts.append(f"--header {shlex.quote('authorization: Bearer ' + token)}")
    if endpoint.body == "json":
        parts.append("--header 'content-type: application/json'")
    if endpoint.example.body:
        parts.append(f"--data {shlex.quote(endpoint.example.body)}")
    return " \\\n  ".join(parts)


def _failures(endpoint: Endpoint) -> Iterable[Failure]:
    for error in endpoint.custom_errors:
        body = msgspec.to_builtins(error.body)
        yield Failure(error.status, body["error"], "", body["error_description"])
    for problem in refusals(endpoint):
        yield Failure(problem.status, problem.code, problem.field or "", problem.message)
