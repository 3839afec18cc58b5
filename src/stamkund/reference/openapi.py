"""The OpenAPI 3.1 document, generated from the declarations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from stamkund import __version__
from stamkund.reference import schemas
from stamkund.reference.conventions import CONVENTIONS
from stamkund.reference.refusals import REQUEST_ID
from stamkund.reference.responses import responses
from stamkund.wire.endpoint import Endpoint

TOKEN_PATH = "/api/authorization/access_token"  # noqa: S105


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole document, ready to be encoded as JSON."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Stamkund",
            "version": __version__,
            "summary": "Subscriber accounts behind the Payway external API.",
            "description": _conventions(),
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": group} for group in dict.fromkeys(e.about.group for e in endpoints)],
        "paths": _paths(endpoints),
        "components": _components(endpoints),
    }


def _conventions() -> str:
    return "\n\n".join(f"## {title}\n\n" + "\n\n".join(paragraphs) for title, paragraphs in CONVENTIONS)


def _paths(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        for number, path in enumerate(endpoint.paths, 1):
            paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, number)
    return paths


def _operation(endpoint: Endpoint, number: int) -> dict[str, Any]:
    """One call under one of its paths; `number` counts the paths, because operation ids must be unique."""
    name = endpoint.handler.__name__
    operation: dict[str, Any] = {
        "tags": [endpoint.about.group],
        "summary": endpoint.about.title,
        "description": _description(endpoint),
        "operationId": name if number == 1 else f"{name}_{number}",
        "security": _security(endpoint),
        "parameters": _parameters(endpoint),
    }
    if endpoint.body is not None:
        operation["requestBody"] = _json_body(endpoint) if endpoint.body == "json" else _form_body(endpoint)
    operation["responses"] = responses(endpoint)
    return operation


def _description(endpoint: Endpoint) -> str:
    parts = [endpoint.description]
    if endpoint.check is not None and endpoint.check.__doc__:
        parts.append(endpoint.check.__doc__)
    if endpoint.identity:
        parts.append("The access token must have an identity.")
    parts.append(f"Source: {endpoint.about.source}.")
    return "\n\n".join(parts)


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    if endpoint.body == "form" and endpoint.public and endpoint.refusal_page is None:
        return [{}, {"client": []}]  # credentials in the form, or as HTTP Basic
    if endpoint.public:
        return []
    scopes = [] if endpoint.scope is None else [endpoint.scope]
    return [{"oauth2": scopes}, {"bearer": scopes}]


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    query = () if endpoint.body else endpoint.parameter_set.parameters
    parameters: list[dict[str, Any]] = [
        {
            "name": p.name,
            "in": "query",
            "required": p.required,
            "description": p.note,
            "schema": schemas.of_type(p.type),
            "example": schemas.example(p.type),
        }
        for p in query
    ]
    parameters += [
        {
            "name": f.name,
            "in": "query",
            "required": f.required,
            "description": f.note,
            "schema": {"type": "string"},
            **({"example": f.example} if f.example else {}),
        }
        for f in endpoint.about.query_fields
    ]
    return [*parameters, {"$ref": "#/components/parameters/RequestId"}]


def _json_body(endpoint: Endpoint) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": schemas.of_parameters(endpoint.parameter_set.parameters)}
    if endpoint.about.example.body:
        content["example"] = json.loads(endpoint.about.example.body)
    return {"required": True, "content": {"application/json": content}}


def _form_body(endpoint: Endpoint) -> dict[str, Any]:
    forms = [
        {"title": f.title, "description": f.note, **schemas.of_form(f.title, f.fields)} for f in endpoint.about.forms
    ]
    schema = {"oneOf": forms} if forms else {"type": "object"}
    return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}


def _components(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    bodies = [e.about.response for e in endpoints if e.about.response is not None]
    custom_errors = [type(error.body) for e in endpoints for error in e.about.custom_errors]
    return {
        "schemas": {**schemas.components([*bodies, *custom_errors]), "Error": _ERROR},
        "headers": {"RequestId": {"description": "The request id of the caller, or a new one.", **_REQUEST_ID}},
        "parameters": {
            "RequestId": {
                "name": "X-Request-Id",
                "in": "header",
                "required": False,
                "description": "An id for this request, for the response and the server's log.",
                **_REQUEST_ID,
            }
        },
        "securitySchemes": _security_schemes(endpoints),
    }


_REQUEST_ID = {
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._~:+/=-]{1,128}$"},
    "example": REQUEST_ID,
}
_ERROR = {
    "title": "Error",
    "description": "Why a call was refused. `field` is present only where the error is about one parameter.",
    "type": "object",
    "properties": {"code": {"type": "string"}, "field": {"type": "string"}, "message": {"type": "string"}},
    "required": ["code", "message"],
}


def _security_schemes(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    calls: dict[str, list[str]] = {}
    for endpoint in endpoints:
        if endpoint.scope is not None:
            calls.setdefault(endpoint.scope, []).append(endpoint.about.title)
    descriptions = {scope: "Needed by: " + ", ".join(titles) for scope, titles in sorted(calls.items())}
    flow = {"tokenUrl": TOKEN_PATH, "scopes": descriptions}
    return {
        "oauth2": {
            "type": "oauth2",
            "description": "Calls that need an identity need a token of the password flow.",
            "flows": {"clientCredentials": flow, "password": {**flow, "refreshUrl": TOKEN_PATH}},
        },
        "bearer": {"type": "http", "scheme": "bearer", "description": "A token that the client already has."},
        "client": {"type": "http", "scheme": "basic", "description": "Id and secret of the client."},
    }
