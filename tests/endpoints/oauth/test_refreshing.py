"""Refresh tokens over HTTP: by default they stay the same and slide, for a client with rotation they are replaced."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tests.endpoints.oauth.conftest import OAuthSite, site_of
from tests.support.service import Publisher

DAY = 86_400


@pytest.fixture
async def rotating(publisher: Publisher) -> OAuthSite:
    return await site_of(publisher, rotate_refresh_tokens=True)


async def is_refused(site: OAuthSite, token: str) -> bool:
    response = await site.grant("refresh_token", refresh_token=token)
    return response.status_code == 400 and response.json()["error"] == "invalid_grant"


async def test_by_default_the_first_one_stays_valid_and_slides(site: OAuthSite) -> None:
    token = (await site.exchanged())["refresh_token"]
    clock = site.service.clock
    before = clock.now
    for days in (0, 179, 358):
        with clock.at(before + days * DAY):
            assert "refresh_token" not in await site.issued("refresh_token", refresh_token=token)
    with clock.at(before + (358 + 180) * DAY):
        assert await is_refused(site, token)


async def test_a_rotating_one_is_followed_by_the_next(rotating: OAuthSite) -> None:
    tokens = await rotating.exchanged("/openid", "/openid/email")
    for _ in range(3):
        following = await rotating.issued("refresh_token", refresh_token=tokens["refresh_token"])
        assert following["refresh_token"] != tokens["refresh_token"] and following["scope"] == "/openid /openid/email"
        assert await rotating.holds(following["access_token"]) and await rotating.holds(tokens["access_token"])
        tokens = following


async def test_a_narrower_access_token_does_not_narrow_the_next_refresh_token(rotating: OAuthSite) -> None:
    tokens = await rotating.exchanged("/openid", "/openid/email")
    narrow = await rotating.issued("refresh_token", refresh_token=tokens["refresh_token"], scope="openid")
    assert narrow["scope"] == "openid"
    wide = await rotating.issued("refresh_token", refresh_token=narrow["refresh_token"])
    assert wide["scope"] == "/openid /openid/email"


async def test_an_old_one_that_comes_again_ends_the_login(rotating: OAuthSite) -> None:
    first = await rotating.exchanged()
    second = await rotating.issued("refresh_token", refresh_token=first["refresh_token"])
    another = await rotating.exchanged()
    assert await is_refused(rotating, first["refresh_token"])
    assert await is_refused(rotating, second["refresh_token"])
    assert not await rotating.holds(second["access_token"])
    assert await rotating.holds(another["access_token"])


async def test_a_scope_that_is_refused_does_not_spend(rotating: OAuthSite) -> None:
    token = (await rotating.exchanged("/openid"))["refresh_token"]
    wrong = await rotating.grant("refresh_token", refresh_token=token, scope="/openid/email")
    assert wrong.json()["error"] == "invalid_scope"
    assert (await rotating.grant("refresh_token", refresh_token=token)).status_code == 200


@pytest.mark.both_engines
async def test_of_many_refreshes_at_once_one_succeeds(rotating: OAuthSite) -> None:
    token = (await rotating.exchanged())["refresh_token"]
    responses = await asyncio.gather(*(rotating.grant("refresh_token", refresh_token=token) for _ in range(20)))
    won = [response.json() for response in responses if response.status_code == 200]
    assert len(won) == 1
    assert await is_refused(rotating, won[0]["refresh_token"]) and not await rotating.holds(won[0]["access_token"])


async def test_a_public_clients_always_rotate(publisher: Publisher) -> None:
    site = await site_of(publisher)
    first = (await site.exchanged())["refresh_token"]
    await site.service.store.clients.change(
        site.client.id, lambda c: msgspec.structs.replace(c, public=True, secrets=[])
    )
    form = {"grant_type": "refresh_token", "client_id": site.client.id, "refresh_token": first}
    response = await site.service.http.post("/api/authorization/access_token", data=form)
    assert response.status_code == 200 and response.json()["refresh_token"] != first
