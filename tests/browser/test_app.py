"""An app that lives in the browser alone: a public client, whose scripts do all of OAuth by themselves (PKCE, CORS)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from stamkund.rules.organisation import Client
from tests.support.service import Publisher
from tests.support.site import LocalSite
from tests.support.window import window

EMAIL, PASSWORD = "ove.ovesson@example.com", "Df7Vdd8!!vnM"
BEGIN = """async ([server, client, back]) => {
    const text = bytes => btoa(String.fromCharCode(...bytes)).replace(/[+]/g, '-').replace(/[/]/g, '_')
        .replace(/=/g, '');
    const verifier = text(crypto.getRandomValues(new Uint8Array(32)));
    sessionStorage.setItem('verifier', verifier);
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
    const metadata = await (await fetch(`${server}/.well-known/openid-configuration`)).json();
    const parameters = {client_id: client, redirect_uri: back, response_type: 'code', scope: 'openid email', state: 'x',
        code_challenge: text(new Uint8Array(digest)), code_challenge_method: 'S256'};
    return `${metadata.authorization_endpoint}?${new URLSearchParams(parameters)}`;
}"""
FINISH = """async ([server, client, back]) => {
    const metadata = await (await fetch(`${server}/.well-known/openid-configuration`)).json();
    const post = async fields => {
        const response = await fetch(metadata.token_endpoint, {method: 'POST', body: new URLSearchParams(fields)});
        return [response.status, await response.json()];
    };
    const code = new URLSearchParams(location.search).get('code');
    const [status, tokens] = await post({grant_type: 'authorization_code', client_id: client, redirect_uri: back,
        code, code_verifier: sessionStorage.getItem('verifier')});
    const headers = {authorization: `Bearer ${tokens.access_token}`};
    const user = await (await fetch(metadata.userinfo_endpoint, {headers})).json();
    const refresh = {grant_type: 'refresh_token', client_id: client, refresh_token: tokens.refresh_token};
    const [again, next] = await post(refresh);
    const [replayed] = await post(refresh);
    return [status, user.email, again, next.refresh_token !== tokens.refresh_token, replayed];
}"""


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with LocalSite() as running:
        yield running


async def public_client(publisher: Publisher, site: LocalSite) -> Client:
    client, _ = await publisher.new_client(
        "/openid",
        "/openid/email",
        redirect_uris=[f"{site.origin}/back"],
        origins=[site.origin],
        offline_access=True,
        public=True,
    )

    def without_secrets(client: Client) -> Client:
        client.secrets = []
        return client

    await publisher.service.store.clients.change(client.id, without_secrets)
    return client


async def test_an_app_logs_its_reader_in(
    publisher: Publisher, chromium: Browser, site: LocalSite, tmp_path: Path
) -> None:
    await publisher.activated(EMAIL)
    client = await public_client(publisher, site)
    arguments = [publisher.service.url, client.id, f"{site.origin}/back"]
    async with window(chromium, tmp_path) as reader:
        page = reader.page
        await page.goto(f"{site.origin}/")
        await page.goto(await page.evaluate(BEGIN, arguments))
        await page.locator("input[type=email]").fill(EMAIL)
        await page.locator("input[type=password]").fill(PASSWORD)
        await page.locator("button").click()
        await expect(page).to_have_title("Herald")
        assert await page.evaluate(FINISH, arguments) == [200, EMAIL, 200, True, 200]  # again at once: a sibling
        assert reader.origins() == {publisher.service.url, site.origin}
