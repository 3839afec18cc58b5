"""Guards over every declared route: tokens are required, checks come in the contract's order, errors have one body.

A call that is added to `stamkund.declared_endpoints()` is tested by all of this without a line here.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stamkund.endpoints import declared_endpoints
from stamkund.wire.dispatch import MAX_BODY_BYTES
from stamkund.wire.endpoint import Endpoint
from tests.guards.routes import described
from tests.support.calls import (
    PRIVATE,
    REQUEST_ID,
    WITH_IDENTITY,
    WITH_JSON,
    WITH_QUERY,
    Callers,
    assert_refused,
    callers_of,
    error_body,
    example_body,
    label,
    send,
    send_json,
)
from tests.support.service import Publisher, RunningService

SECURITY_HEADERS = (
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-resource-policy",
    "content-security-policy",
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

every_route = pytest.mark.parametrize("endpoint", declared_endpoints(), ids=label)
every_private_route = pytest.mark.parametrize("endpoint", PRIVATE, ids=label)
every_identity_route = pytest.mark.parametrize("endpoint", WITH_IDENTITY, ids=label)
every_json_route = pytest.mark.parametrize("endpoint", WITH_JSON, ids=label)
every_query_route = pytest.mark.parametrize("endpoint", WITH_QUERY, ids=label)


@pytest.fixture(scope="module")
async def callers(service: RunningService) -> Callers:
    """One publisher for the whole file, for tests that change nothing of it."""
    return await callers_of(await service.publisher())


@pytest.fixture
async def own_callers(publisher: Publisher) -> Callers:
    return await callers_of(publisher)


# What there is ---------------------------------------------------------------------------------------------


def test_the_routes_are_those_of_the_snapshot() -> None:
    """Who changes what a call needs, or refuses, changes the snapshot: `python -m tests.guards.routes`."""
    assert described() == Path(__file__).with_name("routes.txt").read_text()


def test_the_guards_have_parameters_to_try() -> None:
    """Guards below loop over the parameters of one call, which may have none; not all of them may."""
    assert [e for e in WITH_QUERY if e.parameter_set.parameters]
    assert [e for e in WITH_QUERY if not e.public and e.parameter_set.parameters]
    assert [e for e in WITH_JSON if any(p.required for p in e.parameter_set.parameters)]


def test_no_route_is_open_by_accident() -> None:
    assert [e.paths for e in declared_endpoints() if not e.public and e.scope is None] == []


def test_a_handler_raises_only_refusals_that_its_file_declares() -> None:
    raised_anywhere = set()
    for module in {inspect.getmodule(e.handler) for e in declared_endpoints()}:
        assert module is not None
        tree = ast.parse(inspect.getsource(module))
        declared = {name for node in ast.walk(tree) if _is_refusals(node) for name in _problems(node)}
        raised = {name for name in _problems(tree) if name.isupper()}
        assert raised <= declared, module.__name__
        raised_anywhere |= raised
    assert raised_anywhere


def _is_refusals(node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and node.arg in ("refusals", "missing")


def _problems(tree: ast.AST) -> set[str]:
    attributes = (n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name))
    return {n.attr for n in attributes if isinstance(n.value, ast.Name) and n.value.id == "problems"}


# 401 -------------------------------------------------------------------------------------------------------

MALFORMED: list[str | bytes] = [
    "Bearer",
    "Basic Zm9vOmJhcg==",
    "Token abc",
    "abc",
    "Bearer a b",
    "Bearer a,b",
    'Bearer "abc"',
    "Bearer " + "a" * 513,
    b"Bearer \xc3\xa5",
]


@every_private_route
async def test_no_token_is_401_with_a_bare_challenge(service: RunningService, endpoint: Endpoint) -> None:
    """RFC 6750, 3.1: without authentication the challenge has no error."""
    response = await send(service, endpoint)
    assert_refused(response, 401, "invalid_token")
    assert response.headers["www-authenticate"] == 'Bearer realm="stamkund"'


@every_private_route
async def test_an_invalid_token_is_401_and_the_body_never_says_why(
    service: RunningService, own_callers: Callers, endpoint: Endpoint
) -> None:
    bodies = {(await send(service, endpoint)).text}
    wrong: list[Any] = [*MALFORMED, "Bearer unknown", f"Bearer {await own_callers.refresh_token()}"]
    for header in wrong:
        response = await send(service, endpoint, headers={"authorization": header})
        assert_refused(response, 401, "invalid_token")
        assert response.headers["www-authenticate"] == 'Bearer realm="stamkund", error="invalid_token"'
        bodies.add(response.text)
    with service.clock.at(service.clock() + service.settings.access_token_seconds):
        response = await send(service, endpoint, own_callers.able(endpoint))
        assert_refused(response, 401, "invalid_token")
        bodies.add(response.text)
    await _disable(own_callers)
    response = await send(service, endpoint, own_callers.able(endpoint))
    assert_refused(response, 401, "invalid_token")
    bodies.add(response.text)
    assert len(bodies) == 1


async def _disable(callers: Callers) -> None:
    await callers.publisher.service.store.clients.change(
        callers.client.id, lambda client: msgspec.structs.replace(client, disabled=True)
    )


@every_private_route
async def test_a_token_is_valid_until_its_last_second(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    with service.clock.at(service.clock() + service.settings.access_token_seconds - 1):
        assert (await send(service, endpoint, callers.able(endpoint))).status_code not in (401, 403)


@every_private_route
async def test_the_scheme_is_read_without_regard_to_case(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    for scheme in ("bearer", "BEARER", "Bearer  "):
        response = await send(service, endpoint, headers={"authorization": f"{scheme} {callers.able(endpoint)}"})
        assert response.status_code not in (401, 403)


@every_private_route
async def test_a_token_in_the_query_counts_for_nothing(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    assert_refused(await send(service, endpoint, query=f"access_token={callers.able(endpoint)}"), 401, "invalid_token")


# 403 -------------------------------------------------------------------------------------------------------


@every_private_route
async def test_every_scope_but_the_right_one_is_403(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    token = await callers.without(endpoint.scope, identity=endpoint.identity)
    response = await send(service, endpoint, token)
    assert str(endpoint.scope) in assert_refused(response, 403, "insufficient_scope")["message"]
    challenge = f'Bearer realm="stamkund", error="insufficient_scope", scope="{endpoint.scope}"'
    assert response.headers["www-authenticate"] == challenge


@every_private_route
async def test_a_scope_taken_from_the_client_is_taken_from_its_tokens(
    service: RunningService, own_callers: Callers, endpoint: Endpoint
) -> None:
    left = [s for s in own_callers.client.scopes if s != endpoint.scope]
    await service.store.clients.change(
        own_callers.client.id, lambda client: msgspec.structs.replace(client, scopes=left)
    )
    assert_refused(await send(service, endpoint, own_callers.able(endpoint)), 403, "insufficient_scope")


@every_identity_route
async def test_a_token_without_identity_is_403_where_one_is_needed(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    assert_refused(await send(service, endpoint, callers.anybody), 403, "identity_required")
    token = await callers.without(endpoint.scope, identity=False)
    assert_refused(await send(service, endpoint, token), 403, "insufficient_scope")


@every_private_route
async def test_a_token_with_identity_may_make_every_call(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    assert (await send(service, endpoint, callers.reader)).status_code not in (401, 403)


# 404, 405, slashes -----------------------------------------------------------------------------------------


def _paths_of_nothing() -> list[str]:
    paths = [path for endpoint in declared_endpoints() for path in endpoint.paths]
    changed = [
        f(path) for path in paths for f in (str.upper, "{}//".format, "{}/x".format, "/{}".format, "{}.json".format)
    ]
    return [*changed, "/", "/external", "/external/api/v1", "/external/api/v9/accounts", "/favicon.ico", "/.env", "/é"]


async def test_paths_that_do_not_exist_are_404_to_everybody(service: RunningService, callers: Callers) -> None:
    for path in _paths_of_nothing():
        for headers in ({}, {"authorization": "Bearer unknown"}, {"authorization": f"Bearer {callers.reader}"}):
            for method in ("GET", "POST"):
                response = await service.http.request(method, f"{service.url}{path}", headers=headers)
                assert assert_refused(response, 404, "not_found")["message"] == "path could not be found", path


def _allowed(path: str) -> set[str]:
    """The methods at a path; where there is GET, HEAD too."""
    declared = {e.method for e in declared_endpoints() if path in e.paths}
    return declared | ({"HEAD"} if "GET" in declared else set())


@every_route
async def test_other_methods_are_405_with_the_allowed_ones(service: RunningService, endpoint: Endpoint) -> None:
    for path in endpoint.paths:
        allowed = _allowed(path)
        for method in {*METHODS, "HEAD"} - allowed:
            response = await service.http.request(method, path)
            assert (response.status_code, response.headers["allow"]) == (405, ", ".join(sorted(allowed)))
            if method != "HEAD":
                assert_refused(response, 405, "method_not_allowed")


@pytest.mark.both_engines
@pytest.mark.parametrize("endpoint", [e for e in declared_endpoints() if e.method == "GET"], ids=label)
async def test_every_get_may_be_made_as_head(service: RunningService, callers: Callers, endpoint: Endpoint) -> None:
    """The same status and kind of response, without the body; refusals too."""
    for token in {None, None if endpoint.public else callers.able(endpoint)}:
        get = await send(service, endpoint, token)
        head = await send(service, endpoint, token, method="HEAD")
        assert (head.status_code, head.content) == (get.status_code, b"")
        for name in ("content-type", "cache-control", "www-authenticate", "content-security-policy"):
            assert head.headers.get(name) == get.headers.get(name), name
        assert int(head.headers["content-length"]) > 0 or get.content == b""


@every_route
async def test_every_response_has_the_security_headers(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    """Successes and refusals, JSON and pages."""
    for token in {None, None if endpoint.public else callers.able(endpoint)}:
        response = await send(service, endpoint, token)
        for name in SECURITY_HEADERS:
            assert len(response.headers.get_list(name)) == 1, name
        assert response.headers["x-content-type-options"] == "nosniff"
        if response.headers.get("content-type") == "application/json":
            policy = response.headers["content-security-policy"]
            assert policy == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("endpoint", [e for e in declared_endpoints() if e.body is not None], ids=label)
async def test_an_encoded_body_is_415(service: RunningService, callers: Callers, endpoint: Endpoint) -> None:
    """After its size was looked at, and before what it holds."""
    token = None if endpoint.public else callers.able(endpoint)
    for encoding in ("gzip", "br", "identity, gzip", "x"):
        headers = {"content-encoding": encoding}
        response = await send(service, endpoint, token, headers=headers)
        assert response.status_code == 415 and response.headers["accept-encoding"] == "identity"
        if endpoint.refusal_page is None:
            assert_refused(response, 415, "unsupported_encoding")
        too_long = await send(service, endpoint, token, headers=headers, content=b"x" * (MAX_BODY_BYTES + 1))
        assert too_long.status_code == 413
    for encoding in ("identity", "Identity", ""):
        response = await send(service, endpoint, token, headers={"content-encoding": encoding})
        assert response.status_code != 415


@every_route
async def test_every_path_works_with_and_without_a_slash(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    token = None if endpoint.public else callers.able(endpoint)
    responses = []
    for path in endpoint.paths:
        responses += [await send(service, endpoint, token, path=p) for p in (path, f"{path}/")]
    assert len({(r.status_code, r.text) for r in responses}) == 1
    assert responses[0].status_code not in (301, 302, 307, 308, 404, 405) or "path" not in responses[0].text


# Headers of every response ---------------------------------------------------------------------------------

LONGEST_ID = "Az09._~:+/=-" * 10 + "12345678"


@every_route
async def test_every_response_has_the_callers_request_id(service: RunningService, endpoint: Endpoint) -> None:
    for sent in ("x", LONGEST_ID):
        assert (await send(service, endpoint, headers={"x-request-id": sent})).headers["x-request-id"] == sent


@every_route
async def test_a_request_id_that_can_not_be_used_is_replaced(service: RunningService, endpoint: Endpoint) -> None:
    seen = set()
    for sent in (None, "", f"{LONGEST_ID}x", "a b", "a,b", "<script>", b"\xc3\xa5", b"a\tb", "a%0d%0ab"):
        request_id = (await send(service, endpoint, headers={"x-request-id": sent})).headers["x-request-id"]
        assert REQUEST_ID.fullmatch(request_id) and request_id != sent
        seen.add(request_id)
    assert len(seen) == 9


@every_route
async def test_cache_control_and_content_type_of_every_response(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    token = None if endpoint.public else callers.able(endpoint)
    response = await send(service, endpoint, token)
    cache_control = f"public, max-age={endpoint.max_age}" if endpoint.max_age else None
    cache_control = "no-store" if endpoint.personal or response.is_error else cache_control
    assert not endpoint.max_age or (response.headers["vary"], endpoint.personal) == ("origin", False)
    media = None if response.is_redirect else endpoint.about.media or None
    if response.is_error and endpoint.refusal_page is None:
        media = "application/json"
    assert (response.headers.get("content-type"), response.headers.get("cache-control")) == (media, cache_control)
    assert "server" not in response.headers or response.headers["server"] == "uvicorn"


# Query strings ---------------------------------------------------------------------------------------------


@every_query_route
async def test_unknown_parameters_are_named_in_the_order_sent(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    token = None if endpoint.public else callers.able(endpoint)
    for query, named in (
        ("zz=1&aa=2", "zz,aa"),
        ("aa", "aa"),
        ("=1", ""),
        ("zz=1&zz=2", "zz"),
        ("ID=x", "ID"),
        ("id%5B%5D=x", "id[]"),
        ("%c3%a5=%ff", "å"),
    ):
        refusal = assert_refused(await send(service, endpoint, token, query=query), 400, "unknown_parameter")
        assert refusal["message"] == f"Unknown parameters: {named}"


@every_query_route
async def test_unknown_parameters_come_before_wrong_values(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    token = None if endpoint.public else callers.able(endpoint)
    wrong = "&".join(f"{p.name}=%ff" for p in endpoint.parameter_set.parameters)
    response = await send(service, endpoint, token, query=f"{wrong}&unknown_one=1")
    assert assert_refused(response, 400, "unknown_parameter")["message"] == "Unknown parameters: unknown_one"


@every_query_route
async def test_a_repeated_parameter_is_refused(service: RunningService, callers: Callers, endpoint: Endpoint) -> None:
    token = None if endpoint.public else callers.able(endpoint)
    for parameter in endpoint.parameter_set.parameters:
        value = f"{parameter.name}={parameter.type.example}"
        others = (o for o in endpoint.parameter_set.parameters if o.required and o is not parameter)
        query = "&".join([value, value, *(f"{o.name}={o.type.example}" for o in others)])
        response = await send(service, endpoint, token, query=query)
        refusal = assert_refused(response, 400, "invalid_parameter", parameter.name)
        assert refusal["message"] == "Parameter must be given once"


@pytest.mark.parametrize("endpoint", [e for e in WITH_QUERY if not e.public], ids=label)
async def test_a_query_is_not_checked_before_the_token(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    for query in ("unknown=1", "%ff=%ff", "&".join(f"{p.name}=%00" for p in endpoint.parameter_set.parameters)):
        assert_refused(await send(service, endpoint, query=query), 401, "invalid_token")
        token = await callers.without(endpoint.scope, identity=endpoint.identity)
        assert_refused(await send(service, endpoint, token, query=query), 403, "insufficient_scope")
        if endpoint.identity:
            assert_refused(await send(service, endpoint, callers.anybody, query=query), 403, "identity_required")


# JSON bodies -----------------------------------------------------------------------------------------------


@every_json_route
async def test_a_body_that_is_no_json_object(service: RunningService, callers: Callers, endpoint: Endpoint) -> None:
    """`tests/wire/test_parameters.py` has what else is none."""
    for body in (
        b"",
        b'{"email": ',
        b"[]",
        b'{"email": "a@example.com", "email": "a@example.com"}',
        b"email=a%40example.com",
    ):
        response = await send(service, endpoint, callers.able(endpoint), content=body)
        assert assert_refused(response, 400, "json_parser_error")["message"] == "Invalid json in request body"


@every_json_route
async def test_a_byte_order_mark_is_skipped(service: RunningService, callers: Callers, endpoint: Endpoint) -> None:
    token, body = callers.able(endpoint), json.dumps(example_body(endpoint)).encode()
    await send(service, endpoint, token, content=body)  # what it makes is there from now on
    with_mark, without = [await send(service, endpoint, token, content=sent) for sent in (b"\xef\xbb\xbf" + body, body)]
    assert (with_mark.status_code, with_mark.text) == (without.status_code, without.text)
    assert without.json().get("code") != "json_parser_error"


@pytest.mark.parametrize("endpoint", [e for e in declared_endpoints() if e.refusal_page and e.body], ids=label)
async def test_a_page_names_the_content_type_of_what_is_no_form(service: RunningService, endpoint: Endpoint) -> None:
    for content_type, content in (
        ("application/json", b'{"client_id": "x", "oid": "y"}'),
        ("application/x-www-form-urlencoded", b'{"client_id": "x", "oid": "y"}'),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="oid"\r\n\r\ny\r\n--x--'),
        ("text/xml", b"<client_id>x</client_id>"),
    ):
        response = await send(service, endpoint, headers={"content-type": content_type}, content=content)
        assert response.status_code == 400 and "application/x-www-form-urlencoded" in response.text, content
    as_form = await send(service, endpoint, headers={"content-type": "text/plain"}, content=b"oid=y&form_token=x")
    assert "Content-Type" not in as_form.text


@every_json_route
async def test_a_content_type_that_is_not_json(service: RunningService, callers: Callers, endpoint: Endpoint) -> None:
    token = callers.able(endpoint)
    wrong = [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/json"]
    wrong += ["application/json, text/plain", "application/json x", "multipart/form-data; boundary=x", "application"]
    for sent in wrong:
        response = await send(service, endpoint, token, headers={"content-type": sent}, content=b"{")
        assert "application/json" in assert_refused(response, 400, "invalid_content_type_error")["message"]
    for sent in ("application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x=y"):
        response = await send(service, endpoint, token, headers={"content-type": sent}, content=b"{")
        assert_refused(response, 400, "json_parser_error")


@every_json_route
async def test_unknown_keys_are_named_in_the_order_sent(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    token = callers.able(endpoint)
    wrong = {p.name: 1 for p in endpoint.parameter_set.parameters}
    for unknown, named in (
        ({"zz": 1, "aa": {"x": []}}, "zz,aa"),
        ({"": 1}, ""),
        ({"Å\n": 1}, "Å\n"),
        ({"\ud800": 1}, "?"),
    ):
        refusal = assert_refused(
            await send_json(service, endpoint, token, {**wrong, **unknown}), 400, "unknown_parameter"
        )
        assert refusal["message"] == f"Unknown parameters: {named}"


@every_json_route
async def test_null_counts_as_absent(service: RunningService, callers: Callers, endpoint: Endpoint) -> None:
    """So `null` for a required one is a missing one. An unknown one is unknown, whatever its value."""
    token = callers.able(endpoint)
    nothing = {p.name: None for p in endpoint.parameter_set.parameters}
    responses = [await send_json(service, endpoint, token, body) for body in ({}, nothing)]
    assert responses[0].text == responses[1].text
    with_unknown = await send_json(service, endpoint, token, {**nothing, "unknown": None})
    assert assert_refused(with_unknown, 400, "unknown_parameter")["message"] == "Unknown parameters: unknown"
    required = [p.name for p in endpoint.parameter_set.parameters if p.required]
    if required:
        assert assert_refused(responses[0], 400, "invalid_parameter", required[0])["message"] == "Parameter is required"


@every_json_route
async def test_missing_required_parameters_are_reported_in_order(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    """In the document's order, and before what is wrong with later ones."""
    for parameter in (p for p in endpoint.parameter_set.parameters if p.required):
        body = example_body(endpoint)
        names = list(body)
        body = {n: v if names.index(n) < names.index(parameter.name) else 1 for n, v in body.items()}
        del body[parameter.name]
        response = await send_json(service, endpoint, callers.able(endpoint), body)
        assert assert_refused(response, 400, "invalid_parameter", parameter.name)["message"] == "Parameter is required"


@every_json_route
async def test_a_value_of_the_wrong_type_is_refused_by_name(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    values: dict[str, tuple[object, ...]] = {
        "string": (True, False, [], {}, ["a"], {"a": "b"}),
        "boolean": ("true", "", [], {}, ["a"], {"a": "b"}),
        "array": ("true", "", True, False, {}, {"a": "b"}),
        "object": ("true", "", True, False, [], ["a"]),
    }
    for parameter in endpoint.parameter_set.parameters:
        kind = parameter.type.json_type
        for value in (0, 1.5, 10**400, *values[kind]):
            body = {**example_body(endpoint), parameter.name: value}
            response = await send_json(service, endpoint, callers.able(endpoint), body)
            refusal = assert_refused(response, 400, "invalid_parameter", parameter.name)
            assert refusal["message"] == f"Parameter must be {'an' if kind in ('array', 'object') else 'a'} {kind}"


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


@every_json_route
async def test_a_body_of_64_kib_is_read_and_one_byte_more_is_not(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    token = callers.able(endpoint)
    largest = b"{}" + b" " * (MAX_BODY_BYTES - 2)
    for body in (largest, _chunks(largest)):
        assert (await send(service, endpoint, token, content=body)).status_code not in (401, 403, 413)
    for body in (largest + b" ", _chunks(largest + b" "), b" " * 1_000_000, _chunks(b" " * 1_000_000)):
        response = await send(service, endpoint, token, content=body)
        assert_refused(response, 413, "payload_too_large")


@every_json_route
async def test_the_checks_come_in_the_contracts_order(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    """Token, scope, size, content type, JSON, unknown parameters, values: the first failure is reported."""
    token = callers.able(endpoint)
    large, text = b"x" * (MAX_BODY_BYTES + 1), {"content-type": "text/plain"}
    both = json.dumps({"unknown": 1, **{p.name: "" for p in endpoint.parameter_set.parameters}}).encode()
    first_refusals = [
        (await send(service, endpoint, token, content=large, headers=text), 413),
        (await send(service, endpoint, token, content=large), 413),
    ]
    if not endpoint.public:
        powerless = await callers.without(endpoint.scope, identity=endpoint.identity)
        first_refusals += [
            (await send(service, endpoint, None, content=large, headers=text), 401),
            (await send(service, endpoint, "unknown", content=b"{", headers=text), 401),
            (await send(service, endpoint, powerless, content=large, headers=text), 403),
            (await send(service, endpoint, powerless, content=b"{"), 403),
        ]
    assert [response.status_code for response, _ in first_refusals] == [status for _, status in first_refusals]
    assert_refused(await send(service, endpoint, token, content=b"{", headers=text), 400, "invalid_content_type_error")
    assert_refused(await send(service, endpoint, token, content=both[:-1]), 400, "json_parser_error")
    assert_refused(await send(service, endpoint, token, content=both), 400, "unknown_parameter")
    for response, _ in first_refusals:
        error_body(response)
