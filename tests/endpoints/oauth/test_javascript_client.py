"""`openid-client`, as sites in JavaScript use it, logs a reader in: nothing in it was written for us.

It finds everything by discovery and checks what it gets: state, issuer, PKCE, nonce, the ID token's claims and, with
the published keys, its signature.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from stamkund.rules.organisation import Client
from tests.support.browser import Browser
from tests.support.node import Node
from tests.support.service import Publisher, RunningService

BACK = "https://herald.example/back"
GOODBYE = "https://herald.example/goodbye"
EMAIL, PASSWORD = "ove.ovesson@example.com", "Df7Vdd8!!vnM"
SCOPES = ("/openid", "/openid/profile", "/openid/email", "/openid/offline_access")


@dataclass
class JavaScriptSite:
    """A site: the library with a client of a publisher's, and a reader's browser."""

    node: Node
    publisher: Publisher
    browser: Browser
    account: str
    client: dict[str, str] = field(default_factory=dict)

    async def client_of(self, authentication: str, **flags: Any) -> None:
        """Makes the site a client of its own, which authenticates in this way."""
        flags = {"redirect_uris": [BACK], "logout_uris": [GOODBYE], "offline_access": True, **flags}
        made, secret = await self.publisher.new_client(*SCOPES, public=authentication == "none", **flags)
        if made.public:
            await self.publisher.service.store.clients.change(made.id, without_secrets)
        self.client = {"id": made.id, "secret": secret, "authentication": authentication}

    async def do(self, step: str, **values: Any) -> dict[str, Any]:
        sent = {"do": step, "server": self.publisher.service.url, "client": self.client, **values}
        response: dict[str, Any] = await self.node("openid.mjs", sent)
        return response

    async def refusal(self, step: str, **values: Any) -> dict[str, Any]:
        """The error that the library reports for a step."""
        response = await self.do(step, **values)
        assert list(response) == ["refused"], response
        refusal: dict[str, Any] = response["refused"]
        return refusal

    async def begin(self, scope: str = "openid profile email offline_access") -> dict[str, Any]:
        return await self.do("begin", redirect_uri=BACK, scope=scope)

    async def come_back(self, url: str) -> str:
        """Opens the login page by the site's address and logs in; returns the address that leads back."""
        page = await self.browser.get(url)
        if page.location is None:
            page = await self.browser.submit(email=EMAIL, password=PASSWORD)
        assert page.location is not None and page.location.startswith(f"{BACK}?"), page.text
        return page.location

    async def log_in(self) -> dict[str, Any]:
        begun = await self.begin()
        callback = await self.come_back(begun["url"])
        return await self.do("finish", callback=callback, login=begun["login"], logout_uri=GOODBYE)


def without_secrets(client: Client) -> Client:
    client.secrets = []
    return client


@pytest.fixture
async def site(timely: RunningService, node: Node) -> AsyncIterator[JavaScriptSite]:
    publisher = await timely.publisher()
    account = await publisher.activated(EMAIL)
    async with Browser(timely) as browser:
        made = JavaScriptSite(node, publisher, browser, account)
        await made.client_of("post")
        yield made


def changed(url: str, **values: str) -> str:
    """An address with other values in its query."""
    parts = urlsplit(url)
    return parts._replace(query=urlencode({**dict(parse_qsl(parts.query)), **values})).geturl()


@pytest.mark.parametrize("authentication", ["post", "basic", "none"])
async def test_a_reader_logs_in(site: JavaScriptSite, authentication: str) -> None:
    await site.client_of(authentication)
    done = await site.log_in()
    claims, tokens, service = done["claims"], done["tokens"], site.publisher.service
    assert (claims["iss"], claims["sub"], claims["aud"]) == (service.url, site.account, site.client["id"])
    assert tokens["token_type"].lower() == "bearer" and tokens["expires_in"] == 3600
    assert tokens["scope"].split() == ["openid", "profile", "email", "offline_access"]
    user = done["user"]
    assert (user["sub"], user["email"], user["given_name"]) == (site.account, EMAIL, "Ove")
    await refreshes(site, tokens["refresh_token"])
    await logs_out(site, done["leave"])


async def refreshes(site: JavaScriptSite, first: str) -> None:
    again = (await site.do("refresh", refresh_token=first))["tokens"]
    user = (await site.do("user", access_token=again["access_token"], subject=site.account))["user"]
    assert user["email"] == EMAIL
    rotates = site.client["authentication"] == "none"
    assert ("refresh_token" in again and again["refresh_token"] != first) == rotates
    if rotates:
        sibling = (await site.do("refresh", refresh_token=first))["tokens"]
        assert sibling["refresh_token"] not in (first, again["refresh_token"]), "two tabs may refresh at once"
        clock = site.publisher.service.clock
        with clock.at(clock() + 31):
            refusal = await site.refusal("refresh", refresh_token=first)
        assert refusal["oauth"] == "invalid_grant"


async def logs_out(site: JavaScriptSite, leave: str) -> None:
    page = await site.browser.get(leave)
    assert page.location == f"{GOODBYE}?state=goodbye"
    begun = await site.begin()
    page = await site.browser.get(begun["url"])
    assert page.location is None and [form.id for form in page.forms] == ["login"]


async def test_a_second_site_needs_no_password(site: JavaScriptSite) -> None:
    await site.log_in()
    await site.client_of("basic")
    begun = await site.begin("openid")
    page = await site.browser.get(begun["url"])
    assert page.location is not None
    done = await site.do("finish", callback=page.location, login=begun["login"], logout_uri=GOODBYE)
    assert done["user"] == {"sub": site.account}
    assert "email" not in done["claims"]


async def test_the_library_refuses_a_response_that_was_tampered_with(site: JavaScriptSite) -> None:
    begun = await site.begin()
    callback = await site.come_back(begun["url"])
    for values in ({"state": "another"}, {"iss": "https://elsewhere.example"}):
        refusal = await site.refusal("finish", callback=changed(callback, **values), login=begun["login"])
        assert refusal["code"] == "OAUTH_INVALID_RESPONSE", refusal
    done = await site.do("finish", callback=callback, login=begun["login"], logout_uri=GOODBYE)
    assert done["claims"]["sub"] == site.account


async def test_another_nonce_is_seen_by_the_library(site: JavaScriptSite) -> None:
    begun = await site.begin()
    callback = await site.come_back(begun["url"])
    refusal = await site.refusal("finish", callback=callback, login={**begun["login"], "nonce": "another"})
    assert refusal["code"] == "OAUTH_JWT_CLAIM_COMPARISON_FAILED", refusal


async def test_a_code_works_once(site: JavaScriptSite) -> None:
    """One that comes again is refused, and takes back what it was exchanged for."""
    begun = await site.begin()
    callback = await site.come_back(begun["url"])
    finish = {"callback": callback, "login": begun["login"], "logout_uri": GOODBYE}
    tokens = (await site.do("finish", **finish))["tokens"]
    assert (await site.refusal("finish", **finish))["oauth"] == "invalid_grant"
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert (await site.do("introspect", token=token))["token"] == {"active": False}
    refusal = await site.refusal("user", access_token=tokens["access_token"], subject=site.account)
    assert (refusal["status"], refusal["code"]) == (401, "OAUTH_WWW_AUTHENTICATE_CHALLENGE")


async def test_a_code_is_worth_nothing_without_its_verifier(site: JavaScriptSite) -> None:
    begun = await site.begin()
    callback = await site.come_back(begun["url"])
    login = {**begun["login"], "verifier": "x" * 43}
    assert (await site.refusal("finish", callback=callback, login=login))["oauth"] == "invalid_grant"


async def test_errors_at_the_login_page_reach_the_library(site: JavaScriptSite) -> None:
    begun = await site.begin()
    page = await site.browser.get(changed(begun["url"], prompt="none"))
    refusal = await site.refusal("finish", callback=page.location, login=begun["login"])
    assert (refusal["code"], refusal["oauth"]) == ("OAUTH_AUTHORIZATION_RESPONSE_ERROR", "login_required")
    page = await site.browser.get(changed(begun["url"], scope="openid /external/account/w"))
    refusal = await site.refusal("finish", callback=page.location, login=begun["login"])
    assert refusal["oauth"] == "invalid_scope"
    site.client["secret"] = "guessed"
    callback = await site.come_back(begun["url"])
    assert (await site.refusal("finish", callback=callback, login=begun["login"]))["oauth"] == "invalid_client"


async def test_tokens_are_looked_at_and_taken_back(site: JavaScriptSite) -> None:
    tokens = (await site.log_in())["tokens"]
    about = (await site.do("introspect", token=tokens["access_token"]))["token"]
    assert (about["active"], about["sub"], about["client_id"]) == (True, site.account, site.client["id"])
    assert await site.do("revoke", token=tokens["refresh_token"]) == {}
    assert (await site.do("introspect", token=tokens["refresh_token"]))["token"] == {"active": False}
    assert (await site.refusal("refresh", refresh_token=tokens["refresh_token"]))["oauth"] == "invalid_grant"


async def test_discovery_names_only_what_is_there(site: JavaScriptSite) -> None:
    """Every address of the metadata is ours and responds with something else than "no such path"."""
    service = site.publisher.service
    metadata = (await site.begin())["metadata"]
    addresses = {
        name: value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri", "documentation"))
    }
    assert len(addresses) >= 7 and metadata["issuer"] == service.url
    for name, address in addresses.items():
        assert address.startswith(f"{service.url}/"), name
        responses = [await service.http.request(method, address) for method in ("GET", "POST")]
        assert 404 not in {response.status_code for response in responses}, name
        assert {response.status_code for response in responses} != {405}, name
