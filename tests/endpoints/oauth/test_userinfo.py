"""Userinfo: what each scope lets a client know, and that what is not known is left out."""

from __future__ import annotations

import pytest

from stamkund.endpoints.oauth.userinfo import UserInfo
from stamkund.rules import scopes
from tests.endpoints.oauth.conftest import OAuthSite, site_of
from tests.support.service import Publisher, RunningService

ALL = {
    "name": "Ove Ovesson",
    "given_name": "Ove",
    "family_name": "Ovesson",
    "birthdate": "1962-08-17",
    "gender": "male",
}


@pytest.mark.both_engines
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_every_claim_of_the_reader(site: OAuthSite, method: str) -> None:
    token = (await site.logged_in())["access_token"]
    response = await site.userinfo(token, method)
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    email = {"email": "ove.ovesson@example.com", "email_verified": True}
    profile = {**ALL, "preferred_username": site.reader, "updated_at": site.service.clock()}
    assert response.json() == {"sub": site.reader, **profile, **email}


async def test_each_scope_brings_its_own(site: OAuthSite) -> None:
    for scope, keys in (
        ("openid", {"sub"}),
        ("openid profile", {"sub", *ALL, "preferred_username", "updated_at"}),
        ("openid email", {"sub", "email", "email_verified"}),
        ("/openid /openid/email", {"sub", "email", "email_verified"}),
    ):
        token = (await site.logged_in(scope=scope))["access_token"]
        assert set((await site.userinfo(token)).json()) == keys, scope


async def test_absent_claims_are_left_out(publisher: Publisher) -> None:
    email = "ove.ovesson@example.com"
    await publisher.activated(email, first_name=None, social_security_number=None)
    site = await site_of(publisher)
    claims = (await site.userinfo((await site.logged_in())["access_token"])).json()
    assert set(claims) == {"sub", "name", "family_name", "preferred_username", "updated_at", "email", "email_verified"}
    assert claims["name"] == "Ovesson"


async def test_discovery_lists_every_claim_of_userinfo(service: RunningService) -> None:
    document = (await service.http.get("/.well-known/openid-configuration")).json()
    assert set(UserInfo.__struct_fields__) <= set(document["claims_supported"])


async def test_birth_date_and_gender_follow_from_the_number(publisher: Publisher) -> None:
    await publisher.activated("ove.ovesson@example.com", social_security_number="910820-5205")
    site = await site_of(publisher)
    claims = (await site.userinfo((await site.logged_in())["access_token"])).json()
    assert (claims["birthdate"], claims["gender"]) == ("1991-08-20", "female")


async def test_a_token_in_the_form_counts_for_nothing(site: OAuthSite, service: RunningService) -> None:
    token = (await site.logged_in())["access_token"]
    response = await service.http.post("/userinfo", data={"access_token": token})
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


async def test_userinfo_requires_the_scope_and_an_identity(site: OAuthSite) -> None:
    token = (await site.logged_in(scope=scopes.PROFILE))["access_token"]
    response = await site.userinfo(token)
    assert response.status_code == 403
    assert 'error="insufficient_scope", scope="/openid"' in response.headers["www-authenticate"]
    without_identity = (await site.issued("none"))["access_token"]
    assert (await site.userinfo(without_identity)).json()["code"] == "identity_required"
