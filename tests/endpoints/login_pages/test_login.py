"""The login page: who is logged in, where it leads, and that a cookie from before opens nothing."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from stamkund.identity.sessions import Sessions, cookie_name
from stamkund.rules import identifiers
from stamkund.rules.session import LOGGED_IN, TERMINATED
from tests.endpoints.login_pages.reader import APP, BACK, EMAIL, PASSWORD, SITE, Herald, herald_of
from tests.support.browser import Browser
from tests.support.rows import rows
from tests.support.service import NOW, RunningService

# Getting in ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/login", "/login/index", "/Login", "/Login/index", "/login/"])
async def test_a_reader_logs_in_and_goes_on(herald: Herald, browser: Browser, path: str) -> None:
    page = await browser.get(path, continue_=BACK, oid=herald.id)
    assert (page.status, page.heading, page.title) == (200, "Log in", f"Log in – {herald.publisher.organisation.name}")
    page = await browser.submit(email=EMAIL, password=PASSWORD)
    assert (page.status, page.location, page.text) == (303, BACK, "")
    assert await herald.logged_in(browser)


async def test_a_browser_that_is_logged_in_gets_no_second_form(herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser)
    before = dict(browser.cookies)
    page = await browser.get("/login", oid=herald.id, continue_=f"{SITE}/news?a=1&b=2#c")
    assert (page.status, page.location) == (303, f"{SITE}/news?a=1&b=2#c")
    assert browser.cookies == before


async def test_without_an_address_the_page_offers_to_log_out(herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser)
    assert (browser.page.status, browser.page.heading) == (200, "You are logged in")
    assert browser.page.url.startswith(f"{herald.service.url}/login?"), "reloading sends no form again"
    page = await browser.submit()
    assert (page.status, page.heading) == (200, "You are logged out")
    assert not await herald.logged_in(browser)


async def test_prompt_login_requires_a_password_and_keeps_the_session(herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser)
    sid = await sids(herald)
    with herald.service.clock.at(NOW + 100):
        page = await browser.get("/login", oid=herald.id, continue_=BACK, prompt="consent login")
        assert (page.status, page.heading) == (200, "Log in")
        assert (await browser.submit(email=EMAIL, password=PASSWORD)).location == BACK
    assert await sids(herald) == sid
    times = "SELECT authenticated FROM sessions WHERE organisation = "
    assert await rows(herald.service.settings.database_url, f"{times}'{herald.id}'") == [(NOW + 100,)]


async def sids(herald: Herald) -> list[tuple[Any, ...]]:
    query = f"SELECT sid, status FROM sessions WHERE organisation = '{herald.id}' ORDER BY created, sid"
    return await rows(herald.service.settings.database_url, query)


async def test_the_browser_flow_goes_through_the_page(herald: Herald, browser: Browser) -> None:
    """Client → /oauth2/auth → login page → /oauth2/auth → client, as Chromium's form-action lets it."""
    authorization = {"client_id": herald.site.id, "redirect_uri": BACK, "response_type": "code", "state": "s&1"}
    page = await browser.get("/oauth2/auth", None, **authorization, login_hint=EMAIL, ui_locales="sv")
    assert (page.status, page.heading, page.by_id("email")["value"]) == (200, "Logga in", EMAIL)
    page = await browser.submit(password=PASSWORD)
    assert page.location is not None and page.location.startswith(f"{BACK}?code=") and "state=s%261" in page.location
    page = await browser.get("/oauth2/auth", None, **authorization)
    assert page.location is not None and page.location.startswith(f"{BACK}?code="), "no login page again"
    page = await browser.get("/oauth2/auth", None, **{**authorization, "redirect_uri": APP}, prompt="login")
    assert page.heading == "Log in"
    page = await browser.submit(email=EMAIL, password=PASSWORD)
    assert page.location is not None and page.location.startswith(f"{APP}?code=")


async def test_an_app_on_the_readers_own_machine_may_use_any_port(herald: Herald, browser: Browser) -> None:
    client, _ = await herald.publisher.new_client("/openid", redirect_uris=["http://127.0.0.1/back"], public=True)
    await browser.get(
        "/login", continue_=f"/oauth2/auth?client_id={client.id}&redirect_uri=http://127.0.0.1:51004/back"
    )
    assert "http://127.0.0.1:*" in browser.page.policy["form-action"]


async def test_the_email_is_taken_without_the_blanks_that_keyboards_add(herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser, f"  {EMAIL.upper()} ")
    assert await herald.logged_in(browser)
    assert not await herald.logged_in(herald.browser())


async def test_whoever_logs_in_is_written_down_with_the_client(herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser, continue_=BACK)
    await herald.log_in(browser)
    logged_in = [row for row in await herald.audit("event", "client", "account") if row[0] == "logged_in"]
    assert logged_in == [("logged_in", herald.site.id, herald.account), ("logged_in", "login_page", herald.account)]
    login = await herald.service.store.logins.find(herald.id, identifiers.email(EMAIL))
    assert login is not None
    latest = (await herald.service.store.login_attempts.latest(herald.id, login.id))[0]
    assert (latest.channel, latest.outcome, latest.client, latest.address) == (
        "login_page",
        "succeeded",
        "login_page",
        "127.0.0.1",
    )


# Session fixation ------------------------------------------------------------------------------------------


async def test_a_cookie_from_before_the_login_opens_nothing(herald: Herald, browser: Browser) -> None:
    """Also where an attacker knows it: the session keeps its sid, but only the new cookie leads to it."""
    session, cookie = await _sessions(herald).begin(herald.id, NOW)
    browser.set_cookie(cookie_name(herald.id), cookie)
    await herald.log_in(browser)
    new = browser.cookie(cookie_name(herald.id))
    assert new != cookie and await herald.opens(new) and not await herald.opens(cookie)
    assert await sids(herald) == [(session.sid, LOGGED_IN)]


def _sessions(herald: Herald) -> Sessions:
    return Sessions(herald.service.store, herald.service.settings)


@pytest.mark.parametrize("planted", ["x", "", "Ã¥", "a" * 5000, '"quoted"', "a, b=c"])
async def test_a_cookie_that_was_made_up_is_never_taken_over(herald: Herald, browser: Browser, planted: str) -> None:
    browser.set_cookie(cookie_name(herald.id), planted)
    await herald.log_in(browser)
    new = browser.cookie(cookie_name(herald.id))
    assert new is not None and re.fullmatch(r"[\w-]{43}", new) and await herald.opens(new)
    assert not await herald.opens(planted)


async def test_cookies_of_others_on_the_domain_do_no_harm(herald: Herald, browser: Browser) -> None:
    for name, value in (("first", '{"a": [1, "b c"]}'), ("second", "\xff\\"), ("third", ""), ("$Version", "1")):
        browser.set_cookie(name, value)
    await herald.log_in(browser)
    assert (await browser.get("/login", oid=herald.id, continue_=BACK)).location == BACK


async def test_each_login_gets_another_cookie(herald: Herald, browser: Browser) -> None:
    seen = []
    for _ in range(3):
        await herald.log_in(browser)
        seen.append(browser.cookie(cookie_name(herald.id)))
    assert len(set(seen)) == 3
    assert [await herald.opens(cookie) for cookie in seen] == [False, False, True]


async def test_another_reader_gets_another_session(herald: Herald, browser: Browser) -> None:
    """A site that knows the sid of the first reader's session must not find the second one under it."""
    await herald.publisher.activated("second@example.com", "2", social_security_number=None)
    await herald.log_in(browser)
    [(first, _)] = await sids(herald)
    await herald.log_in(browser, "second@example.com")
    assert dict(await sids(herald))[first] == TERMINATED and Counter(s for _, s in await sids(herald))[LOGGED_IN] == 1


async def test_a_session_that_was_ended_meanwhile_is_replaced(herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser)
    await browser.get("/login", oid=herald.id, prompt="login")
    [(sid, _)] = await sids(herald)
    await herald.service.store.sessions.terminate(herald.id, sid, NOW, "test")
    await browser.submit(email=EMAIL, password=PASSWORD)
    assert await herald.logged_in(browser)


async def test_the_cookies_are_hidden_from_scripts_and_from_other_sites_forms(herald: Herald, browser: Browser) -> None:
    """The session's, and the one of a trusted browser."""
    await browser.get("/login", oid=herald.id)
    data = {**browser.page.forms[0].fields, "email": EMAIL, "password": PASSWORD}
    response = await herald.service.http.post(
        "/login", data=data, headers={"cookie": f"__Host-stamkund_form={browser.cookie('__Host-stamkund_form')}"}
    )
    assert response.status_code == 303
    session, trusted = response.headers.get_list("set-cookie")
    hidden = "Path=/; Secure; HttpOnly; SameSite=Lax"
    assert re.fullmatch(rf"__Host-stamkund-{herald.id}=[\w-]{{43}}; Max-Age=2592000; {hidden}", session)
    value = rf"[\w-]{{22}}\.{NOW}\.[0-9a-f]{{32}}"
    assert re.fullmatch(rf"__Host-stamkund_browser-[0-9a-f]{{16}}={value}; Max-Age=31536000; {hidden}", trusted)


# Hosts and organisations -------------------------------------------------------------------------------------


async def test_the_only_organisation_need_not_be_named(fresh_url: str, tmp_path: Path) -> None:
    async with RunningService(fresh_url, tmp_path / "stamkund.key") as service, Browser(service) as browser:
        page = await browser.get("/login")
        assert (page.status, page.heading) == (400, "This link does not work"), "there is none yet"
        herald = await herald_of(await service.publisher())
        assert (await browser.get("/login")).heading == "Log in"
        await browser.submit(email=EMAIL, password=PASSWORD)
        assert await herald.logged_in(browser)
        await service.publisher()
        page = await browser.get("/login")
        assert page.status == 400 and "oid does not say which one" in page.text


async def test_browsers_are_sent_to_the_host_of_their_own(fresh_url: str, tmp_path: Path) -> None:
    async with RunningService(fresh_url, tmp_path / "stamkund.key", sso_url="https://sso.herald.example") as service:
        await service.publisher()
        for path in ("/login", "/Login/index", "/oauth2/logout", "/logout"):
            response = await service.http.get(f"{path}?oid=%C3%A5&continue=%0d%0a")
            assert response.status_code == 302
            assert response.headers["location"] == f"https://sso.herald.example{path}?oid=%C3%A5&continue=%0d%0a"
        response = await service.http.get("/login", headers={"host": "SSO.herald.example"})
        assert response.status_code == 200


async def test_logging_in_on_the_host_of_its_own_leads_back_to_our_own_authorization(
    fresh_url: str, tmp_path: Path
) -> None:
    """`continue` may name either host; the browser stays on the one that has its cookie."""
    async with RunningService(
        fresh_url,
        tmp_path / "stamkund.key",
        public_url="https://id.herald.example",
        sso_url="https://sso.herald.example",
    ) as service:
        herald = await herald_of(await service.publisher())
        host = {"host": "sso.herald.example"}
        for there in ("https://id.herald.example", "https://SSO.herald.example:443", ""):
            query = urlencode({"continue": f"{there}/oauth2/auth?client_id={herald.site.id}&state=å"})
            page = await service.http.get(f"/login?{query}", headers=host)
            token = re.findall('name="form_token" value="([^"]*)"', page.text)[0]
            cookie = page.headers["set-cookie"].partition(";")[0]
            form = {"form_token": token, "email": EMAIL, "password": PASSWORD}
            form["continue"] = f"{there}/oauth2/auth?client_id={herald.site.id}&state=å"
            origin = {"origin": "https://sso.herald.example", "cookie": cookie}
            response = await service.http.post("/login", data=form, headers={**host, **origin})
            assert response.status_code == 303
            assert response.headers["location"] == f"/oauth2/auth?client_id={herald.site.id}&state=%C3%A5"
