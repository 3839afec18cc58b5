"""What the tests of pages share: a publisher with a site and a reader, and whether a browser is logged in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stamkund.identity.sessions import cookie_digest, cookie_name
from stamkund.rules.organisation import Client
from tests.support.browser import Browser
from tests.support.rows import rows
from tests.support.service import SCOPES, Publisher, RunningService

EMAIL, PASSWORD = "ove.ovesson@example.com", "Df7Vdd8!!vnM"
SITE = "https://www.herald.example"
BACK = f"{SITE}/landing"
GOODBYE = "https://goodbye.herald.example/bye?from=us"
APP = "se.herald.app:/back"


@dataclass
class Herald:
    """A publisher with one site, and a reader who has an account."""

    publisher: Publisher
    site: Client
    account: str

    @property
    def service(self) -> RunningService:
        return self.publisher.service

    @property
    def id(self) -> str:
        return self.publisher.id

    def browser(self, language: str = "en") -> Browser:
        return Browser(self.service, language)

    async def logged_in(self, browser: Browser) -> bool:
        """Whether the cookie that the browser has now opens a session with a reader in it."""
        return await self.opens(browser.cookie(cookie_name(self.id)))

    async def opens(self, cookie: str | None) -> bool:
        if cookie is None:
            return False
        session = await self.service.store.sessions.by_cookie(self.id, cookie_digest(cookie), self.service.clock())
        return session is not None and session.logged_in_account is not None

    async def log_in(self, browser: Browser, email: str = EMAIL, password: str = PASSWORD, **query: str) -> None:
        await browser.get("/login", oid=self.id, prompt="login", **query)
        await browser.submit(email=email, password=password)

    async def audit(self, *columns: str, like: str = "log%") -> list[tuple[Any, ...]]:
        return await rows(
            self.service.settings.database_url,
            f"SELECT {', '.join(columns)} FROM audit WHERE organisation = '{self.id}' AND event LIKE '{like}' "
            "ORDER BY row",
        )


async def herald_of(publisher: Publisher) -> Herald:
    account = await publisher.activated(EMAIL)
    site, _ = await publisher.new_client(
        *SCOPES, redirect_uris=[BACK, APP], origins=["https://shop.herald.example"], logout_uris=[GOODBYE]
    )
    return Herald(publisher, site, account)
