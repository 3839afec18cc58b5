"""The login page in a real Chromium, as a reader meets it: from a site, through the form, and back with a code.

The site is a real server under another name. At the end of each test the browser has sent requests to the site and to
us only, and the console, which names whatever a policy stopped, has stayed silent. `STAMKUND_TEST_SCREENSHOTS` names a
folder for screenshots.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, expect

from stamkund.identity.sessions import cookie_name
from stamkund.rules.branding import Branding, Logo
from stamkund.rules.organisation import Client
from tests.support.service import Publisher
from tests.support.site import LocalSite
from tests.support.window import Window, window

EMAIL, PASSWORD = "ove.ovesson@example.com", "Df7Vdd8!!vnM"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-of-pkce"
LOGO = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 60"><rect width="320" height="60" rx="8"
fill="#7a1f2b"/><text x="160" y="41" font-size="32" fill="#fff" text-anchor="middle">The Herald</text></svg>"""
# What Chromium writes to the console by itself: the status of a page that refuses, and what a logout cleared.
NO_FAULT = (
    "error: Failed to load resource: the server responded with a status of 40",
    "info: Clear-Site-Data header on",
)


@dataclass(frozen=True)
class Words:
    """What stands on the pages in one language."""

    log_in: str
    email: str
    password: str
    wrong: str
    locked: str
    log_out: str
    logged_out: str
    logged_in: str


WORDS = {
    "sv": Words(
        "Logga in",
        "E-post",
        "Lösenord",
        "Fel e-post eller lösenord.",
        "Inloggningen är spärrad till torsdag 15 januari 2026 kl. 13.15",
        "Logga ut",
        "Du är utloggad",
        "Du är inloggad",
    ),
    "en": Words(
        "Log in",
        "E-mail",
        "Password",
        "Wrong e-mail or password.",
        "Logging in is locked until Thursday 15 January 2026 at 13:15",
        "Log out",
        "You are logged out",
        "You are logged in",
    ),
}


@dataclass
class Herald:
    """A publisher with a reader, and its site."""

    publisher: Publisher
    site: LocalSite
    client: Client
    secret: str

    @property
    def server(self) -> str:
        return self.publisher.service.url

    def authorization(self, **more: str) -> str:
        """Where the site sends the browser of somebody who wants to log in."""
        digest = hashlib.sha256(VERIFIER.encode()).digest()
        request = {
            "client_id": self.client.id,
            "redirect_uri": f"{self.site.origin}/back",
            "response_type": "code",
            "state": "where I was",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self.server}/oauth2/auth?{urlencode(request | more)}"

    async def takes_code(self) -> str:
        """The site, which the browser has just come back to, exchanges the code; returns the access token."""
        path, query = self.site.visits[-1]
        assert (path, query["state"], query["iss"]) == ("/back", "where I was", self.server)
        response = await self.publisher.grant(
            "authorization_code",
            client=self.client,
            secret=self.secret,
            code=query["code"],
            redirect_uri=f"{self.site.origin}/back",
            code_verifier=VERIFIER,
        )
        assert response.status_code == 200, response.text
        return str(response.json()["access_token"])


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with LocalSite() as running:
        yield running


@pytest.fixture
async def herald(publisher: Publisher, site: LocalSite) -> Herald:
    await publisher.activated(EMAIL)
    back, out = f"{site.origin}/back", f"{site.origin}/goodbye"
    client, secret = await publisher.new_client("/external/me/w", redirect_uris=[back], logout_uris=[out])
    return Herald(publisher, site, client, secret)


@pytest.fixture
async def branded(herald: Herald) -> Herald:
    look = Branding(Logo("image/svg+xml", base64.b64encode(LOGO).decode()), colour="#7a1f2b", background="#f5ebe0")
    await herald.publisher.service.store.branding.change(herald.publisher.id, lambda _: look)
    return herald


@asynccontextmanager
async def reader(chromium: Browser, herald: Herald, folder: Path, **options: Any) -> AsyncIterator[Window]:
    """A reader's window, in Swedish by default."""
    async with window(chromium, folder, **{"locale": "sv-SE", **options}) as reader_window:
        yield reader_window
        assert reader_window.origins() <= {herald.server, herald.site.origin}
        assert [message for message in reader_window.messages if not message.startswith(NO_FAULT)] == []


async def fill(reader_window: Window, email: str = EMAIL, password: str = PASSWORD) -> None:
    """Sends the form, and waits for the next page: it may look like the one before."""
    await reader_window.page.locator("input[type=email]").fill(email)
    await reader_window.page.locator("input[type=password]").fill(password)
    async with reader_window.page.expect_navigation():
        await reader_window.page.locator("button").click()


async def is_back(reader_window: Window, herald: Herald) -> None:
    """The browser is at the site again."""
    await expect(reader_window.page).to_have_title("Herald")
    assert reader_window.page.url.startswith(f"{herald.site.origin}/back?")


async def is_neat(reader_window: Window) -> None:
    """Nothing is wider than the window, and what is to be touched is large enough for a thumb."""
    assert await reader_window.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for target in await reader_window.page.locator("input:visible, button, a.button").all():
        box = await target.bounding_box()
        assert box is not None and box["height"] >= 44 and box["width"] >= 44


@pytest.mark.parametrize("language", ["sv", "en"])
async def test_from_the_site_through_the_page_and_back(
    herald: Herald, chromium: Browser, tmp_path: Path, language: str
) -> None:
    words, name = WORDS[language], f"login-{language}"
    async with reader(chromium, herald, tmp_path, locale={"sv": "sv-SE", "en": "en-GB"}[language]) as reader_window:
        page = reader_window.page
        await page.goto(herald.authorization())
        await expect(page.get_by_role("heading", level=1)).to_have_text(words.log_in)
        await expect(page.locator("html")).to_have_attribute("lang", language)
        await is_neat(reader_window)
        await reader_window.shot(f"{name}-1-empty")
        await page.get_by_label(words.email).fill(EMAIL)
        await page.get_by_label(words.password).fill("wrong")
        await page.get_by_role("button", name=words.log_in).click()
        await expect(page.get_by_role("alert")).to_contain_text(words.wrong)
        await expect(page.get_by_label(words.email)).to_have_value(EMAIL)
        await expect(page.get_by_label(words.password)).to_have_value("")
        await expect(page.get_by_label(words.password)).to_be_focused()
        await reader_window.shot(f"{name}-2-wrong")
        await page.get_by_label(words.password).fill(PASSWORD)
        await page.get_by_role("button", name=words.log_in).click()
        await is_back(reader_window, herald)
        token = await herald.takes_code()
    response = await herald.publisher.service.http.get(
        "/external/api/v1/me", headers={"authorization": f"Bearer {token}"}
    )
    assert response.json()["item"]["email"] == EMAIL


async def test_a_browser_that_is_logged_in_gets_no_second_form(
    herald: Herald, chromium: Browser, tmp_path: Path
) -> None:
    async with reader(chromium, herald, tmp_path) as reader_window:
        await reader_window.page.goto(herald.authorization())
        await fill(reader_window)
        await is_back(reader_window, herald)
        [session] = [c for c in await reader_window.context.cookies() if c["name"] == cookie_name(herald.publisher.id)]
        assert (session["secure"], session["httpOnly"], session["sameSite"]) == (True, True, "Lax")
        reader_window.requests.clear()
        await reader_window.page.goto(herald.authorization())
        await is_back(reader_window, herald)
        assert not any("/login" in url for url in reader_window.requests)
        await herald.takes_code()
        await reader_window.page.goto(herald.authorization(prompt="login"))
        await expect(reader_window.page.get_by_role("heading", level=1)).to_have_text("Logga in")
        await reader_window.page.goto(f"{herald.server}/login?oid={herald.publisher.id}")
        await expect(reader_window.page.get_by_role("heading", level=1)).to_have_text("Du är inloggad")
        await reader_window.shot("logged-in")


async def test_going_back_after_the_login_leads_on_again(herald: Herald, chromium: Browser, tmp_path: Path) -> None:
    """The page with the form is not cached: the browser requests it again, and is redirected."""
    async with reader(chromium, herald, tmp_path) as reader_window:
        await reader_window.page.goto(f"{herald.site.origin}/")
        await reader_window.page.goto(herald.authorization())
        await fill(reader_window)
        await is_back(reader_window, herald)
        visits = len(herald.site.visits)
        await reader_window.page.go_back()
        await is_back(reader_window, herald)
        assert len(herald.site.visits) > visits
        await herald.takes_code()


@pytest.mark.parametrize("language", ["sv", "en"])
async def test_five_wrong_passwords_freeze_the_login(
    herald: Herald, chromium: Browser, tmp_path: Path, language: str
) -> None:
    words, name = WORDS[language], f"locked-{language}"
    async with reader(chromium, herald, tmp_path, locale=language) as reader_window:
        await reader_window.page.goto(herald.authorization())
        for attempt in range(1, 6):
            await fill(reader_window, password=f"wrong {attempt}")
            await expect(reader_window.page.get_by_role("alert")).to_contain_text(words.wrong)
            if attempt == 4:
                await reader_window.shot(f"{name}-1-once-more")
        await expect(reader_window.page.get_by_role("alert")).to_contain_text(words.locked)
        await fill(reader_window)
        await expect(reader_window.page.get_by_role("alert")).to_contain_text(words.locked)
        await expect(reader_window.page.get_by_role("alert")).not_to_contain_text(words.wrong)
        await reader_window.shot(f"{name}-2-locked")
        assert herald.site.visits == []


async def test_a_keyboard_is_enough(herald: Herald, chromium: Browser, tmp_path: Path) -> None:
    async with reader(chromium, herald, tmp_path) as reader_window:
        page, keyboard = reader_window.page, reader_window.page.keyboard
        await page.goto(herald.authorization())
        await expect(page.get_by_label("E-post")).to_be_focused()
        await keyboard.type(EMAIL)
        await keyboard.press("Tab")
        await expect(page.get_by_label("Lösenord")).to_be_focused()
        await keyboard.type(PASSWORD)
        await keyboard.press("Tab")
        await expect(page.get_by_role("button")).to_be_focused()
        outline = await page.get_by_role("button").evaluate("it => getComputedStyle(it).outlineStyle")
        assert outline == "solid"
        await reader_window.shot("keyboard-button")
        await keyboard.press("Shift+Tab")
        await keyboard.press("Enter")
        await is_back(reader_window, herald)
        await page.goto(f"{herald.server}/logout?oid={herald.publisher.id}")
        await keyboard.press("Tab")
        await expect(page.get_by_role("button")).to_be_focused()
        await keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Du är utloggad")


async def test_missing_fields_are_reported_on_the_page(herald: Herald, chromium: Browser, tmp_path: Path) -> None:
    async with reader(chromium, herald, tmp_path) as reader_window:
        await reader_window.page.goto(herald.authorization())
        before = len(reader_window.requests)
        await reader_window.page.get_by_role("button").click()
        await expect(reader_window.page.get_by_label("E-post")).to_be_focused()
        assert len(reader_window.requests) == before
        await reader_window.page.locator("form").evaluate("form => { form.noValidate = true; form.requestSubmit(); }")
        await expect(reader_window.page.get_by_role("alert")).to_contain_text("Ange din e-postadress.")
        await expect(reader_window.page.get_by_label("E-post")).to_be_focused()
        await reader_window.shot("missing")


async def test_on_a_phone(branded: Herald, chromium: Browser, tmp_path: Path) -> None:
    async with reader(chromium, branded, tmp_path, **PHONE) as reader_window:
        await reader_window.page.goto(branded.authorization())
        await is_neat(reader_window)
        await reader_window.shot("phone-1-empty")
        await fill(reader_window, password="wrong")
        await is_neat(reader_window)
        await reader_window.shot("phone-2-wrong")
        await fill(reader_window)
        await is_back(reader_window, branded)
        await reader_window.page.goto(f"{branded.server}/logout?oid={branded.publisher.id}")
        await is_neat(reader_window)
        await reader_window.shot("phone-3-logout")
        await reader_window.page.goto(f"{branded.server}/login?continue=https%3A%2F%2Felsewhere.example%2F")
        await is_neat(reader_window)
        await reader_window.shot("phone-4-refused")


async def test_without_scripts(branded: Herald, chromium: Browser, tmp_path: Path) -> None:
    async with reader(chromium, branded, tmp_path, java_script_enabled=False) as reader_window:
        await reader_window.page.goto(branded.authorization())
        await reader_window.shot("no-script-1-empty")
        await fill(reader_window, password="wrong")
        await expect(reader_window.page.get_by_role("alert")).to_contain_text(WORDS["sv"].wrong)
        await fill(reader_window)
        await is_back(reader_window, branded)
        await branded.takes_code()
        await reader_window.page.goto(f"{branded.server}/logout?oid={branded.publisher.id}")
        await reader_window.page.get_by_role("button").click()
        await expect(reader_window.page.get_by_role("heading", level=1)).to_have_text("Du är utloggad")


@pytest.mark.parametrize("language", ["sv", "en"])
async def test_logging_out(herald: Herald, chromium: Browser, tmp_path: Path, language: str) -> None:
    words, name = WORDS[language], f"logout-{language}"
    async with reader(chromium, herald, tmp_path, locale=language) as reader_window:
        page = reader_window.page
        await page.goto(herald.authorization())
        await fill(reader_window)
        await is_back(reader_window, herald)
        back = {"client_id": herald.client.id, "post_logout_redirect_uri": f"{herald.site.origin}/goodbye"}
        await page.goto(f"{herald.server}/oauth2/logout?{urlencode(back)}")
        await expect(page.get_by_role("heading", level=1)).to_have_text(words.log_out)
        await reader_window.shot(f"{name}-1-question")
        await page.get_by_role("button", name=words.log_out).click()
        await expect(page).to_have_title("Herald")
        assert herald.site.visits[-1] == ("/goodbye", {})
        await page.goto(f"{herald.server}/logout?oid={herald.publisher.id}")
        await reader_window.shot(f"{name}-2-nobody")
        await page.goto(herald.authorization())
        await fill(reader_window)
        await page.goto(f"{herald.server}/logout?oid={herald.publisher.id}")
        await page.get_by_role("button", name=words.log_out).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(words.logged_out)
        await reader_window.shot(f"{name}-3-done")
        await page.goto(herald.authorization())
        await expect(page.get_by_role("heading", level=1)).to_have_text(words.log_in)


async def test_a_link_that_leads_nowhere_is_refused(herald: Herald, chromium: Browser, tmp_path: Path) -> None:
    async with reader(chromium, herald, tmp_path) as reader_window:
        await reader_window.page.goto(herald.authorization(redirect_uri="https://elsewhere.example/"))
        await expect(reader_window.page.get_by_role("heading", level=1)).to_have_text("Länken fungerar inte")
        await reader_window.shot("refused-redirect")
        await reader_window.page.goto(herald.authorization(client_id="0" * 24))
        await expect(reader_window.page.get_by_role("heading", level=1)).to_have_text("Länken fungerar inte")
        assert herald.site.visits == []


async def test_no_other_page_can_show_it_in_a_frame(herald: Herald, chromium: Browser, tmp_path: Path) -> None:
    async with window(chromium, tmp_path) as reader_window:
        await reader_window.page.goto(f"{herald.site.origin}/")
        await reader_window.page.evaluate(
            "url => { const it = document.createElement('iframe'); it.src = url; document.body.append(it); }",
            f"{herald.server}/login?oid={herald.publisher.id}",
        )
        async with asyncio.timeout(10):
            while not any("frame-ancestors" in message for message in reader_window.messages):
                await reader_window.page.wait_for_timeout(20)
