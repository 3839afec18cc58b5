"""Refresh tokens over HTTP: by default they stay the same and slide, for a client with rotation they are replaced."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from tests.endpoints.oauth.conftest import OAuthSite, site_of
from tests.support.rows import rows
from tests.support.service import Publisher

DAY = 86_400


class PublicSite(OAuthSite):
    """An app, which has no secret."""

    async def grant(self, grant_type: str, **fields: str) -> httpx.Response:
        form = {"client_id": self.client.id, "grant_type": grant_type, **fields}
        return await self.service.http.post("/api/authorization/access_token", data=form)


async def public_site_of(publisher: Publisher, **flags: Any) -> PublicSite:
    site = await site_of(publisher, public=True, **flags)
    return PublicSite(publisher, site.client, "", site.reader)


@pytest.fixture(params=["confidential", "public"])
async def rotating(publisher: Publisher, request: pytest.FixtureRequest) -> OAuthSite:
    """A client whose refresh tokens rotate; those of a public one do so by themselves."""
    if request.param == "public":
        return await public_site_of(publisher)
    return await site_of(publisher, rotate_refresh_tokens=True)


async def is_refused(site: OAuthSite, token: str) -> bool:
    response = await site.grant("refresh_token", refresh_token=token)
    return response.status_code == 400 and response.json()["error"] == "invalid_grant"


async def test_by_default_the_first_one_stays_valid_and_slides(site: OAuthSite) -> None:
    token = (await site.exchanged())["refresh_token"]
    clock = site.service.clock
    before = clock.now
    for days in (0, 179):
        with clock.at(before + days * DAY):
            assert "refresh_token" not in await site.issued("refresh_token", refresh_token=token)
    with clock.at(before + (179 + 180) * DAY):
        assert await is_refused(site, token)


@pytest.mark.parametrize("rotates", [False, True])
@pytest.mark.both_engines
async def test_none_is_valid_longer_than_four_hundred_days(publisher: Publisher, rotates: bool) -> None:
    """However often it is used, and whether it is the first or one of its successors."""
    site = await site_of(publisher, rotate_refresh_tokens=rotates)
    token = (await site.exchanged())["refresh_token"]
    clock = site.service.clock
    before = clock.now
    for days in (100, 200, 300, 399):
        with clock.at(before + days * DAY):
            issued = await site.issued("refresh_token", refresh_token=token)
            token = issued.get("refresh_token", token)
    with clock.at(before + 400 * DAY - 1):
        issued = await site.issued("refresh_token", refresh_token=token)
        token = issued.get("refresh_token", token)
    with clock.at(before + 400 * DAY):
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


@pytest.mark.both_engines
async def test_an_old_one_that_comes_again_ends_the_login(rotating: OAuthSite) -> None:
    first = await rotating.exchanged()
    second = await rotating.issued("refresh_token", refresh_token=first["refresh_token"])
    another = await rotating.exchanged()
    clock = rotating.service.clock
    with clock.at(clock() + 31):
        assert await is_refused(rotating, first["refresh_token"])
        assert await is_refused(rotating, second["refresh_token"])
        assert not await rotating.holds(second["access_token"])
        assert await rotating.holds(another["access_token"])


@pytest.mark.both_engines
async def test_one_that_comes_again_at_once_gets_a_sibling(rotating: OAuthSite) -> None:
    """Its response was lost, or two tabs refreshed at once. The half minute counts from its first use."""
    first = (await rotating.exchanged("/openid", "/openid/email"))["refresh_token"]
    second = await rotating.issued("refresh_token", refresh_token=first, scope="openid")
    clock = rotating.service.clock
    with clock.at(clock() + 20):
        sibling = await rotating.issued("refresh_token", refresh_token=first)
        assert sibling["refresh_token"] != second["refresh_token"] and sibling["scope"] == "/openid /openid/email"
        for tokens in (second, sibling):
            assert await rotating.holds(tokens["access_token"])
            await rotating.issued("refresh_token", refresh_token=tokens["refresh_token"])
        with clock.at(clock() + 11):
            assert await is_refused(rotating, first)
            assert not await rotating.holds(sibling["access_token"])


async def test_a_scope_that_is_refused_does_not_spend(rotating: OAuthSite) -> None:
    token = (await rotating.exchanged("/openid"))["refresh_token"]
    wrong = await rotating.grant("refresh_token", refresh_token=token, scope="/external/me/w")
    assert wrong.json()["error"] == "invalid_scope"
    assert (await rotating.grant("refresh_token", refresh_token=token)).status_code == 200


@pytest.mark.both_engines
async def test_of_many_refreshes_at_once_all_get_siblings(rotating: OAuthSite) -> None:
    token = (await rotating.exchanged())["refresh_token"]
    responses = await asyncio.gather(*(rotating.grant("refresh_token", refresh_token=token) for _ in range(20)))
    successors = {response.json()["refresh_token"] for response in responses}
    assert len(successors) == 20 and token not in successors
    clock = rotating.service.clock
    with clock.at(clock() + 31):
        assert await is_refused(rotating, token)
        assert all([await is_refused(rotating, successor) for successor in successors])


@pytest.mark.both_engines
async def test_a_reader_has_two_hundred_refresh_tokens_with_a_client(site: OAuthSite) -> None:
    """The least recently used makes room; those of other clients and readers stay."""
    other = await site_of(site.publisher)
    others_token, first, second = [(await s.exchanged())["refresh_token"] for s in (other, site, site)]
    clock = site.service.clock
    with clock.at(clock() + 10):
        await site.issued("refresh_token", refresh_token=first)
        for _ in range(198):
            await site.logged_in()
        assert await _refresh_tokens(site) == 200
        await asyncio.gather(*(site.logged_in() for _ in range(20)))
        assert await _refresh_tokens(site) == 200
        assert await is_refused(site, second)
        await other.issued("refresh_token", refresh_token=others_token)


async def _refresh_tokens(site: OAuthSite) -> int:
    sql = f"SELECT count(*) FROM tokens WHERE client = '{site.client.id}' AND kind = 'refresh'"
    return int((await rows(site.service.settings.database_url, sql))[0][0])


@pytest.mark.both_engines
async def test_an_app_may_have_one_that_stays(publisher: Publisher) -> None:
    """Switched off for it, nothing is replaced or revoked, however often the same token comes."""
    app = await public_site_of(publisher, rotate_refresh_tokens=False)
    first = await app.exchanged()
    clock = app.service.clock
    for seconds in (0, 1, 31, 100 * DAY):
        with clock.at(clock() + seconds):
            issued = await app.issued("refresh_token", refresh_token=first["refresh_token"])
            assert "refresh_token" not in issued and await app.holds(issued["access_token"])


@pytest.mark.parametrize("rotates", [True, False])
@pytest.mark.both_engines
async def test_rotation_may_be_switched_while_tokens_are_out(publisher: Publisher, rotates: bool) -> None:
    """The tokens that an app has go on to work, by the new rule; also one whose response was lost just before."""
    app = await public_site_of(publisher, rotate_refresh_tokens=not rotates)
    first = (await app.exchanged())["refresh_token"]
    before = await app.issued("refresh_token", refresh_token=first)
    client = msgspec.structs.replace(app.client, rotate_refresh_tokens=rotates)
    await app.service.store.clients.change(app.client.id, lambda _: client)
    again = await app.issued("refresh_token", refresh_token=first)
    latest = again.get("refresh_token", first)
    clock = app.service.clock
    with clock.at(clock() + 31):
        for token in {latest, before.get("refresh_token", latest)}:
            issued = await app.issued("refresh_token", refresh_token=token)
            assert ("refresh_token" in issued) is rotates
