"""The responses of a call for the OpenAPI document: its success, and every way in which it can be refused."""

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
from stamkund.wire.about import CustomError, OtherResponse
from stamkund.wire.endpoint import Endpoint
from stamkund.wire.response import NO_BODY

_DESCRIPTIONS = {
    200: "The requested data.",
    201: "Created or changed.",
    302: "Redirect to the address in the header Location.",
    303: "Redirect to the address in the header Location.",
    204: "Done; the response has no body.",
    400: "The request is not valid.",
    401: "The access token, or the client's credentials, are missing or not valid.",
    403: "The access token does not allow this.",
    404: "Not found.",
    409: "Another account or customer has it already.",
    413: "The body is too large.",
    415: "The body is encoded (`Content-Encoding`).",
    429: "Too many requests in one minute.",
    500: "An error in the server.",
    503: "Temporarily not available.",
}
_REDIRECTS = (302, 303)
_LOCATION = {"description": "The address.", "schema": {"type": "string"}}
_HEADERS = {
    "WWW-Authenticate": "How to authenticate (RFC 6750, RFC 7617).",
    "Retry-After": "Seconds to wait before trying again.",
}


def responses(endpoint: Endpoint) -> dict[str, Any]:
    responses = {str(endpoint.success): _success(endpoint)}
    for status, errors in groupby(endpoint.about.custom_errors, key=lambda e: e.status):
        responses[str(status)] = _custom_error(status, list(errors))
    for other in endpoint.about.other_responses:
        responses[str(other.status)] = _other(endpoint, other)
    refusal = _error if endpoint.refusal_page is None else _error_page
    for status, problems in groupby(refusals(endpoint), key=lambda p: p.status):
        responses[str(status)] = refusal(status, list(problems))
    return dict(sorted(responses.items()))


def _success(endpoint: Endpoint) -> dict[str, Any]:
    response = _response(endpoint.success, ())
    if endpoint.about.response is not None:
        content: dict[str, Any] = {"schema": {"$ref": schemas.REF + endpoint.about.response.__name__}}
        if example_response(endpoint):
            content["example"] = json.loads(example_response(endpoint))
        response["content"] = {endpoint.about.media: content}
    elif endpoint.success in _REDIRECTS:
        response["headers"]["Location"] = _LOCATION
    elif endpoint.success != 204 and endpoint.about.media != NO_BODY:
        json_type = "object" if endpoint.about.media == "application/json" else "string"
        response["content"] = {endpoint.about.media: {"schema": {"type": json_type}}}
    return response


def _other(endpoint: Endpoint, other: OtherResponse) -> dict[str, Any]:
    response = {**_response(other.status, ()), "description": other.note}
    if other.status in _REDIRECTS:
        response["headers"]["Location"] = _LOCATION
    else:
        response["content"] = {endpoint.about.media: {"schema": {"type": "string"}}}
    return response


def _error_page(status: int, problems: Sequence[Problem]) -> dict[str, Any]:
    """A refusal as a page, for a person."""
    response = _response(status, problems)
    response["content"] = {"text/html": {"schema": {"type": "string"}}}
    return response


def _error(status: int, problems: Sequence[Problem]) -> dict[str, Any]:
    response = _response(status, problems)
    examples = {f"{p.code}_{number}": {"summary": p.message, "value": p.body()} for number, p in enumerate(problems, 1)}
    response["content"] = {"application/json": {"schema": {"$ref": schemas.REF + "Error"}, "examples": examples}}
    return response


def _custom_error(status: int, errors: Sequence[CustomError]) -> dict[str, Any]:
    response = _response(status, errors)
    examples = {str(n): {"value": msgspec.to_builtins(error.body)} for n, error in enumerate(errors, 1)}
    schema = {"$ref": schemas.REF + type(errors[0].body).__name__}
    response["content"] = {"application/json": {"schema": schema, "examples": examples}}
    return response


def _response(status: int, errors: Iterable[Problem | CustomError]) -> dict[str, Any]:
    examples = {name.decode().lower(): value.decode() for error in errors for name, value in error.headers}
    headers: dict[str, Any] = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    for name, description in _HEADERS.items():
        if name.lower() in examples:
            headers[name] = {
                "description": description,
                "schema": {"type": "string"},
                "example": examples[name.lower()],
            }
    return {"description": _DESCRIPTIONS[status], "headers": headers}
