"""Titles: who may request them, all of them, and one by its code."""

from __future__ import annotations

import json

import pytest

from stamkund.endpoints.products.titles import find_title, get_titles
from stamkund.rules import scopes
from stamkund.rules.catalogue import Catalogue, Title
from tests.support.calls import assert_refused
from tests.support.catalogue import EMAIL, get_with, load, reader
from tests.support.service import Publisher, RunningService

TITLES = get_titles.paths[0]
ONE = find_title.paths[0]
BOTH = pytest.mark.parametrize("path", [TITLES, ONE])
HERALD = {
    "name": "The Herald",
    "code": "HERALD",
    "image_url": "https://herald.example.com/title.png",
    "merchant_image_url": None,
    "url": None,
    "rgb": "#00aabb",
}
GAZETTE = dict.fromkeys(HERALD) | {"name": "The Gazette", "code": "GAZETTE"}


async def titles_token(publisher: Publisher) -> str:
    client, secret = await publisher.new_client(scopes.TITLE_READ)
    return await publisher.token(client=client, secret=secret)


@BOTH
async def test_without_a_token_or_its_scope(publisher: Publisher, path: str) -> None:
    assert_refused(await get_with(publisher, path, None), 401, "invalid_token")
    response = await get_with(publisher, path, await publisher.token())
    assert scopes.TITLE_READ in assert_refused(response, 403, "insufficient_scope")["message"]


async def test_unknown_parameters(publisher: Publisher) -> None:
    token = await titles_token(publisher)
    assert_refused(await get_with(publisher, TITLES, token, title_code="HERALD"), 400, "unknown_parameter")
    assert_refused(await get_with(publisher, ONE, token, code="HERALD"), 400, "unknown_parameter")


async def test_titles_come_in_the_order_of_the_catalogue(publisher: Publisher) -> None:
    await load(publisher)
    token = await titles_token(publisher)
    for path in (TITLES, f"{TITLES}/"):
        response = await get_with(publisher, path, token)
        assert response.status_code == 200
        assert json.dumps(response.json()) == json.dumps({"items": [HERALD, GAZETTE]})


async def test_without_a_catalogue_there_are_no_titles(publisher: Publisher) -> None:
    token = await titles_token(publisher)
    assert (await get_with(publisher, TITLES, token)).json() == {"items": []}
    assert_refused(await get_with(publisher, ONE, token, title_code="HERALD"), 404, "not_found")


async def test_one_title(publisher: Publisher) -> None:
    await load(publisher)
    token = await titles_token(publisher)
    for path in (ONE, f"{ONE}/"):
        response = await get_with(publisher, path, token, title_code="HERALD")
        assert json.dumps(response.json()) == json.dumps({"item": HERALD})


async def test_a_title_that_is_not_there(publisher: Publisher) -> None:
    await load(publisher)
    token = await titles_token(publisher)
    for code in ("herald", "HERALD2", "x" * 15):
        response = await get_with(publisher, ONE, token, title_code=code)
        assert assert_refused(response, 404, "not_found")["message"] == "title could not be found"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (None, "Parameter is required"),
        ("", "Parameter must be at least 1 characters"),
        ("x" * 16, "Parameter must be at most 15 characters"),
        ("The Herald", "Parameter must match format (/^[a-zA-Z-_0-9]+$/)"),
        ("Å", "Parameter must match format (/^[a-zA-Z-_0-9]+$/)"),
    ],
)
async def test_title_code_is_checked(publisher: Publisher, code: str | None, message: str) -> None:
    query = {} if code is None else {"title_code": code}
    response = await get_with(publisher, ONE, await titles_token(publisher), **query)
    assert assert_refused(response, 400, "invalid_parameter", "title_code")["message"] == message


async def test_each_organisation_has_its_own_titles(service: RunningService) -> None:
    first, second = [await service.publisher() for _ in range(2)]
    await load(first)
    await load(second, Catalogue([Title("HERALD", "Another Herald")]))
    names = [
        (await get_with(p, ONE, await titles_token(p), title_code="HERALD")).json()["item"]["name"]
        for p in (first, second)
    ]
    assert names == ["The Herald", "Another Herald"]


async def test_a_token_with_identity_may_request_titles_too(publisher: Publisher) -> None:
    await load(publisher)
    await reader(publisher)
    client, secret = await publisher.new_client(scopes.TITLE_READ)
    token = await publisher.reader_token(EMAIL, client=client, secret=secret)
    assert len((await get_with(publisher, TITLES, token)).json()["items"]) == 2
