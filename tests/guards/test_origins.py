"""CORS on every declared route: a client's answers are read by scripts of its own origins and of no others."""

from __future__ import annotations

import base64

import httpx
import pytest

from stamkund.endpoints import declared_endpoints
from stamkund.rules.organisation import Client
from stamkund.wire.endpoint import Endpoint
from tests.support.calls import Callers, callers_of, label, send
from tests.support.service import Publisher, Stage

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
    await listed(publisher.stage, made.client, own)
    return made


async def listed(stage: Stage, client: Client, *origins: str, disabled: bool = False) -> None:
    """Lists origins for a client, as `stamkund client change` does."""

    def change(known: Client) -> Client:
        known.origins, known.disabled = list(origins), disabled
        return known

    assert await stage.store.clients.change(client.id, change) is not None


async def stranger(stage: Stage, origin: str) -> Publisher:
    """Another organisation, whose client lists an origin."""
    made = await stage.publisher()
    await listed(stage, made.client, origin)
    return made


def cors(answer: httpx.Response) -> dict[str, str]:
    """What an answer says about origins, whatever origin it is."""
    told = {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}
    assert "access-control-allow-credentials" not in told and "*" not in "".join(told.values())
    return told


def readable(answer: httpx.Response) -> str | None:
    """The origin whose scripts may read an answer; it must be told wholly or not at all."""
    told = cors(answer)
    origin = told.pop("access-control-allow-origin", None)
    expected = {"access-control-expose-headers": "x-request-id, retry-after, www-authenticate"} if origin else {}
    assert (told, answer.headers["vary"]) == (expected, "origin")
    return origin


# Answers ---------------------------------------------------------------------------------------------------


@every_route
async def test_calls_without_an_origin_hear_nothing_of_it(stage: Stage, callers: Callers, endpoint: Endpoint) -> None:
    """But for caches on the way, which may keep the answer and then be asked by a script."""
    vary = "origin" if endpoint.max_age else None
    for token in (None, callers.able(endpoint)):
        answer = await send(stage, endpoint, token)
        assert (cors(answer), answer.headers.get("vary")) == ({}, vary)


@every_private_route
async def test_own_answers_are_read_by_the_clients_own_origins(
    stage: Stage, callers: Callers, own: str, endpoint: Endpoint
) -> None:
    theirs = f"https://{callers.publisher.id}.other.example"
    await stranger(stage, theirs)
    powerless = await callers.without(endpoint.scope, identity=endpoint.identity)
    for token, is_let_in in ((callers.able(endpoint), True), (powerless, False)):
        answer = await send(stage, endpoint, token, headers={"origin": own})
        assert (readable(answer), answer.status_code in (401, 403)) == (own, not is_let_in)
        for origin in (theirs, f"{own}1", "https://nobody.example"):
            assert readable(await send(stage, endpoint, token, headers={"origin": origin})) is None


@every_open_route
async def test_where_no_client_is_known_any_clients_origin_may_read(
    stage: Stage, callers: Callers, own: str, endpoint: Endpoint
) -> None:
    theirs = f"https://{callers.publisher.id}.other.example"
    other = await stranger(stage, theirs)
    for origin in (own, theirs):
        for token in (None, "unknown"):
            assert readable(await send(stage, endpoint, token, headers={"origin": origin})) == origin
        for method in ("TRACE", "OPTIONS"):
            answer = await send(stage, endpoint, headers={"origin": origin}, method=method)
            assert (answer.status_code, readable(answer)) == (405, origin)
    await listed(stage, other.client, theirs, disabled=True)
    for origin in (theirs, "https://nobody.example", ""):
        assert readable(await send(stage, endpoint, headers={"origin": origin})) is None


@pytest.mark.parametrize("path", sorted(PAGES))
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
async def test_pages_for_browsers_have_no_cors(
    stage: Stage, callers: Callers, own: str, path: str, method: str
) -> None:
    for asked in ("GET", "POST"):
        headers = {"origin": own, "access-control-request-method": asked, "authorization": f"Bearer {callers.reader}"}
        assert cors(await stage.http.request(method, path, headers=headers)) == {}


async def test_a_disabled_clients_token_opens_nothing_to_its_origin(stage: Stage, callers: Callers, own: str) -> None:
    await listed(stage, callers.client, own, disabled=True)
    answer = await stage.http.get(
        "/external/api/v1/me", headers={"origin": own, "authorization": f"Bearer {callers.reader}"}
    )
    assert (answer.status_code, readable(answer)) == (401, None)


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
async def test_origins_are_compared_exactly(stage: Stage, callers: Callers, own: str, change: object) -> None:
    assert callable(change)
    origin = change(own).encode("latin-1")
    for headers in ({}, {"authorization": f"Bearer {callers.reader}"}):
        answer = await stage.http.get("/external/api/v1/me", headers={**headers, "origin": origin})
        assert readable(answer) is None
    preflight = {"origin": origin, "access-control-request-method": "GET"}
    answer = await stage.http.options("/external/api/v1/me", headers=preflight)
    assert (answer.status_code, cors(answer)) == (405, {})


async def test_a_path_that_is_nobodys(stage: Stage, callers: Callers, own: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = await stage.http.request(method, "/nowhere", headers={"origin": own})
        assert (answer.status_code, readable(answer)) == (404, own)


# The token endpoint: who calls stands in the form ----------------------------------------------------------


async def test_the_client_of_a_form_is_the_one_that_has_proven_itself(stage: Stage, callers: Callers, own: str) -> None:
    theirs = f"https://{callers.publisher.id}.other.example"
    await stranger(stage, theirs)
    form = {"client_id": callers.client.id, "client_secret": callers.secret}
    for grant, status in (("none", 200), ("nonsense", 400)):
        for origin in (own, theirs):
            answer = await stage.http.post(TOKEN, data={**form, "grant_type": grant}, headers={"origin": origin})
            assert (answer.status_code, readable(answer)) == (status, own if origin == own else None)
    basic = base64.b64encode(f"{callers.client.id}:{callers.secret}".encode()).decode()
    headers = {"origin": theirs, "authorization": f"Basic {basic}"}
    assert readable(await stage.http.post(TOKEN, data={"grant_type": "none"}, headers=headers)) is None
    for origin in (own, theirs):
        wrong = {**form, "client_secret": "guessed", "grant_type": "none"}
        answer = await stage.http.post(TOKEN, data=wrong, headers={"origin": origin})
        assert (answer.status_code, readable(answer)) == (401, origin)


# Preflights ------------------------------------------------------------------------------------------------


def question(origin: str, method: str) -> dict[str, str]:
    """What a browser asks before it sends a token."""
    return {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type",
    }


@every_open_route
async def test_a_preflight_from_any_clients_origin(
    stage: Stage, callers: Callers, own: str, endpoint: Endpoint
) -> None:
    for path in (*endpoint.paths, f"{endpoint.paths[0]}/"):
        answer = await stage.http.options(path, headers=question(own, endpoint.method))
        assert (answer.status_code, answer.content, answer.headers["vary"]) == (204, b"", "origin")
        assert not {"content-type", "content-length", "allow"} & set(answer.headers)
        told = cors(answer)
        assert endpoint.method in told.pop("access-control-allow-methods").split(", ")
        assert told == {
            "access-control-allow-origin": own,
            "access-control-allow-headers": "authorization, content-type, accept, x-request-id",
            "access-control-max-age": "600",
        }


@every_open_route
async def test_a_preflight_that_is_refused(stage: Stage, callers: Callers, own: str, endpoint: Endpoint) -> None:
    await listed(stage, (await stranger(stage, "https://gone.example")).client, "https://gone.example", disabled=True)
    for origin, method in (
        ("https://nobody.example", endpoint.method),
        ("https://gone.example", endpoint.method),
        ("null", endpoint.method),
        (own, "DELETE"),
        (own, endpoint.method.lower()),
        (own, ""),
    ):
        answer = await stage.http.options(endpoint.paths[0], headers=question(origin, method))
        assert (answer.status_code, answer.json()["code"], cors(answer)) == (405, "method_not_allowed", {})
        assert endpoint.method in answer.headers["allow"].split(", ")


async def test_a_preflight_for_nowhere(stage: Stage, callers: Callers, own: str) -> None:
    answer = await stage.http.options("/nowhere", headers=question(own, "GET"))
    assert (answer.status_code, cors(answer)) == (404, {})
