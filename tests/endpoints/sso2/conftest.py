"""Sites of an organisation, each with a client of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from stamkund.rules.organisation import Client
from tests.support.connector import AGENT, Connector, decoded
from tests.support.rows import set_status
from tests.support.service import Publisher

EMAIL = "ove.ovesson@example.com"
PASSWORD = "Df7Vdd8!!vnM"
SITE_SCOPES = ("/external/me/w", "/external/account/r", "/external/account/w")


@dataclass
class SsoSite:
    """One site: its client, its connector, and what it learns of browsers."""

    publisher: Publisher
    client: Client
    connector: Connector
    page: str

    async def identified(self, cookie: str | None = None, return_url: str = "https://herald.example/") -> Visited:
        """A browser sent to be identified, with its cookie if it has one."""
        headers = [(b"user-agent", AGENT.encode()), *([] if cookie is None else [(b"cookie", cookie.encode())])]
        service = self.publisher.service
        return self.visited(await service.http.get(self.connector.identify("", return_url), headers=headers))

    def visited(self, response: httpx.Response) -> Visited:
        assert response.status_code == 302, response.text
        there = urlsplit(response.headers["location"])
        assert f"{there.scheme}://{there.netloc}{there.path}" == self.page
        query = parse_qs(there.query, strict_parsing=True)
        assert list(query) == ["t", "r"]
        claims = decoded(query["t"][0], self.connector.secret, self.publisher.service.clock())
        ((name, morsel),) = SimpleCookie(response.headers["set-cookie"]).items()
        return Visited(claims, f"{name}={morsel.value}", query["r"][0], response)

    async def logged_in(self, email: str = EMAIL, password: str = PASSWORD) -> Visited:
        """A new browser, whose reader has logged in through this site's form."""
        visited = await self.identified()
        claims = await self.connector.authenticate(visited.sid, email, password)
        assert (claims["sts"], claims["err"]) == ("loggedin", None)
        return Visited(claims, visited.cookie, visited.return_url, visited.response)

    async def status(self, sid: str, last_known: str | None = "anon") -> tuple[str, str | None]:
        claims = await self.connector.status(sid, last_known)
        return claims["sts"], claims["err"]

    async def ticket(self, sid: str) -> str:
        """A new ticket of a session that a reader is logged in to."""
        return str((await self.connector.status(sid, "anon"))["at"])

    async def reader_of(self, ticket: str) -> str:
        """The e-mail of the reader whom a ticket stands for."""
        response = await self.connector.exchange(ticket)
        assert response.status_code == 200, response.text
        me, _ = await self.connector.reader(response.json()["access_token"])
        return str(me["email"])

    async def set_status(self, email: str, status: str) -> None:
        """Gives an account another status, as no call does yet."""
        await set_status(self.publisher.service.settings.database_url, self.publisher.id, status, email)


@dataclass
class Visited:
    """A browser at a site: what the site learned, and the cookie that the browser has."""

    claims: dict[str, Any]
    cookie: str
    return_url: str
    response: httpx.Response

    @property
    def sid(self) -> str:
        return str(self.claims["sid"])


async def site_of(publisher: Publisher, **changes: Any) -> SsoSite:
    page = "https://herald.example/landing.php"
    flags = {"sso2": True, "redirect_uris": [page], **changes}
    client, secret = await publisher.new_client(*SITE_SCOPES, **flags)
    service = publisher.service
    return SsoSite(publisher, client, Connector(service.url, publisher.id, client.id, secret, service.clock), page)


@pytest.fixture
async def site(publisher: Publisher) -> AsyncIterator[SsoSite]:
    made = await site_of(publisher)
    yield made
    await made.connector.http.aclose()


@pytest.fixture
async def sister(publisher: Publisher) -> AsyncIterator[SsoSite]:
    """Another site of the same organisation."""
    made = await site_of(publisher)
    yield made
    await made.connector.http.aclose()


@pytest.fixture
async def foreign(publisher: Publisher) -> AsyncIterator[SsoSite]:
    """A site of another organisation."""
    made = await site_of(await publisher.service.publisher())
    yield made
    await made.connector.http.aclose()


@pytest.fixture
async def reader(publisher: Publisher) -> str:
    """The account id of a reader, Ove Ovesson."""
    return await publisher.activated(EMAIL)
