"""By ASGI the same calls get the same responses as by our own connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from stamkund.server.app import Application
from tests.support.in_process import application_of, client_of
from tests.support.service import Publisher, RunningService

ACCOUNTS = "/external/api/v1/accounts"
ACTIVATE = "/external/api/v1/account/activate_candidate"
TOKEN = "/api/authorization/access_token"
VARYING = {"date", "connection"}
"""Header fields that belong to the connection."""


@pytest.fixture(scope="module")
async def application(service: RunningService) -> AsyncIterator[Application]:
    async with application_of(service.settings, service.clock) as running:
        yield running


def contents(response: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in VARYING]
    return response.status_code, headers, response.content


REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/health/live", {}),
    ("GET", "/nowhere", {}),
    ("DELETE", ACCOUNTS, {}),
    ("GET", ACCOUNTS, {"params": {"email": "OVE.ovesson@example.com"}}),
    ("GET", ACCOUNTS, {"params": {"email": "unknown@example.com"}}),
    ("GET", ACCOUNTS, {"params": {"email": "nothing"}}),
    ("GET", ACCOUNTS, {"headers": {"authorization": "Bearer unknown"}}),
    ("GET", f"{ACCOUNTS}/active_products/", {"params": {"account_id": "ove.ovesson@example.com"}}),
    ("OPTIONS", ACCOUNTS, {"headers": {"origin": "https://a.example", "access-control-request-method": "GET"}}),
    ("GET", ACCOUNTS, {"headers": {"origin": "https://elsewhere.example"}}),
    ("POST", ACTIVATE, {"json": {"account_candidate_id": "585a4768edce2c5e6f000009"}}),
    ("POST", ACTIVATE, {"content": b"no JSON", "headers": {"content-type": "application/json"}}),
    ("POST", ACTIVATE, {"content": b"x" * 65_536, "headers": {"content-type": "application/json"}}),
    ("POST", ACTIVATE, {"content": b"x" * 65_537, "headers": {"content-type": "application/json"}}),
    ("POST", TOKEN, {"data": {"grant_type": "none", "client_id": "unknown", "client_secret": "none"}}),
]


@pytest.mark.parametrize(("method", "path", "rest"), REQUESTS)
async def test_the_responses_are_the_same(
    application: Application, publisher: Publisher, method: str, path: str, rest: dict[str, Any]
) -> None:
    await publisher.activated()
    await publisher.new_client("/external/account/r", origins=["https://a.example"])
    headers = {**await publisher.headers(), "x-request-id": "test-1", **rest.get("headers", {})}
    async with client_of(application, publisher.service.url) as by_asgi:
        ours, theirs = [
            contents(await http.request(method, path, **{**rest, "headers": headers}))
            for http in (publisher.service.http, by_asgi)
        ]
    assert ours == theirs


async def in_pieces(size: int, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size


async def test_a_body_without_a_length_is_read_as_far_as_it_may_be(
    application: Application, publisher: Publisher
) -> None:
    headers = {**await publisher.headers(), "content-type": "application/json"}
    async with client_of(application, publisher.service.url) as by_asgi:
        for http in (publisher.service.http, by_asgi):
            for count, status in ((64, 400), (65, 413), (500, 413)):
                response = await http.post(ACTIVATE, content=in_pieces(1_024, count), headers=headers)
                assert response.status_code == status, count


async def test_a_caller_that_goes_gets_nothing(application: Application, publisher: Publisher) -> None:
    """In the middle of its body: nothing of it is handled, and nothing is sent."""
    headers = [(name.encode(), value.encode()) for name, value in (await publisher.headers()).items()]
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": ACTIVATE,
        "query_string": b"",
        "headers": headers,
        "client": None,
    }
    await application(scope, receive, send)
    assert (messages, sent) == ([], [])
