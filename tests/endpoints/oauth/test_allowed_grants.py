"""By which grants a client may get tokens, when it must send PKCE, and what a public client may never have."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest

from stamkund.identity.tokens import new_token, token_digest
from stamkund.rules.organisation import GRANTS
from stamkund.store import ACCESS, Issue, NewToken
from tests.endpoints.oauth.conftest import EMAIL, PASSWORD, REDIRECT, OAuthSite, error, site_of
from tests.support.service import Publisher

UNAUTHORIZED = (400, "unauthorized_client")
CHALLENGE = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}


async def authorized(site: OAuthSite, **more: str) -> dict[str, str]:
    """What the client gets back from the authorization endpoint, without anybody being logged in."""
    query = {"client_id": site.client.id, "response_type": "code", "redirect_uri": REDIRECT, "prompt": "none", **more}
    response = await site.service.http.get("/oauth2/auth", params=query)
    assert response.status_code == 302 and response.headers["location"].startswith(f"{REDIRECT}?")
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


async def change(site: OAuthSite, **fields: Any) -> None:
    await site.service.store.clients.change(site.client.id, lambda c: msgspec.structs.replace(c, **fields))


@pytest.mark.parametrize("grant", GRANTS)
async def test_a_grant_that_the_client_is_not_given_is_refused_before_anything_is_looked_at(
    publisher: Publisher, grant: str
) -> None:
    site = await site_of(publisher, grants=[other for other in GRANTS if other != grant])
    fields = {"username": EMAIL, "password": PASSWORD, "code": await site.code(), "redirect_uri": REDIRECT}
    fields |= {"ticket": "a" * 43, "refresh_token": "b" * 43}
    assert error(await site.grant(grant, **fields)) == UNAUTHORIZED
    assert error(await site.grant(grant)) == UNAUTHORIZED
    await change(site, grants=[grant])
    allowed = await site.grant(grant, **fields)
    assert allowed.status_code == 200 or error(allowed) == (400, "invalid_grant")


async def test_a_login_by_a_grant_that_is_not_allowed_is_no_attempt(publisher: Publisher) -> None:
    site = await site_of(publisher, grants=["none"])
    for _ in range(6):
        assert error(await site.grant("password", username=EMAIL, password="wrong")) == UNAUTHORIZED
    await change(site, grants=["password"])
    assert (await site.grant("password", username=EMAIL, password=PASSWORD)).status_code == 200


async def test_who_may_not_refresh_gets_nothing_to_refresh_with(publisher: Publisher) -> None:
    site = await site_of(publisher, grants=["password", "authorization_code"])
    assert "refresh_token" not in await site.logged_in()
    assert "refresh_token" not in await site.exchanged()
    await change(site, grants=["password", "authorization_code", "refresh_token"])
    assert "refresh_token" in await site.logged_in() and "refresh_token" in await site.exchanged()


async def test_who_may_exchange_no_code_gets_none(publisher: Publisher) -> None:
    site = await site_of(publisher, grants=["password", "ticket"])
    assert (await authorized(site))["error"] == "unauthorized_client"
    await change(site, grants=["authorization_code"])
    assert (await authorized(site))["error"] == "login_required"


async def test_a_client_from_before_grants_were_listed_keeps_them_all(publisher: Publisher) -> None:
    site = await site_of(publisher)
    assert site.client.grants is None
    for issued in (await site.logged_in(), await site.exchanged(), await site.issued("none")):
        assert issued["access_token"]


async def test_pkce_can_be_required_of_a_confidential_client(publisher: Publisher) -> None:
    site = await site_of(publisher, require_pkce=True)
    sent_back = await authorized(site)
    assert sent_back["error"] == "invalid_request"
    assert sent_back["error_description"] == "The parameter code_challenge is required"
    assert (await authorized(site, **CHALLENGE))["error"] == "login_required"


# Public clients from before they were refused such scopes --------------------------------------------------


async def app(publisher: Publisher) -> OAuthSite:
    """A public client that an earlier version gave the scope to read any reader's number."""
    return await site_of(publisher, "/external/account/r", "/external/account/w", "/external/me/w", public=True)


async def call(site: OAuthSite, token: str, path: str, **query: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return await site.service.http.get(f"/external/api/v1/{path}", params=query, headers=headers)


async def test_a_token_of_a_public_client_reads_no_other_reader(publisher: Publisher) -> None:
    site, now = await app(publisher), publisher.service.clock()
    token = new_token()
    stored = NewToken(
        digest=token_digest(token.encode()),
        kind=ACCESS,
        client=site.client.id,
        account=None,
        scopes="/external/account/r /external/account/w /external/me/w",
        created=now,
        expires=now + 3600,
        family="f" * 24,
    )
    issue = Issue(publisher.id, site.client.id, "authorization_code", now)
    await publisher.service.store.tokens.add([stored], issue)  # as an earlier version issued it
    assert (await call(site, token, "accounts", email=EMAIL)).json()["code"] == "insufficient_scope"
    candidate = await call(site, token, "accounts/candidate", customer_number="100001")
    assert candidate.json()["code"] == "insufficient_scope"
    assert (await call(site, token, "me")).json()["code"] == "identity_required"


async def test_a_public_client_is_given_no_such_scope(publisher: Publisher) -> None:
    site = await app(publisher)
    site.secret = ""
    sent_back = await authorized(site, scope="/external/account/r", **CHALLENGE)
    assert sent_back["error"] == "invalid_scope"
    assert (await authorized(site, scope="/external/me/w", **CHALLENGE))["error"] == "login_required"
    [stored] = [c for c in await site.service.store.clients.of_organisation(publisher.id) if c.id == site.client.id]
    assert stored.scopes == ["/openid", "/openid/profile", "/openid/email", "/external/me/w"]
