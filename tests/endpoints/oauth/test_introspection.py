"""Introspection over HTTP: what a client learns of which tokens, and when a token counts for nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stamkund.rules import scopes
from tests.endpoints.oauth.conftest import OAuthSite, error, site_of

INTROSPECT = "/oauth2/introspect"


async def introspection(asker: OAuthSite, token: str, **more: str) -> dict[str, Any]:
    response = await asker.post(INTROSPECT, token, **more)
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store"), response.text
    body: dict[str, Any] = response.json()
    if not body["active"]:
        assert response.content == b'{"active":false}'
    return body


async def active(asker: OAuthSite, token: str) -> bool:
    return bool((await introspection(asker, token))["active"])


@pytest.fixture
async def api_client(site: OAuthSite) -> OAuthSite:
    """Another client of the organisation, one that may introspect the tokens of all."""
    return await site_of(site.publisher, scopes.TOKEN_INFO)


async def test_a_valid_access_token(site: OAuthSite, api_client: OAuthSite) -> None:
    now = site.service.clock()
    token = (await site.exchanged("/openid", "/external/me/w"))["access_token"]
    for asker in (site, api_client):
        assert await introspection(asker, token, token_type_hint="refresh_token") == {
            "active": True,
            "scope": "/openid /external/me/w",
            "client_id": site.client.id,
            "token_type": "Bearer",
            "exp": now + 3600,
            "iat": now,
            "sub": site.reader,
            "iss": site.service.settings.issuer,
        }


async def test_a_token_without_identity_has_no_subject(site: OAuthSite) -> None:
    token = (await site.issued("none", scope="/external/me/w"))["access_token"]
    assert set(await introspection(site, token)) == {"active", "scope", "client_id", "token_type", "exp", "iat", "iss"}


async def test_a_valid_refresh_token(site: OAuthSite) -> None:
    body = await introspection(site, (await site.exchanged())["refresh_token"])
    assert body["active"] and body["sub"] == site.reader and "token_type" not in body
    assert body["exp"] == site.service.clock() + 180 * 86_400


async def test_introspecting_other_clients_tokens_requires_the_scope(site: OAuthSite, api_client: OAuthSite) -> None:
    neighbour = await site_of(site.publisher)
    foreign = await site_of(await site.service.publisher(), scopes.TOKEN_INFO)
    tokens = await site.exchanged()
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert [await active(asker, token) for asker in (site, api_client, neighbour, foreign)] == [
            True,
            True,
            False,
            False,
        ]


async def test_invalid_tokens_are_all_reported_alike(site: OAuthSite) -> None:
    for sent in ("unknown", "å\0", "a" * 5000):
        assert not await active(site, sent)
    tokens = await site.exchanged()
    clock = site.service.clock
    with clock.at(clock.now + 3599):
        assert await active(site, tokens["access_token"])
    with clock.at(clock.now + 3600):
        assert not await active(site, tokens["access_token"]) and await active(site, tokens["refresh_token"])
    with clock.at(clock.now + 180 * 86_400):
        assert not await active(site, tokens["refresh_token"])
    await site.post("/oauth2/revoke", tokens["refresh_token"])
    assert not await active(site, tokens["access_token"]) and not await active(site, tokens["refresh_token"])


async def test_a_spent_refresh_token_is_not_valid(site: OAuthSite) -> None:
    rotating = await site_of(site.publisher, rotate_refresh_tokens=True)
    first = (await rotating.logged_in())["refresh_token"]
    second = (await rotating.issued("refresh_token", refresh_token=first))["refresh_token"]
    assert [await active(rotating, token) for token in (first, second)] == [False, True]


async def test_a_disabled_clients_tokens_are_not_valid(site: OAuthSite, api_client: OAuthSite) -> None:
    tokens = await site.exchanged()
    await site.service.store.clients.change(site.client.id, lambda c: msgspec.structs.replace(c, disabled=True))
    assert not await active(api_client, tokens["access_token"]) and not await active(
        api_client, tokens["refresh_token"]
    )
    assert error(await site.post(INTROSPECT, tokens["access_token"])) == (401, "invalid_client")


async def test_a_scope_taken_from_the_client_is_missing_in_the_response(site: OAuthSite, api_client: OAuthSite) -> None:
    token = (await site.exchanged("/openid", "/external/me/w"))["access_token"]
    await site.service.store.clients.change(site.client.id, lambda c: msgspec.structs.replace(c, scopes=["/openid"]))
    assert (await introspection(api_client, token))["scope"] == "/openid"


async def test_a_public_client_may_not_introspect(site: OAuthSite) -> None:
    """Anybody knows its id, so anybody could try tokens with it."""
    token = (await site.exchanged())["access_token"]
    await site.service.store.clients.change(
        site.client.id, lambda c: msgspec.structs.replace(c, public=True, secrets=[])
    )
    for secret in ("", site.secret):
        assert error(await site.post(INTROSPECT, token, client_secret=secret)) == (401, "invalid_client")
