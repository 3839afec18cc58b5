"""A client that was written by others: Authlib finds everything by discovery, logs in, checks, refreshes, revokes.

The reader's browser is a real HTTP client that goes through the hosted login page.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from authlib.integrations.base_client.async_app import AsyncOAuth2Mixin
from authlib.integrations.base_client.async_openid import AsyncOpenIDMixin
from authlib.integrations.base_client.sync_app import BaseApp
from authlib.integrations.httpx_client import AsyncOAuth2Client

from tests.endpoints.oauth.conftest import EMAIL, PASSWORD, REDIRECT, OAuthSite, site_of
from tests.support.browser import Browser
from tests.support.service import RunningService

SCOPE = "openid profile email offline_access"
METHODS = ("client_secret_basic", "client_secret_post", "none")


class App(AsyncOAuth2Mixin, AsyncOpenIDMixin, BaseApp):  # type: ignore[misc]
    """Authlib's client as its web framework integrations put it together."""

    client_cls = AsyncOAuth2Client


@pytest.fixture
async def site(fresh_url: str, tmp_path: Path) -> AsyncIterator[OAuthSite]:
    """On an installation whose clock is right, as the library's is."""
    async with RunningService(fresh_url, tmp_path / "stamkund.key") as service:
        service.clock.now = int(time.time())
        yield await site_of(await service.publisher(), "/openid/offline_access")


async def app_of(site: OAuthSite, method: str = METHODS[0]) -> App:
    if method == "none":
        await site.service.store.clients.change(
            site.client.id, lambda c: msgspec.structs.replace(c, public=True, secrets=[])
        )
    return App(
        None,
        "stamkund",
        client_id=site.client.id,
        client_secret=None if method == "none" else site.secret,
        server_metadata_url=f"{site.service.url}/.well-known/openid-configuration",
        client_kwargs={"scope": SCOPE, "code_challenge_method": "S256", "token_endpoint_auth_method": method},
    )


async def logged_in(app: App, browser: Browser, **more: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Through the browser: what the library sent, and the tokens that it got."""
    sent = await app.create_authorization_url(REDIRECT, **more)
    page = await browser.get(sent["url"])
    if page.location is None:
        page = await browser.submit(email=EMAIL, password=PASSWORD)
    back = page.location
    assert back is not None and back.startswith(f"{REDIRECT}?"), page.text
    query = dict(parse_qsl(urlsplit(back).query))
    assert set(query) == {"code", "state", "iss"}
    assert (query["state"], query["iss"]) == (sent["state"], app.server_metadata["issuer"])
    tokens = await app.fetch_access_token(REDIRECT, code=query["code"], code_verifier=sent["code_verifier"])
    return sent, tokens


@pytest.mark.parametrize("method", METHODS)
async def test_a_login_from_discovery_to_revocation(site: OAuthSite, method: str) -> None:
    app = await app_of(site, method)
    async with Browser(site.service) as browser:
        sent, tokens = await logged_in(app, browser)
    assert tokens["scope"] == SCOPE and tokens["token_type"] == "Bearer"
    claims = await app.parse_id_token(tokens, nonce=sent["nonce"])
    assert (claims["sub"], claims["aud"]) == (site.reader, site.client.id)
    assert claims["auth_time"] == claims["iat"] == site.service.clock.now
    userinfo = await app.userinfo(token=tokens)
    assert (userinfo["sub"], userinfo["name"], userinfo["email"]) == (site.reader, "Ove Ovesson", EMAIL)
    await refreshed_and_revoked(app, tokens, method)


async def refreshed_and_revoked(app: App, tokens: dict[str, Any], method: str) -> None:
    metadata = app.server_metadata
    client = AsyncOAuth2Client(
        app.client_id, app.client_secret, token_endpoint_auth_method=method, revocation_endpoint_auth_method=method
    )
    async with client:
        refreshed = await client.refresh_token(metadata["token_endpoint"], refresh_token=tokens["refresh_token"])
        held = {**tokens, **refreshed}
        assert (await app.userinfo(token=held))["email"] == EMAIL
        if method != "none":
            response = await client.introspect_token(metadata["introspection_endpoint"], token=held["access_token"])
            assert response.json()["active"] is True
        revoked = await client.revoke_token(metadata["revocation_endpoint"], token=held["refresh_token"])
        assert revoked.status_code == 200
    for gone in (tokens, held):
        response = await app.get(metadata["userinfo_endpoint"], token=gone)
        assert response.status_code == 401


async def test_a_second_login_needs_no_password(site: OAuthSite) -> None:
    """And says when the password was given."""
    app = await app_of(site)
    async with Browser(site.service) as browser:
        await logged_in(app, browser)
        before = site.service.clock.now
        site.service.clock.now += 60
        sent, tokens = await logged_in(app, browser, prompt="none")
    claims = await app.parse_id_token(tokens, nonce=sent["nonce"], leeway=180)
    assert (claims["auth_time"], claims["iat"]) == (before, before + 60)


async def test_the_library_refuses_what_is_not_meant_for_it(site: OAuthSite) -> None:
    """So the checks above are checks."""
    app = await app_of(site)
    async with Browser(site.service) as browser:
        sent, tokens = await logged_in(app, browser)
    other = await app_of(await site_of(site.publisher, "/openid/offline_access"))
    for checker, token, nonce in (
        (app, tokens, "another nonce"),
        (other, tokens, sent["nonce"]),
        (app, {**tokens, "access_token": "another"}, sent["nonce"]),
        (app, {**tokens, "id_token": tokens["id_token"][:-12] + "AAAAAAAAAAAA"}, sent["nonce"]),
    ):
        with pytest.raises(Exception, match=r"(?i)nonce|azp|aud|at_hash|signature"):
            await checker.parse_id_token(token, nonce=nonce)


async def test_a_logout_with_an_expired_id_token_needs_no_confirmation(site: OAuthSite) -> None:
    """RP-Initiated Logout: the ID token is only a hint, so it may have expired."""
    await site.service.store.clients.change(
        site.client.id, lambda c: msgspec.structs.replace(c, logout_uris=["https://herald.example/goodbye"])
    )
    app = await app_of(site)
    async with Browser(site.service) as browser:
        _, tokens = await logged_in(app, browser)
        site.service.clock.now += 2 * 86_400
        made = await app.create_logout_url("https://herald.example/goodbye", tokens["id_token"], state="s")
        page = await browser.get(made["url"])
        assert page.location == "https://herald.example/goodbye?state=s"
        sent = await app.create_authorization_url(REDIRECT, prompt="none")
        assert "error=login_required" in ((await browser.get(sent["url"])).location or "")
