"""Logins while things break: the database goes away, and `kill -9` in a stream of codes and tickets."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.support.browser import Browser
from tests.support.connector import Connector
from tests.support.installation import (
    ME,
    ORGANISATION,
    PASSWORD,
    TOKEN,
    Caller,
    Installation,
    ServerProcess,
    is_unavailable,
)
from tests.support.installation_fixtures import running
from tests.support.postgres_server import PostgresServer
from tests.support.rows import rows
from tests.support.waiting import until

EMAIL = "ove.ovesson@example.com"
BACK = "https://site.example.com/landing"
AT_ONCE = 6


@dataclass
class Scenario:
    """A running server, a site of it, and a browser in which a reader is logged in."""

    server: ServerProcess
    caller: Caller
    site: Connector
    browser: Browser

    @property
    def authorize(self) -> str:
        return f"/oauth2/auth?client_id={self.site.client}&redirect_uri={BACK}&response_type=code"

    async def code(self) -> str | None:
        """A code from the browser flow, None where the browser is not logged in."""
        response = await self.http("GET", self.authorize)
        if response.status_code != 302:
            response.raise_for_status()
        return parse_qs(urlsplit(response.headers["location"]).query).get("code", [None])[0]

    async def http(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request of the browser's, with its cookies."""
        cookies = "; ".join(f"{name}={value}" for (_, name), value in self.browser.cookies.items())
        return await self.server.http.request(method, path, headers={"cookie": cookies}, **more)

    async def exchange(self, code: str) -> httpx.Response:
        form = {"client_id": self.site.client, "client_secret": self.site.secret, "redirect_uri": BACK, "code": code}
        return await self.server.http.post(TOKEN, data={**form, "grant_type": "authorization_code"})

    async def pages(self) -> list[httpx.Response]:
        form = {"email": EMAIL, "password": PASSWORD, "form_token": "x"}
        return [
            await self.http("GET", self.authorize),
            await self.http("GET", "/login"),
            await self.http("POST", "/login", data=form),
            await self.http("GET", "/oauth2/logout"),
        ]

    async def calls(self) -> list[httpx.Response]:
        client = {"client_id": self.site.client, "client_secret": self.site.secret, "token": "x"}
        token = self.site.token
        return [
            await self.http("GET", self.site.identify("", BACK)),
            *[await self.site.send(call, token(sid="x", at="x")) for call in ("sessionstatus", "createsession")],
            *[await self.site.send(call, token(sid="x", at="x")) for call in ("authenticate", "logout")],
            await self.server.http.post("/oauth2/introspect", data=client),
            await self.server.http.post("/oauth2/revoke", data=client),
            await self.exchange("x"),
        ]

    async def logged_in(self) -> bool:
        try:
            return await self.code() is not None
        except httpx.HTTPStatusError:
            return False


@asynccontextmanager
async def prepared(installation: Installation, workers: int = 1) -> AsyncIterator[Scenario]:
    async with running(installation, workers=workers) as (server, caller):
        (candidate,) = await installation.candidates(1)
        assert (await caller.activate(candidate, EMAIL)).status_code == 201
        options = ("--scope", "/external/me/w", "--redirect-uri", BACK, "--sso2", "--offline-access", "--json")
        command = ("client", "create", "--organisation", ORGANISATION, "--name", "Site", *options)
        made = installation.do(*command).json()
        site = Connector(server.url, ORGANISATION, made["client_id"], made["client_secret"], lambda: int(time.time()))
        async with Browser(server.url) as browser:
            await browser.get("/login")
            await browser.submit(email=EMAIL, password=PASSWORD)
            yield Scenario(server, caller, site, browser)
        await site.http.aclose()


@pytest.fixture
async def installed(own_postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Installation]:
    yield Installation(tmp_path, own_postgres.create_database("logins"))
    own_postgres.start()
    own_postgres.drop_database("logins")


async def test_no_login_succeeds_while_the_database_is_gone(
    installed: Installation, own_postgres: PostgresServer
) -> None:
    """People see a page that says so, programs the documented 503; and who was logged in still is, afterwards."""
    async with prepared(installed) as scenario:
        assert await scenario.logged_in()
        own_postgres.stop("immediate")
        for page in await scenario.pages():
            assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8"), page.text
            assert page.headers["retry-after"] and "content-security-policy" in page.headers
        assert [response.text for response in await scenario.calls() if not is_unavailable(response)] == []
        own_postgres.start()
        await until(scenario.logged_in)


@dataclass
class Stream:
    """Codes requested and exchanged, several at once, until the server is stopped or killed."""

    scenario: Scenario
    tokens: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)

    async def until(self, issued: int, blow: Callable[[], None]) -> None:
        goal = len(self.tokens) + issued
        await asyncio.gather(*(self._go_on(goal, blow) for _ in range(AT_ONCE)))

    async def _go_on(self, goal: int, blow: Callable[[], None]) -> None:
        while len(self.tokens) < goal:
            try:
                code = await self.scenario.code()
                assert code is not None
                self.pending.append(code)
                response = await self.scenario.exchange(code)
            except httpx.TransportError:
                return
            assert response.status_code == 200, response.text
            self.pending.remove(code)
            self.tokens.append(response.json()["access_token"])
            if len(self.tokens) == goal:
                blow()


async def test_kill_in_a_stream_of_codes(installation: Installation) -> None:
    """A token that was issued is valid. A code whose response was lost gives nothing, or one token, and never two."""
    url = installation.database_url
    async with prepared(installation, workers=2) as scenario:
        stream = Stream(scenario)
        for issued in (3, 20):
            await stream.until(issued, lambda: scenario.server.send_signal(signal.SIGKILL, everyone=True))
            await scenario.server.ended()
            for half in ("spent IS NULL AND family IN", "spent IS NOT NULL AND family NOT IN"):
                query = f"SELECT count(*) FROM one_time_credentials WHERE {half} (SELECT family FROM tokens)"
                assert await rows(url, query) == [(0,)]
            await scenario.server.start(workers=1)
            for token in stream.tokens[-issued:]:
                assert (await scenario.caller.get(ME, token)).status_code == 200
            assert await scenario.logged_in(), "the session is the database's, not the process's"
        for code in stream.pending:
            responses = [(await scenario.exchange(code)).status_code for _ in range(2)]
            assert responses in ([200, 400], [400, 400])
