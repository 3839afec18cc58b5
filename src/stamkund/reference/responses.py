"""The responses of a call for the OpenAPI document: what answers it, and every way in which it can be refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import msgspec

from stamkund.problems import Problem
from stamkund.reference import schemas
from stamkund.reference.examples import example_response
from stamkund.reference.refusals import refusals
from stamkund.wire.about import CustomError
from stamkund.wire.endpoint import Endpoint

_REASONS = {
    200: "What was asked for.",
    201: "Made.",
    302: "Sent on, to the address in the header Location.",
    303: "Sent on, to the address in the header Location.",
    204: "Done; there is nothing to answer.",
    400: "What was sent is wrong.",
    401: "Who is asking is not known.",
    403: "The access token may not do this.",
    404: "There is no such thing.",
    409: "Somebody was there first.",
    413: "The body is too large.",
    429: "Too much in one minute.",
    500: "A fault of the server.",
    503: "Not right now.",
}
_HEADERS = {
    "WWW-Authenticate": "What an access token must have (RFC 6750, RFC 7617).",
    "Retry-After": "Seconds after which to try again.",
}


def responses(endpoint: Endpoint) -> dict[str, Any]:
    responses = {str(endpoint.success): _success(endpoint)}
    for own_status, errors in groupby(endpoint.about.custom_errors, key=lambda e: e.status):
        responses[str(own_status)] = _own_error(own_status, list(errors))
    for status, found in groupby(refusals(endpoint), key=lambda p: p.status):
        found_here = list(found)
        page = endpoint.refusal_page is not None
        responses[str(status)] = _page(status, found_here) if page else _error(status, found_here)
    return dict(sorted(responses.items()))


def _success(endpoint: Endpoint) -> dict[str, Any]:
    response = _response(endpoint.success, ())
    if endpoint.about.response is not None:
        content: dict[str, Any] = {"schema": {"$ref": schemas.REF + endpoint.about.response.__name__}}
        if example_response(endpoint):
            content["example"] = json.loads(example_response(endpoint))
        response["content"] = {endpoint.about.media: content}
    elif endpoint.success in (302, 303):
        response["headers"]["Location"] = {"description": "Where to.", "schema": {"type": "string"}}
    elif endpoint.success != 204:
        kind = "object" if endpoint.about.media == "application/json" else "string"
        response["content"] = {endpoint.about.media: {"schema": {"type": kind}}}
    return response


def _page(status: int, found: Sequence[Problem]) -> dict[str, Any]:
    """A refusal that is shown to a person."""
    response = _response(status, found)
    response["content"] = {"text/html": {"schema": {"type": "string"}}}
    return response


def _error(status: int, found: Sequence[Problem]) -> dict[str, Any]:
    response = _response(status, found)
    examples = {f"{p.code}_{number}": {"summary": p.message, "value": p.body()} for number, p in enumerate(found, 1)}
    response["content"] = {"application/json": {"schema": {"$ref": schemas.REF + "Error"}, "examples": examples}}
    return response


def _own_error(status: int, errors: Sequence[CustomError]) -> dict[str, Any]:
    response = _response(status, errors)
    examples = {str(n): {"value": msgspec.to_builtins(error.body)} for n, error in enumerate(errors, 1)}
    schema = {"$ref": schemas.REF + type(errors[0].body).__name__}
    response["content"] = {"application/json": {"schema": schema, "examples": examples}}
    return response


def _response(status: int, found: Iterable[Problem | CustomError]) -> dict[str, Any]:
    sent = {name.decode().lower(): value.decode() for one in found for name, value in one.headers}
    headers: dict[str, Any] = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    for name, description in _HEADERS.items():
        if name.lower() in sent:
            headers[name] = {
                "description": description,
                "schema": {"type": "string"},
                "example": sent[name.lower()],
            }
    return {"description": _REASONS[status], "headers": headers}
