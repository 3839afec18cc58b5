"""An OpenID Connect client of a publisher, a reader who may log in to it, and tokens of both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from stamkund.clock import system_clock
from stamkund.endpoints.oauth.code_grants import CodeBinding, new_code
from stamkund.rules import identifiers, scopes
from stamkund.rules.organisation import Client
from tests.support.node import node
from tests.support.service import Publisher, RunningService

__all__ = ["node"]

EMAIL = "ove.ovesson@example.com"
PASSWORD = "Df7Vdd8!!vnM"
REDIRECT = "https://herald.example/back"
OPENID = (scopes.OPENID, scopes.PROFILE, scopes.EMAIL)


@dataclass
class OAuthSite:
    """A client that logs readers in by OpenID Connect, and short ways to what these tests need of it."""

    publisher: Publisher
    client: Client
    secret: str
    reader: str
    """The reader's account id."""

    @property
    def service(self) -> RunningService:
        return self.publisher.service

    async def grant(self, grant_type: str, **fields: str) -> httpx.Response:
        return await self.publisher.grant(grant_type, self.client, self.secret, **fields)

    async def issued(self, grant_type: str, **fields: str) -> dict[str, Any]:
        response = await self.grant(grant_type, **fields)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    async def logged_in(self, **more: str) -> dict[str, Any]:
        """Tokens by the password grant."""
        return await self.issued("password", username=EMAIL, password=PASSWORD, **more)

    async def code(self, *granted: str, **binding: Any) -> str:
        """A code as the browser flow makes it, for tests that are about what follows."""
        login = await self.service.store.logins.find(self.publisher.id, identifiers.email(EMAIL))
        assert login is not None and login.row is not None
        code_binding = CodeBinding(redirect_uri=REDIRECT, **binding)
        granted_text = " ".join(granted or self.client.scopes)
        return await new_code(
            self.service.store, self.client, login.row, granted_text, code_binding, self.service.clock()
        )

    async def exchanged(self, *granted: str, **binding: Any) -> dict[str, Any]:
        """Tokens by the authorization code grant."""
        return await self.issued("authorization_code", code=await self.code(*granted, **binding), redirect_uri=REDIRECT)

    async def post(self, path: str, token: str | None, **more: str) -> httpx.Response:
        """A form about a token, with the client's credentials unless others are given."""
        sent = {"client_id": self.client.id, "client_secret": self.secret, "token": token, **more}
        return await self.service.http.post(
            path, data={name: value for name, value in sent.items() if value is not None}
        )

    async def userinfo(self, token: str, method: str = "GET") -> httpx.Response:
        return await self.service.http.request(method, "/userinfo", headers={"authorization": f"Bearer {token}"})

    async def holds(self, token: str) -> bool:
        response = await self.userinfo(token)
        assert response.status_code in (200, 401), response.text
        return response.status_code == 200


def error(response: httpx.Response) -> tuple[int, str]:
    """The status and code of an error, after what holds for every one was looked at."""
    assert response.headers["cache-control"] == "no-store" and response.headers["content-type"] == "application/json"
    assert list(response.json()) == ["error", "error_description"]
    return response.status_code, response.json()["error"]


async def site_of(publisher: Publisher, *more_scopes: str, **flags: Any) -> OAuthSite:
    login = await publisher.service.store.logins.find(publisher.id, identifiers.email(EMAIL))
    reader = login.id if login is not None else await publisher.activated(EMAIL)
    flags = {"redirect_uris": [REDIRECT], "offline_access": True, **flags}
    client, secret = await publisher.new_client(*OPENID, *more_scopes, **flags)
    return OAuthSite(publisher, client, secret, reader)


@pytest.fixture
async def site(publisher: Publisher) -> OAuthSite:
    return await site_of(publisher, "/external/me/w")


@pytest.fixture
async def timely(fresh_url: str, tmp_path: Path) -> AsyncIterator[RunningService]:
    """An application of its own at the machine's own time, because clients of others look at their own clocks."""
    service = RunningService(fresh_url, tmp_path / "stamkund.key")
    service.clock.now = system_clock()
    async with service as running:
        yield running
