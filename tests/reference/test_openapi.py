"""The OpenAPI document: whole, valid, and true to the declarations and to what the parameters accept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import pytest

from stamkund import problems
from stamkund.endpoints import declared_endpoints
from stamkund.endpoints.accounts.get_candidate import get_candidate
from stamkund.endpoints.oauth.access_token import FORMS
from stamkund.endpoints.oauth.grants import GRANTS
from stamkund.reference import schemas
from stamkund.reference.examples import example_response
from stamkund.reference.openapi import document
from stamkund.reference.refusals import refusals
from stamkund.rules import account_values, values
from stamkund.rules.values import Context, Invalid, ValueType
from stamkund.wire import parameters
from stamkund.wire.endpoint import Endpoint
from stamkund.wire.form import parse_form
from tests.reference.json_schema import resolved, valid
from tests.reference.serving import get

DOCUMENT: dict[str, Any] = json.loads(json.dumps(document(declared_endpoints())))
TODAY = Context(date(2026, 1, 1))
KINDS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": kind
    for module in (values, account_values)
    for name, kind in vars(module).items()
    if isinstance(kind, ValueType)
}
EVERY = pytest.mark.parametrize("endpoint", declared_endpoints(), ids=lambda e: e.about.title)
METHODS = {"get", "put", "post", "delete", "patch"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def operation_of(endpoint: Endpoint) -> dict[str, Any]:
    described: dict[str, Any] = DOCUMENT["paths"][endpoint.paths[0]][endpoint.method.lower()]
    return described


def nested(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in the document."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from nested(one)
    elif isinstance(value, list):
        for one in value:
            yield from nested(one)


async def test_the_document_is_public() -> None:
    for path in ("/openapi.json", "/openapi.json/"):
        response = await get(path)
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert response.json() == DOCUMENT


async def test_unknown_parameter_is_refused() -> None:
    response = await get("/openapi.json?format=yaml")
    assert (response.status_code, response.json()["code"]) == (400, "unknown_parameter")


def test_document_has_the_parts_of_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert set(DOCUMENT) == {"openapi", "info", "servers", "tags", "paths", "components"}
    assert {"title", "version"} <= set(DOCUMENT["info"])
    assert all(path.startswith("/") for path in DOCUMENT["paths"])
    assert {method for _, method, _ in operations()} <= METHODS
    assert set(DOCUMENT["components"]) == {"schemas", "headers", "parameters", "securitySchemes"}
    for names in DOCUMENT["components"].values():
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in names)


def test_every_operation_is_whole() -> None:
    tags = [tag["name"] for tag in DOCUMENT["tags"]]
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))
    for path, _, operation in operations():
        assert operation["summary"] and operation["description"], path
        assert set(operation["tags"]) <= set(tags)
        assert any(status.startswith(("2", "3")) for status in operation["responses"])
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d", status)
            assert response["description"]
            assert "X-Request-Id" in response["headers"]


def test_every_declared_path_is_described() -> None:
    declared = {(path, e.method.lower()) for e in declared_endpoints() for path in e.paths}
    assert {(path, method) for path, method, _ in operations()} == declared


def test_every_reference_resolves() -> None:
    references = [one["$ref"] for one in nested(DOCUMENT) if "$ref" in one]
    assert references
    for reference in references:
        assert resolved(DOCUMENT, reference)


def test_every_pattern_is_one_of_ecma_script() -> None:
    patterns = {one["pattern"] for one in nested(DOCUMENT) if isinstance(one.get("pattern"), str)}
    assert len(patterns) > 5
    for pattern in patterns:
        assert re.compile(pattern)
        assert pattern.startswith("^") and pattern.endswith("$")
        assert not re.search(r"\\[AzZ]|\(\?[imsx]", pattern), f"{pattern} is Ruby or Python"


TEXTS = [
    *("585a4768edce2c5e6f000001", "585A4768EDCE2C5E6F000001", "585a4768edce2c5e6f00000", "ove@example.com"),
    *("Ove@Mail.Example-2.com", "ove@example", "ove@localhost.", "å@example.com", "620817-9256", "6208179256", ""),
    *("0701234567", "+46701234567", "12345", "a_-9", "a b", "43921", "1962-08-17", "1962-8-17", "line\nbreak", "Ove"),
    *("Df7Vdd8!!vnM", "å" * 51, "x" * 1025, "43921\n"),
    *("true", "false", "True", "1", "PACKAGE+PLUS", "A" * 15, "A" * 16),
]


@pytest.mark.parametrize("name", KINDS)
def test_schema_of_a_kind_accepts_what_the_kind_accepts(name: str) -> None:
    """What is cut off around a value is no part of it, nor of the schema."""
    kind = KINDS[name]
    texts = (*TEXTS, kind.example)
    for text in texts if kind.cleaned is None else map(kind.cleaned, texts):
        assert valid(DOCUMENT, schemas.of_type(kind), in_json(kind, text)) == accepts(kind, text), repr(text)


def in_json(kind: ValueType[Any], text: str) -> Any:
    """What a query's text is in JSON: `true` means true where a boolean is wanted."""
    booleans = {"true": True, "1": True, "false": False, "0": False}
    return booleans.get(text.lower(), text) if kind.json_type == "boolean" else text


def accepts(kind: ValueType[Any], text: str) -> bool:
    try:
        kind.parse(text, TODAY)
    except Invalid:
        return False
    return True


@pytest.mark.parametrize("name", KINDS)
def test_example_of_a_kind_is_one(name: str) -> None:
    assert accepts(KINDS[name], KINDS[name].example)


@EVERY
def test_parameters_are_those_declared(endpoint: Endpoint) -> None:
    operation = operation_of(endpoint)
    if endpoint.body == "form":
        return
    if endpoint.body == "json":
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert schema["additionalProperties"] is False
        described = [(name, name in schema.get("required", ())) for name in schema["properties"]]
    else:
        described = [(p["name"], p["required"]) for p in operation["parameters"] if p.get("in") == "query"]
    declared = [(parameter.name, parameter.required) for parameter in endpoint.parameter_set.parameters]
    assert described == declared + [(field.name, field.required) for field in endpoint.about.query_fields]


@EVERY
def test_example_request_is_one_that_the_call_accepts(endpoint: Endpoint) -> None:
    example = endpoint.about.example
    if endpoint.body == "form":
        content = operation_of(endpoint)["requestBody"]["content"]["application/x-www-form-urlencoded"]
        assert valid(DOCUMENT, content["schema"], parse_form(example.body.encode()))
        return
    if endpoint.free_query:
        return
    if endpoint.body == "json":
        sent = parameters.parse_json_object(example.body.encode())
        content = operation_of(endpoint)["requestBody"]["content"]["application/json"]
        assert valid(DOCUMENT, content["schema"], content["example"])
    else:
        sent = parameters.parse_query(example.query.encode())
    parsed = endpoint.parameter_set.parse(sent, TODAY)
    if endpoint.check is not None:
        endpoint.check(parsed)


@EVERY
def test_example_response_is_the_struct_key_by_key(endpoint: Endpoint) -> None:
    if endpoint.about.response is None:
        return
    example = json.loads(example_response(endpoint))
    decoded: Any = msgspec.json.decode(example_response(endpoint), type=endpoint.about.response)
    again = json.loads(msgspec.json.encode(decoded))
    assert json.dumps(again) == json.dumps(example), "the same keys in the same order"
    content = operation_of(endpoint)["responses"][str(endpoint.success)]["content"][endpoint.about.media]
    assert content["example"] == example
    assert valid(DOCUMENT, content["schema"], example)


@EVERY
def test_example_response_has_only_invented_people(endpoint: Endpoint) -> None:
    addresses = re.findall(r"@([\w.-]+)", example_response(endpoint) + endpoint.about.example.body)
    assert set(addresses) <= {"example.com"}


@EVERY
def test_every_refusal_has_an_example_under_its_status(endpoint: Endpoint) -> None:
    assert {p.status for p in refusals(endpoint)} >= {p.status for p in endpoint.refusals}
    for problem in refusals(endpoint):
        content = operation_of(endpoint)["responses"][str(problem.status)]["content"]
        if endpoint.refusal_page is not None:
            assert list(content) == ["text/html"], "it is shown to a person"
            continue
        content = content["application/json"]
        assert problem.body() in [example["value"] for example in content["examples"].values()]


@EVERY
def test_own_errors_have_examples(endpoint: Endpoint) -> None:
    for error in endpoint.about.custom_errors:
        content = operation_of(endpoint)["responses"][str(error.status)]["content"]["application/json"]
        assert msgspec.to_builtins(error.body) in [example["value"] for example in content["examples"].values()]


def test_every_error_example_is_as_its_schema_says() -> None:
    for _, _, operation in operations():
        for response in operation["responses"].values():
            content = response.get("content", {}).get("application/json", {})
            for example in content.get("examples", {}).values():
                assert valid(DOCUMENT, content["schema"], example["value"])


@EVERY
def test_statuses_follow_from_what_the_call_takes(endpoint: Endpoint) -> None:
    statuses = set(operation_of(endpoint)["responses"])
    assert "500" in statuses and ("400" in statuses or endpoint.body == "form")
    assert ("413" in statuses) == (endpoint.body is not None)
    others = {str(other.status) for other in endpoint.about.other_responses}
    assert others <= statuses
    assert ("403" in statuses) == (endpoint.scope is not None or endpoint.identity or "403" in others)
    if not endpoint.public:
        assert {"401", "503"} <= statuses


def test_headers_that_go_with_errors_are_described() -> None:
    responses = DOCUMENT["paths"]["/external/api/v1/me"]["get"]["responses"]
    assert "WWW-Authenticate" in responses["401"]["headers"]
    assert "WWW-Authenticate" in responses["403"]["headers"]
    assert responses["503"]["headers"]["Retry-After"]["example"] == "2"
    codes = [e["value"]["code"] for e in responses["403"]["content"]["application/json"]["examples"].values()]
    assert codes == ["insufficient_scope", "identity_required"]


def test_first_error_of_candidate_is_the_documented_sample() -> None:
    problem = problems.invalid("social_security_number", "Parameter must match format (/^[0-9]{6}-[0-9]{4}$/)")
    assert problem in refusals(get_candidate)


@EVERY
def test_security_is_that_of_the_declaration(endpoint: Endpoint) -> None:
    security = operation_of(endpoint)["security"]
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert {name for one in security for name in one} <= set(schemes)
    if endpoint.body == "form" and endpoint.public and endpoint.refusal_page is None:
        assert security == [{}, {"client": []}]
    elif endpoint.public:
        assert security == []
    else:
        assert security == [{"oauth2": [endpoint.scope]}, {"bearer": [endpoint.scope]}]
        for flow in schemes["oauth2"]["flows"].values():
            assert endpoint.scope in flow["scopes"]
            assert flow["tokenUrl"] in DOCUMENT["paths"]


def test_keys_that_may_be_left_out_are_not_required() -> None:
    schema = DOCUMENT["components"]["schemas"]
    assert "gender" not in schema["AccountItem"]["required"]
    assert "gender" not in schema["MyItem"]["required"]
    assert "external_start_date" not in schema["AccountProduct"]["required"]
    assert schema["TokenResponse"]["required"] == ["access_token", "token_type", "expires_in", "scope"]
    assert "age" in schema["MyItem"]["required"], "null is a value"


UPDATE = DOCUMENT["paths"]["/external/api/v2/accounts"]["put"]["requestBody"]["content"]["application/json"]["schema"]
CREATE = DOCUMENT["paths"]["/external/api/v2/accounts"]["post"]["requestBody"]["content"]["application/json"]["schema"]
ADDRESS = {"first_name": "Kalle", "last_name": "Anka"}
ADDRESS |= {"street": "x", "zip_code": "1", "city": "y", "country_code": "SE"}


@pytest.mark.parametrize(
    ("schema", "sent", "accepted"),
    [
        (UPDATE, {"tags": ["a"]}, True),
        (UPDATE, {"tags": ["a"] * 51}, False),
        (UPDATE, {"tags": ["a", ""]}, False),
        (UPDATE, {"tags": "a"}, False),
        (UPDATE, {"tags": "__UNSET__", "mobile_phone_number": "__UNSET__"}, True),
        (UPDATE, {"first_name": 1}, False),
        (UPDATE, {"address": ADDRESS}, True),
        (UPDATE, {"address": {**ADDRESS, "city": 1}}, False),
        (UPDATE, {"address": {**ADDRESS, "planet": "x"}}, False),
        (UPDATE, {"address": {name: value for name, value in ADDRESS.items() if name != "last_name"}}, False),
        (UPDATE, {"address": {**dict(list(ADDRESS.items())[2:]), "company_name": "Herald"}}, True),
        (CREATE, {"external_ids": {"crm": "1"}}, True),
        (CREATE, {"external_ids": {}}, False),
        (CREATE, {"external_ids": {str(n): "1" for n in range(21)}}, False),
        (CREATE, {"external_ids": {"": "1"}}, False),
        (CREATE, {"external_ids": {"crm": 1}}, False),
        (CREATE, {"tags": "__UNSET__"}, False),
    ],
)
def test_schemas_of_objects_and_arrays(schema: dict[str, Any], sent: dict[str, Any], accepted: bool) -> None:
    """They say of structure what the call itself says."""
    of_create = {"email": "a@example.com", "password": "123456"}
    required = {"id": "585a4768edce2c5e6f000001"} if schema is UPDATE else of_create
    assert valid(DOCUMENT, schema, {**required, **sent}) == accepted


def test_there_is_a_form_for_each_grant() -> None:
    assert [form.title for form in FORMS] == list(GRANTS)
