"""Scripts of a site call from a real browser, which is the one that decides what they may read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from stamkund.rules.organisation import Client
from tests.support.service import Publisher
from tests.support.site import LocalSite
from tests.support.window import Window, window

CALL = """async ([url, token]) => {
    try {
        const headers = {authorization: `Bearer ${token}`, 'x-request-id': 'from-a-script'};
        const response = await fetch(url, {headers});
        return [response.status, (await response.json()).code ?? '', response.headers.get('x-request-id')];
    } catch (error) {
        return [0, error.message, null];
    }
}"""
POST = """async ([url, fields]) => {
    const response = await fetch(url, {method: 'POST', body: new URLSearchParams(fields)});
    return [response.status, (await response.json()).error ?? ''];
}"""
WITH_COOKIES = """async (url) => {
    try { return (await fetch(url, {credentials: 'include'})).status; } catch (error) { return 0; }
}"""
STOPPED = [0, "Failed to fetch", None]


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with LocalSite() as running:
        yield running


async def list_origins(publisher: Publisher, *origins: str) -> None:
    def change(client: Client) -> Client:
        client.origins = list(origins)
        return client

    await publisher.service.store.clients.change(publisher.client.id, change)


async def called(reader: Window, publisher: Publisher, token: str) -> list[object]:
    url = f"{publisher.service.url}/external/api/v1/accounts?email=nobody%40example.com"
    response: list[object] = await reader.page.evaluate(CALL, [url, token])
    return response


async def test_only_scripts_of_the_clients_origins_may_read(
    publisher: Publisher, chromium: Browser, site: LocalSite, tmp_path: Path
) -> None:
    token = await publisher.token()
    async with window(chromium, tmp_path) as reader:
        await reader.page.goto(f"{site.origin}/")
        assert await called(reader, publisher, token) == STOPPED
        await list_origins(publisher, site.origin)
        assert await called(reader, publisher, token) == [404, "not_found", "from-a-script"]
        assert await called(reader, publisher, "wrong") == [401, "invalid_token", "from-a-script"]
        url = publisher.service.url
        form = {"client_id": publisher.client.id, "client_secret": publisher.secret, "grant_type": "none"}
        for fields, expected in ((form, [200, ""]), ({**form, "client_secret": "x"}, [401, "invalid_client"])):
            assert await reader.page.evaluate(POST, [f"{url}/api/authorization/access_token", fields]) == expected
        assert await reader.page.evaluate(WITH_COOKIES, f"{url}/health/live") == 0


async def test_another_publishers_site_may_not_read(
    publisher: Publisher, chromium: Browser, site: LocalSite, tmp_path: Path
) -> None:
    other = await publisher.service.publisher()
    await list_origins(other, site.origin)
    async with window(chromium, tmp_path) as reader:
        await reader.page.goto(f"{site.origin}/")
        assert await called(reader, publisher, await publisher.token()) == STOPPED
        assert await called(reader, other, await other.token()) == [404, "not_found", "from-a-script"]
