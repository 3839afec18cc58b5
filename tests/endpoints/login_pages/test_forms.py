"""Forms sent from another site (CSRF) neither log a reader in nor out."""

from __future__ import annotations

import pytest

from stamkund.pages.language import LANGUAGES
from tests.endpoints.login_pages.reader import EMAIL, PASSWORD, Herald
from tests.support.browser import Browser
from tests.support.service import RunningService

COOKIE = "__Host-stamkund_form"
AGAIN = "The form has expired or was sent from another site. Please try again."
NO_COOKIES = {
    "en": "Your browser sent no cookies, which logging in needs. Allow cookies for this site and try again.",
    "sv": "Din webbläsare skickade inga kakor (cookies), och utan dem går det inte att logga in. Tillåt kakor för den "
    "här webbplatsen och försök igen.",
}
FILLED = {"email": EMAIL, "password": PASSWORD}


async def form_fields(herald: Herald, browser: Browser, *, logout: bool) -> dict[str, str]:
    """The fields of a form that this browser was shown."""
    if logout:
        await herald.log_in(browser)
        await browser.get("/oauth2/logout", oid=herald.id)
        return browser.page.forms[0].fields
    await browser.get("/login", oid=herald.id)
    return {**browser.page.forms[0].fields, **FILLED}


async def is_refused(herald: Herald, browser: Browser, *, logout: bool) -> bool:
    """The page is shown again with 403, and nothing has happened; then its own form works."""
    page = browser.page
    assert (page.status, page.alert) == (403, [AGAIN]), page.text
    assert PASSWORD not in page.text
    assert await herald.logged_in(browser) is logout
    await browser.submit(**({} if logout else FILLED))
    return await herald.logged_in(browser) is not logout


both = pytest.mark.parametrize("logout", [False, True], ids=["login", "logout"])


def path(logout: bool) -> str:
    return "/oauth2/logout" if logout else "/login"


@both
async def test_a_form_needs_its_cookie(herald: Herald, browser: Browser, logout: bool) -> None:
    fields = await form_fields(herald, browser, logout=logout)
    browser.set_cookie(COOKIE, None)
    if not logout:  # as of a browser that has been here before, and now has a form from long ago
        browser.set_cookie("__Host-stamkund_browser-0123456789abcdef", "x")
    await browser.post(path(logout), fields)
    assert await is_refused(herald, browser, logout=logout)


@pytest.mark.parametrize("language", [texts.language for texts in LANGUAGES])
async def test_a_browser_that_keeps_no_cookies_learns_that_it_needs_them(herald: Herald, language: str) -> None:
    async with herald.browser(language) as browser:
        for others in (None, "_ga", "other-__Host-stamkund_form"):
            await form_fields(herald, browser, logout=False)
            browser.cookies.clear()
            if others is not None:
                browser.set_cookie(others, "x")
            page = await browser.submit(**FILLED)
            assert (page.status, page.alert) == (403, [NO_COOKIES[language]]) and "cookies" in page.alert[0]
        browser.cookies.clear()
        page = await browser.submit(email="", password="")
        assert page.alert == [NO_COOKIES[language]]


async def test_a_form_of_another_site_is_not_taken_for_one_without_cookies(herald: Herald, browser: Browser) -> None:
    """A browser leaves the cookies out when another site makes it send a form."""
    fields = await form_fields(herald, browser, logout=False)
    browser.cookies.clear()
    await browser.post("/login", fields, {"origin": "https://evil.example"})
    assert await is_refused(herald, browser, logout=False)


@both
@pytest.mark.parametrize("sent", ["", "x", "0" * 32, "å\0", "cookie"])
async def test_a_form_needs_its_token(herald: Herald, browser: Browser, logout: bool, sent: str) -> None:
    """Also the cookie's own value is no token: that takes the key file."""
    fields = await form_fields(herald, browser, logout=logout)
    cookie = browser.cookie(COOKIE) or ""
    await browser.post(path(logout), {**fields, "form_token": cookie if sent == "cookie" else sent})
    assert await is_refused(herald, browser, logout=logout)


async def test_a_login_form_without_any_token(herald: Herald, browser: Browser) -> None:
    """Login CSRF: a form that an attacker's page sends, which would log the reader in as somebody else."""
    await form_fields(herald, browser, logout=False)
    await browser.post("/login", {"oid": herald.id, **FILLED})
    assert await is_refused(herald, browser, logout=False)


@both
async def test_a_token_of_somebody_elses_form(herald: Herald, browser: Browser, other: Browser, logout: bool) -> None:
    fields = await form_fields(herald, browser, logout=logout)
    theirs = await form_fields(herald, other, logout=logout)
    assert theirs["form_token"] != fields["form_token"]
    await browser.post(path(logout), {**fields, "form_token": theirs["form_token"]})
    assert await is_refused(herald, browser, logout=logout)


@both
async def test_a_token_of_the_other_form(herald: Herald, browser: Browser, logout: bool) -> None:
    await herald.log_in(browser)
    tokens = {}
    for address, query in (("/login", {"prompt": "login"}), ("/oauth2/logout", {})):
        await browser.get(address, None, oid=herald.id, **query)
        tokens[address] = browser.page.forms[0].fields["form_token"]
    fields = {"oid": herald.id, **({} if logout else FILLED)}
    before = browser.cookies.copy()
    page = await browser.post(path(logout), {**fields, "form_token": tokens[path(not logout)]})
    assert (page.status, page.alert) == (403, [AGAIN])
    assert browser.cookies == before and await herald.logged_in(browser)


@both
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "", "http://127.0.0.1", "http://127.0.0.1:1", "https://www.herald.example", "x"],
)
async def test_a_form_of_another_page(herald: Herald, browser: Browser, logout: bool, origin: str) -> None:
    fields = await form_fields(herald, browser, logout=logout)
    await browser.post(path(logout), fields, {"origin": origin})
    assert await is_refused(herald, browser, logout=logout)


@both
@pytest.mark.parametrize("origin", [None, "host", "HTTPS"])
async def test_a_form_of_our_own_page(herald: Herald, browser: Browser, logout: bool, origin: str | None) -> None:
    """Old browsers send no Origin; behind a proxy the scheme may be another one than we see."""
    fields = await form_fields(herald, browser, logout=logout)
    here = herald.service.url
    sent = {None: None, "host": here, "HTTPS": here.replace("http:", "https:")}[origin]
    await browser.post(path(logout), fields, {"origin": sent})
    assert await herald.logged_in(browser) is not logout


@both
async def test_a_form_may_be_sent_from_an_older_tab(herald: Herald, browser: Browser, logout: bool) -> None:
    fields = await form_fields(herald, browser, logout=logout)
    for _ in range(3):
        await browser.get(path(logout), oid=herald.id)
    await browser.post(path(logout), fields)
    assert await herald.logged_in(browser) is not logout


@pytest.mark.parametrize("planted", ["x", "", "a" * 42, "a" * 44, "a b" * 15, "å" * 43])
async def test_a_cookie_that_is_none_of_ours_is_replaced(herald: Herald, browser: Browser, planted: str) -> None:
    browser.set_cookie(COOKIE, planted)
    await browser.get("/login", oid=herald.id)
    assert browser.cookie(COOKIE) != planted
    await browser.submit(**FILLED)
    assert await herald.logged_in(browser)


async def test_an_organisation_called_form_has_a_cookie_of_its_own(service: RunningService) -> None:
    """Its session's cookie must not be taken for the form's."""
    from stamkund.rules.organisation import Organisation

    await service.store.organisations.change("form", lambda _: Organisation("form", "Form"))
    async with Browser(service) as browser:
        await browser.get("/login", oid="form")
        assert browser.cookie("__Host-stamkund-form") is None and browser.cookie(COOKIE)


async def test_the_forms_cookie_is_hidden_and_short_lived(herald: Herald) -> None:
    response = await herald.service.http.get("/login", params={"oid": herald.id})
    (cookie,) = response.headers.get_list("set-cookie")
    assert cookie.endswith("; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=Lax")
