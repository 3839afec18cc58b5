"""Revocation over HTTP: what is revoked, what stays valid, and that the response reveals neither."""

from __future__ import annotations

import base64

import httpx
import msgspec
import pytest

from tests.endpoints.oauth.conftest import OAuthSite, error, site_of
from tests.support.service import Publisher

REVOKE = "/oauth2/revoke"


def is_done(response: httpx.Response) -> bool:
    sent = response.status_code, response.content, response.headers["cache-control"]
    return sent == (200, b"", "no-store") and "content-type" not in response.headers


@pytest.mark.both_engines
async def test_an_access_token_goes_alone(site: OAuthSite) -> None:
    tokens = await site.exchanged()
    assert await site.holds(tokens["access_token"])
    assert is_done(await site.post(REVOKE, tokens["access_token"], token_type_hint="access_token"))
    assert not await site.holds(tokens["access_token"])
    again = await site.issued("refresh_token", refresh_token=tokens["refresh_token"])
    assert await site.holds(again["access_token"])


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "unknown", None])
async def test_a_refresh_token_takes_all_of_its_login_along(site: OAuthSite, hint: str | None) -> None:
    tokens, another = await site.exchanged(), await site.exchanged()
    more = await site.issued("refresh_token", refresh_token=tokens["refresh_token"])
    hints = {} if hint is None else {"token_type_hint": hint}
    assert is_done(await site.post(REVOKE, tokens["refresh_token"], **hints))
    assert [await site.holds(t["access_token"]) for t in (tokens, more, another)] == [False, False, True]
    response = await site.grant("refresh_token", refresh_token=tokens["refresh_token"])
    assert response.json()["error"] == "invalid_grant"


async def test_another_clients_token_is_not_touched(site: OAuthSite) -> None:
    tokens = await site.exchanged()
    neighbour = await site_of(site.publisher)
    foreign = await site_of(await site.service.publisher())
    for other in (neighbour, foreign):
        for token in (tokens["access_token"], tokens["refresh_token"]):
            assert is_done(await other.post(REVOKE, token))
    assert await site.holds(tokens["access_token"])
    assert (await site.grant("refresh_token", refresh_token=tokens["refresh_token"])).status_code == 200


async def test_what_is_unknown_is_as_good_as_revoked(site: OAuthSite) -> None:
    token = (await site.exchanged())["access_token"]
    for sent in ("unknown", "å\0", "a" * 5000, token, token):
        assert is_done(await site.post(REVOKE, sent))


async def test_http_basic(site: OAuthSite) -> None:
    token = (await site.exchanged())["access_token"]
    for secret, status in (("wrong", 401), (site.secret, 200)):
        basic = base64.b64encode(f"{site.client.id}:{secret}".encode()).decode()
        headers = {"authorization": f"Basic {basic}"}
        response = await site.service.http.post(REVOKE, data={"token": token}, headers=headers)
        assert response.status_code == status
        assert (response.headers.get("www-authenticate") is not None) == (status == 401)
    assert not await site.holds(token)


async def test_a_public_client_revokes_by_its_id(publisher: Publisher) -> None:
    site = await site_of(publisher)
    tokens = await site.exchanged()
    await site.service.store.clients.change(
        site.client.id, lambda c: msgspec.structs.replace(c, public=True, secrets=[])
    )
    assert error(await site.post(REVOKE, tokens["access_token"])) == (401, "invalid_client"), "it has no secret"
    assert is_done(await site.post(REVOKE, tokens["refresh_token"], client_secret=""))
    assert not await site.holds(tokens["access_token"])


async def test_a_disabled_client_can_not_revoke(site: OAuthSite) -> None:
    token = (await site.exchanged())["access_token"]
    await site.service.store.clients.change(site.client.id, lambda c: msgspec.structs.replace(c, disabled=True))
    assert error(await site.post(REVOKE, token)) == (401, "invalid_client")
