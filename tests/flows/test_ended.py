"""What a login gave ends with it: tokens, codes and tickets of a session that was ended, or of a blocked account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from stamkund.rules import identifiers
from stamkund.rules.organisation import Client
from tests.support.browser import Browser
from tests.support.connector import Connector
from tests.support.rows import executed
from tests.support.service import Publisher
from tests.support.waiting import until

EMAIL, PASSWORD, BACK = "ove.ovesson@example.com", "Df7Vdd8!!vnM", "https://site.example.com/back"
SCOPES = ("/openid", "/external/me/w", "/external/account/r", "/external/account/w")
LOGOUT = "/oauth2/logout"


@dataclass
class LoggedIn:
    """A reader in a browser, and a client that has everything which a login can give."""

    publisher: Publisher
    client: Client
    secret: str
    browser: Browser
    connector: Connector

    async def code(self, scope: str = "") -> str:
        query = {"client_id": self.client.id, "response_type": "code", "redirect_uri": BACK, "scope": scope}
        response = await self.browser.get("/oauth2/auth", **query)
        return parse_qs(urlsplit(response.location or "").query)["code"][0]

    async def ticket(self) -> str:
        location = (await self.browser.get(self.connector.identify("", BACK))).location or ""
        return str(self.connector.read(parse_qs(urlsplit(location).query)["t"][0])["at"])

    async def sid(self) -> str:
        location = (await self.browser.get(self.connector.identify("", BACK))).location or ""
        return str(self.connector.read(parse_qs(urlsplit(location).query)["t"][0])["sid"])

    async def grant(self, grant_type: str, **fields: str) -> httpx.Response:
        return await self.publisher.grant(grant_type, self.client, self.secret, **fields)

    async def tokens(self, scope: str = "/openid /external/me/w") -> dict[str, str]:
        response = await self.grant("authorization_code", code=await self.code(scope), redirect_uri=BACK)
        assert response.status_code == 200, response.text
        issued: dict[str, str] = response.json()
        return issued

    async def is_valid(self, access_token: str) -> bool:
        """Asked in every way: they must agree."""
        bearer = {"authorization": f"Bearer {access_token}"}
        http = self.publisher.service.http
        me = await http.get("/external/api/v1/me", headers=bearer)
        products = await http.get("/external/api/v1/me/active_products", headers=bearer)
        info = await http.get("/userinfo", headers=bearer)
        titles = await http.get("/external/api/v1/accounts?email=nobody@example.com", headers=bearer)
        candidate = await http.get("/external/api/v1/accounts/candidate?customer_number=999", headers=bearer)
        form = {"client_id": self.client.id, "client_secret": self.secret, "token": access_token}
        active = (await http.post("/oauth2/introspect", data=form)).json()["active"]
        statuses = {r.status_code == 401 for r in (me, products, info, titles, candidate)}
        assert statuses == {not active}, "a blocked reader's token is refused at every call, or at none"
        return bool(active)

    async def refreshes(self, refresh_token: str) -> bool:
        return (await self.grant("refresh_token", refresh_token=refresh_token)).status_code == 200


@pytest.fixture
async def reader(publisher: Publisher) -> AsyncIterator[LoggedIn]:
    await publisher.activated(EMAIL)
    flags = {"sso2": True, "offline_access": True, "redirect_uris": [BACK]}
    client, secret = await publisher.new_client(*SCOPES, "/openid/offline_access", **flags)
    service = publisher.service
    connector = Connector(service.url, publisher.id, client.id, secret, service.clock)
    async with Browser(service) as browser:
        await browser.get("/login", oid=publisher.id)
        await browser.submit(email=EMAIL, password=PASSWORD)
        yield LoggedIn(publisher, client, secret, browser, connector)
    await connector.http.aclose()


async def _account_row(publisher: Publisher) -> int:
    login = await publisher.service.store.logins.find(publisher.id, identifiers.email(EMAIL))
    assert login is not None and login.row is not None
    return login.row


async def end(reader: LoggedIn, how: str) -> None:
    if how == "sso2":
        await reader.connector.log_out(await reader.sid())
    elif how == "page":
        await reader.browser.get(LOGOUT, oid=reader.publisher.id)
        await reader.browser.submit()
    else:
        store, row = reader.publisher.service.store, await _account_row(reader.publisher)
        await store.sessions.end_all(
            reader.publisher.id, row, reader.publisher.service.clock(), "operator", offline=False
        )


@pytest.mark.parametrize("how", ["sso2", "page", "operator"])
async def test_tokens_codes_and_tickets_end_with_their_session(reader: LoggedIn, how: str) -> None:
    tokens = await reader.tokens()
    by_ticket = (await reader.grant("ticket", ticket=await reader.ticket(), scope="/openid /external/me/w")).json()
    refreshed = (await reader.grant("refresh_token", refresh_token=tokens["refresh_token"])).json()
    code, ticket = await reader.code(), await reader.ticket()
    for issued in (tokens, by_ticket, refreshed):
        assert await reader.is_valid(issued["access_token"])
    await end(reader, how)
    for issued in (tokens, by_ticket, refreshed):
        assert not await reader.is_valid(issued["access_token"])
    for issued in (tokens, by_ticket):
        assert not await reader.refreshes(issued["refresh_token"])
    assert (await reader.grant("authorization_code", code=code, redirect_uri=BACK)).json()["error"] == "invalid_grant"
    assert (await reader.grant("ticket", ticket=ticket)).json()["error"] == "invalid_grant"
    other = (await reader.connector.create_session())["sid"]
    assert (await reader.connector.authenticate_with_ticket(other, ticket))["err"] == "invalid_credentials"


@pytest.mark.parametrize("how", ["sso2", "page", "operator"])
async def test_offline_access_outlives_the_session(reader: LoggedIn, how: str) -> None:
    tokens = await reader.tokens("/openid /external/me/w offline_access")
    narrow = await reader.grant("refresh_token", refresh_token=tokens["refresh_token"], scope="/openid /external/me/w")
    await end(reader, how)
    assert await reader.is_valid(tokens["access_token"])
    assert await reader.is_valid(narrow.json()["access_token"]), "the family was given it"
    assert await reader.refreshes(tokens["refresh_token"])


async def test_another_login_of_the_reader_goes_on(reader: LoggedIn) -> None:
    tokens = await reader.tokens()
    grant = (await reader.grant("password", username=EMAIL, password=PASSWORD, scope="/openid /external/me/w")).json()
    await end(reader, "page")
    assert not await reader.is_valid(tokens["access_token"])
    assert await reader.is_valid(grant["access_token"]) and await reader.refreshes(grant["refresh_token"])


async def test_an_operator_ends_every_login(reader: LoggedIn) -> None:
    grant = (await reader.grant("password", username=EMAIL, password=PASSWORD, scope="/openid /external/me/w")).json()
    offline = (await reader.grant("password", username=EMAIL, password=PASSWORD)).json()
    await end(reader, "operator")
    assert not await reader.is_valid(grant["access_token"]) and not await reader.refreshes(grant["refresh_token"])
    assert await reader.refreshes(offline["refresh_token"])
    store, row = reader.publisher.service.store, await _account_row(reader.publisher)
    await store.sessions.end_all(reader.publisher.id, row, reader.publisher.service.clock(), "operator", offline=True)
    assert not await reader.refreshes(offline["refresh_token"])


async def test_a_session_that_expires_unused_ends_nothing(reader: LoggedIn) -> None:
    tokens = await reader.tokens()
    service = reader.publisher.service
    with service.clock.at(service.clock() + 31 * 86_400):
        await service.store.sessions.remove_expired(service.clock())
        assert await reader.refreshes(tokens["refresh_token"])


async def test_a_refresh_counts_as_seen(reader: LoggedIn) -> None:
    tokens, sid = await reader.tokens(), await reader.sid()
    service = reader.publisher.service
    begun = service.clock()
    with service.clock.at(begun + 29 * 86_400):
        assert await reader.refreshes(tokens["refresh_token"])
        await until(partial(_lives_until, reader, sid, begun + 59 * 86_400))


async def _lives_until(reader: LoggedIn, sid: str, expires: int) -> bool:
    lookup = await reader.publisher.service.store.sessions.of_client(reader.client.id, sid)
    assert lookup is not None and lookup.session is not None
    return lookup.session.expires == expires


@pytest.mark.parametrize("status", ["inactive", "created", "login_disabled"])
async def test_an_account_that_is_not_active_is_refused_everywhere(reader: LoggedIn, status: str) -> None:
    tokens, code, ticket, sid = await reader.tokens(), await reader.code(), await reader.ticket(), await reader.sid()
    second = await reader.ticket()
    await _set_status(reader, status)
    assert not await reader.is_valid(tokens["access_token"])
    assert not await reader.refreshes(tokens["refresh_token"])
    assert (await reader.grant("authorization_code", code=code, redirect_uri=BACK)).json()["error"] == "invalid_grant"
    assert (await reader.grant("ticket", ticket=ticket)).json()["error"] == "invalid_grant"
    other = (await reader.connector.create_session())["sid"]
    assert (await reader.connector.authenticate_with_ticket(other, second))["err"] == "account_not_active"
    assert (await reader.connector.authenticate(other, EMAIL, PASSWORD))["err"] == "account_not_active"
    by_password = await reader.grant("password", username=EMAIL, password=PASSWORD)
    assert by_password.json()["error"] == "invalid_grant"
    assert (await reader.connector.status(sid, "loggedin"))["sts"] == "terminated"
    query = {"client_id": reader.client.id, "response_type": "code", "redirect_uri": BACK, "prompt": "none"}
    assert "login_required" in ((await reader.browser.get("/oauth2/auth", **query)).location or "")
    assert await reader.ticket() == ""
    await _set_status(reader, "active")
    assert await reader.is_valid(tokens["access_token"]) and await reader.refreshes(tokens["refresh_token"])


async def _set_status(reader: LoggedIn, status: str) -> None:
    """By the database, as most statuses are set by no command; disabling logins by the verb of the command."""
    service = reader.publisher.service
    login = await service.store.logins.find(reader.publisher.id, identifiers.email(EMAIL))
    assert login is not None and login.account is not None
    if status == "login_disabled" or login.account.login_disabled:
        accounts, disabled = service.store.accounts, status == "login_disabled"
        await accounts.set_login(reader.publisher.id, login.id, "operator", service.clock(), disabled=disabled)
        return
    sql = f"UPDATE accounts SET status = '{status}' WHERE organisation = '{reader.publisher.id}'"
    await executed(reader.publisher.service.settings.database_url, sql)


async def test_another_reader_in_the_same_session_ends_the_first_ones_tokens(reader: LoggedIn) -> None:
    await reader.publisher.activated("second@example.com", "100002", social_security_number=None)
    tokens, code, sid = await reader.tokens(), await reader.code(), await reader.sid()
    claims = await reader.connector.authenticate(sid, "second@example.com", PASSWORD)
    assert claims["sid"] == sid
    assert not await reader.is_valid(tokens["access_token"])
    assert (await reader.grant("authorization_code", code=code, redirect_uri=BACK)).json()["error"] == "invalid_grant"


async def test_of_logging_out_and_exchanging_at_once_nothing_is_left(reader: LoggedIn) -> None:
    """Whichever comes first: a code that is exchanged at the moment of the logout gives tokens that are ended."""
    for _ in range(5):
        await reader.browser.get("/login", oid=reader.publisher.id)
        code, sid = await reader.code("/openid /external/me/w"), await reader.sid()
        refresh = (await reader.tokens())["refresh_token"]
        exchanged, refreshed, _ = await asyncio.gather(
            reader.grant("authorization_code", code=code, redirect_uri=BACK),
            reader.grant("refresh_token", refresh_token=refresh),
            reader.connector.log_out(sid),
        )
        for response in (exchanged, refreshed):
            if response.status_code == 200:
                assert not await reader.is_valid(response.json()["access_token"])
        await reader.browser.get("/login", oid=reader.publisher.id)
        await reader.browser.submit(email=EMAIL, password=PASSWORD)
