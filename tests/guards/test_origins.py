"""CORS on every declared route: a client's responses are read by scripts of its own origins and of no others."""

from __future__ import annotations

import base64

import httpx
import pytest

from stamkund.endpoints import declared_endpoints
from stamkund.rules.organisation import Client
from stamkund.wire.endpoint import Endpoint
from tests.support.calls import Callers, callers_of, label, send
from tests.support.service import Publisher, RunningService

PAGES = {path for e in declared_endpoints() if e.for_browsers for path in e.paths}
OPEN = [e for e in declared_endpoints() if not PAGES & set(e.paths)]
TOKEN = "/api/authorization/access_token"

every_route = pytest.mark.parametrize("endpoint", declared_endpoints(), ids=label)
every_open_route = pytest.mark.parametrize("endpoint", OPEN, ids=label)
every_private_route = pytest.mark.parametrize("endpoint", [e for e in OPEN if not e.public], ids=label)


@pytest.fixture
def own(publisher: Publisher) -> str:
    """An origin that only this test knows of: the tests of a session share their database."""
    return f"https://{publisher.id}.example:8443"


@pytest.fixture
async def callers(publisher: Publisher, own: str) -> Callers:
    made = await callers_of(publisher)
    await listed(publisher.service, made.client, own)
    return made


async def listed(service: RunningService, client: Client, *origins: str, disabled: bool = False) -> None:
    """Lists origins for a client, as `stamkund client change` does."""

    def change(client: Client) -> Client:
        client.origins, client.disabled = list(origins), disabled
        return client

    assert await service.store.clients.change(client.id, change) is not None


async def other_publisher(service: RunningService, origin: str) -> Publisher:
    """Another organisation, whose client lists an origin."""
    made = await service.publisher()
    await listed(service, made.client, origin)
    return made


def cors(response: httpx.Response) -> dict[str, str]:
    """What a response says about origins, whatever origin it is."""
    headers_set = {name: value for name, value in response.headers.items() if name.startswith("access-control-")}
    assert "access-control-allow-credentials" not in headers_set and "*" not in "".join(headers_set.values())
    return headers_set


def readable(response: httpx.Response) -> str | None:
    """The origin whose scripts may read a response; all headers are set, or none."""
    headers_set = cors(response)
    origin = headers_set.pop("access-control-allow-origin", None)
    expected = {"access-control-expose-headers": "x-request-id, retry-after, www-authenticate"} if origin else {}
    assert (headers_set, response.headers["vary"]) == (expected, "origin")
    return origin


# Responses -------------------------------------------------------------------------------------------------


@every_route
async def test_calls_without_an_origin_hear_nothing_of_it(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    """But for caches on the way, which may store the response and later serve it to a script."""
    vary = "origin" if endpoint.max_age else None
    for token in (None, callers.able(endpoint)):
        response = await send(service, endpoint, token)
        assert (cors(response), response.headers.get("vary")) == ({}, vary)


@every_private_route
async def test_a_clients_responses_are_readable_by_its_own_origins(
    service: RunningService, callers: Callers, own: str, endpoint: Endpoint
) -> None:
    theirs = f"https://{callers.publisher.id}.other.example"
    await other_publisher(service, theirs)
    powerless = await callers.without(endpoint.scope, identity=endpoint.identity)
    for token, is_let_in in ((callers.able(endpoint), True), (powerless, False)):
        response = await send(service, endpoint, token, headers={"origin": own})
        assert (readable(response), response.status_code in (401, 403)) == (own, not is_let_in)
        for origin in (theirs, f"{own}1", "https://nobody.example"):
            assert readable(await send(service, endpoint, token, headers={"origin": origin})) is None


@every_open_route
async def test_without_client_any_clients_origin_may_read(
    service: RunningService, callers: Callers, own: str, endpoint: Endpoint
) -> None:
    theirs = f"https://{callers.publisher.id}.other.example"
    other = await other_publisher(service, theirs)
    for origin in (own, theirs):
        for token in (None, "unknown"):
            assert readable(await send(service, endpoint, token, headers={"origin": origin})) == origin
        for method in ("TRACE", "OPTIONS"):
            response = await send(service, endpoint, headers={"origin": origin}, method=method)
            assert (response.status_code, readable(response)) == (405, origin)
    await listed(service, other.client, theirs, disabled=True)
    for origin in (theirs, "https://nobody.example", ""):
        assert readable(await send(service, endpoint, headers={"origin": origin})) is None


@pytest.mark.parametrize("path", sorted(PAGES))
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
async def test_pages_for_browsers_have_no_cors(
    service: RunningService, callers: Callers, own: str, path: str, method: str
) -> None:
    for method_requested in ("GET", "POST"):
        headers = {
            "origin": own,
            "access-control-request-method": method_requested,
            "authorization": f"Bearer {callers.reader}",
        }
        assert cors(await service.http.request(method, path, headers=headers)) == {}


async def test_a_disabled_clients_token_opens_nothing_to_its_origin(
    service: RunningService, callers: Callers, own: str
) -> None:
    await listed(service, callers.client, own, disabled=True)
    response = await service.http.get(
        "/external/api/v1/me", headers={"origin": own, "authorization": f"Bearer {callers.reader}"}
    )
    assert (response.status_code, readable(response)) == (401, None)


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        str.title,
        lambda own: own.replace("https", "http"),
        lambda own: own.replace("https", "HTTPS"),
        lambda own: own.replace(":8443", ""),
        lambda own: own.replace(":8443", ":443"),
        lambda own: f"{own}/",
        lambda own: f"{own}.",
        lambda own: own.replace("https://", "https://a."),
        lambda own: own.replace("https://", ""),
        lambda own: f"{own}, https://nobody.example",
        lambda own: f"{own} https://nobody.example",
        lambda _: "null",
        lambda _: "*",
        lambda _: "file://",
        lambda _: "é",
    ],
)
async def test_origins_are_compared_exactly(
    service: RunningService, callers: Callers, own: str, change: object
) -> None:
    assert callable(change)
    origin = change(own).encode("latin-1")
    for headers in ({}, {"authorization": f"Bearer {callers.reader}"}):
        response = await service.http.get("/external/api/v1/me", headers={**headers, "origin": origin})
        assert readable(response) is None
    preflight = {"origin": origin, "access-control-request-method": "GET"}
    response = await service.http.options("/external/api/v1/me", headers=preflight)
    assert (response.status_code, cors(response)) == (405, {})


async def test_a_path_without_endpoint(service: RunningService, callers: Callers, own: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        response = await service.http.request(method, "/nowhere", headers={"origin": own})
        assert (response.status_code, readable(response)) == (404, own)


# The token endpoint: who calls stands in the form ----------------------------------------------------------


async def test_the_client_of_a_form_is_the_one_that_has_proven_itself(
    service: RunningService, callers: Callers, own: str
) -> None:
    theirs = f"https://{callers.publisher.id}.other.example"
    await other_publisher(service, theirs)
    form = {"client_id": callers.client.id, "client_secret": callers.secret}
    for grant, status in (("none", 200), ("nonsense", 400)):
        for origin in (own, theirs):
            response = await service.http.post(TOKEN, data={**form, "grant_type": grant}, headers={"origin": origin})
            assert (response.status_code, readable(response)) == (status, own if origin == own else None)
    basic = base64.b64encode(f"{callers.client.id}:{callers.secret}".encode()).decode()
    headers = {"origin": theirs, "authorization": f"Basic {basic}"}
    assert readable(await service.http.post(TOKEN, data={"grant_type": "none"}, headers=headers)) is None
    for origin in (own, theirs):
        wrong = {**form, "client_secret": "guessed", "grant_type": "none"}
        response = await service.http.post(TOKEN, data=wrong, headers={"origin": origin})
        assert (response.status_code, readable(response)) == (401, origin)


# Preflights ------------------------------------------------------------------------------------------------


def question(origin: str, method: str) -> dict[str, str]:
    """The request that a browser makes before it sends a token."""
    return {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type",
    }


@every_open_route
async def test_a_preflight_from_any_clients_origin(
    service: RunningService, callers: Callers, own: str, endpoint: Endpoint
) -> None:
    for path in (*endpoint.paths, f"{endpoint.paths[0]}/"):
        response = await service.http.options(path, headers=question(own, endpoint.method))
        assert (response.status_code, response.content, response.headers["vary"]) == (204, b"", "origin")
        assert not {"content-type", "content-length", "allow"} & set(response.headers)
        headers_set = cors(response)
        assert endpoint.method in headers_set.pop("access-control-allow-methods").split(", ")
        assert headers_set == {
            "access-control-allow-origin": own,
            "access-control-allow-headers": "authorization, content-type, accept, x-request-id",
            "access-control-max-age": "600",
        }


@every_open_route
async def test_a_preflight_that_is_refused(
    service: RunningService, callers: Callers, own: str, endpoint: Endpoint
) -> None:
    await listed(
        service, (await other_publisher(service, "https://gone.example")).client, "https://gone.example", disabled=True
    )
    for origin, method in (
        ("https://nobody.example", endpoint.method),
        ("https://gone.example", endpoint.method),
        ("null", endpoint.method),
        (own, "DELETE"),
        (own, endpoint.method.lower()),
        (own, ""),
    ):
        response = await service.http.options(endpoint.paths[0], headers=question(origin, method))
        assert (response.status_code, response.json()["code"], cors(response)) == (405, "method_not_allowed", {})
        assert endpoint.method in response.headers["allow"].split(", ")


async def test_a_preflight_for_nowhere(service: RunningService, callers: Callers, own: str) -> None:
    response = await service.http.options("/nowhere", headers=question(own, "GET"))
    assert (response.status_code, cors(response)) == (404, {})
