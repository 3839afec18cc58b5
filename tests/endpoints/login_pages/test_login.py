"""The login page: who is logged in, what everybody else reads, and that a cookie from before opens nothing."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from stamkund.identity import passwords
from stamkund.identity.sessions import cookie_name
from stamkund.rules import identifiers
from stamkund.rules.session import LOGGED_IN, TERMINATED
from tests.endpoints.login_pages.reader import APP, BACK, EMAIL, PASSWORD, SITE, Herald, herald_of
from tests.support.browser import Browser
from tests.support.rows import rows, set_status
from tests.support.service import NOW, RunningService

UNKNOWN_EMAIL = "nobody@example.com"
LEFT = "You have {} attempts left before logging in is locked for a while."
ONE_LEFT = "You have one attempt left before logging in is locked for a while."
WRONG = "Wrong e-mail or password."
LOCKED = "Too many failed attempts. Logging in is locked until Friday 16 January 2026 at 13:00."


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


async def test_an_inactive_account_has_to_log_in_again_and_can_not(herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser)
    await set_status(herald.service.settings.database_url, herald.id, "inactive")
    page = await browser.get("/login", oid=herald.id, continue_=BACK)
    assert (page.status, page.heading) == (200, "Log in")
    page = await browser.submit(email=EMAIL, password=PASSWORD)
    assert (page.status, page.alert) == (403, [WRONG, LEFT.format(4)])


# Session fixation ------------------------------------------------------------------------------------------


async def test_a_cookie_from_before_the_login_opens_nothing(herald: Herald, browser: Browser) -> None:
    """Also where an attacker knows it: the session keeps its sid, but only the new cookie leads to it."""
    session, cookie = await _sessions(herald).begin(herald.id, NOW)
    browser.set_cookie(cookie_name(herald.id), cookie)
    await herald.log_in(browser)
    new = browser.cookie(cookie_name(herald.id))
    assert new != cookie and await herald.opens(new) and not await herald.opens(cookie)
    assert await sids(herald) == [(session.sid, LOGGED_IN)]


def _sessions(herald: Herald) -> Any:
    from stamkund.identity.sessions import Sessions

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


async def test_the_cookie_is_hidden_from_scripts_and_from_other_sites_forms(herald: Herald, browser: Browser) -> None:
    await browser.get("/login", oid=herald.id)
    data = {**browser.page.forms[0].fields, "email": EMAIL, "password": PASSWORD}
    response = await herald.service.http.post(
        "/login", data=data, headers={"cookie": f"__Host-stamkund_form={browser.cookie('__Host-stamkund_form')}"}
    )
    assert response.status_code == 303
    (cookie,) = response.headers.get_list("set-cookie")
    assert re.fullmatch(
        rf"__Host-stamkund-{herald.id}=[\w-]{{43}}; Max-Age=2592000; Path=/; Secure; HttpOnly; SameSite=Lax", cookie
    )


# Staying out -----------------------------------------------------------------------------------------------


async def test_a_response_does_not_tell_whether_an_email_has_an_account(
    herald: Herald, browser: Browser, other: Browser
) -> None:
    """Over more attempts than freeze a login, the pages are the same to the byte but for what was typed."""
    pages_seen = []
    for one, email in ((browser, EMAIL), (other, UNKNOWN_EMAIL)):
        one.set_cookie("__Host-stamkund_form", "f" * 43)
        await one.get("/login", oid=herald.id, continue_=BACK)
        pages = [await one.submit(email=email, password=p) for p in ["wrong"] * 5 + [PASSWORD, "wrong"]]
        pages_seen.append([(p.status, p.headers["content-security-policy"], p.text.replace(email, "?")) for p in pages])
        alerts = [p.alert for p in pages]
        assert alerts[:5] == [[WRONG, LEFT.format(n)] for n in (4, 3, 2)] + [[WRONG, ONE_LEFT], [WRONG, LOCKED]]
        assert alerts[5:] == [[LOCKED]] * 2, "no hint whether the password was right"
        assert {p.status for p in pages} == {403} and not [p for p in pages if PASSWORD in p.text]
    assert pages_seen[0] == pages_seen[1]


async def test_an_unknown_email_costs_as_much_as_a_wrong_password(
    herald: Herald, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash for each attempt, whatever the e-mail, frozen or not: hashing is what takes the time."""
    await herald.log_in(browser, UNKNOWN_EMAIL, "wrong")  # from now on there is a dummy hash
    hashes: Counter[str] = Counter()
    matches, current = passwords._matches, ""

    def counted(*arguments: Any) -> bool:
        hashes[current] += 1
        return matches(*arguments)

    monkeypatch.setattr(passwords, "_matches", counted)
    for email in (EMAIL, UNKNOWN_EMAIL):
        current = email
        for _ in range(7):
            await herald.log_in(browser, email, "wrong")
    assert hashes == {EMAIL: 7, UNKNOWN_EMAIL: 7}


async def test_channels_count_together(herald: Herald, browser: Browser) -> None:
    await browser.get("/login", oid=herald.id)
    for _ in range(3):
        await browser.submit(email=EMAIL, password="wrong")
    for _ in range(2):
        await herald.publisher.grant("password", username=EMAIL, password="wrong")
    assert (await browser.submit(email=EMAIL, password=PASSWORD)).alert == [LOCKED]
    response = await herald.publisher.grant("password", username=EMAIL, password=PASSWORD)
    assert response.json()["error_description"].startswith("The account is frozen until 2026-01-16T13:00:00+01:00")
    with herald.service.clock.at(NOW + 86_400):
        await herald.log_in(browser)
        assert await herald.logged_in(browser)


async def test_five_failures_on_the_page_freeze_the_token_endpoint_too(herald: Herald, browser: Browser) -> None:
    await browser.get("/login", oid=herald.id)
    for _ in range(5):
        await browser.submit(email=EMAIL, password="wrong")
    response = await herald.publisher.grant("password", username=EMAIL, password=PASSWORD)
    assert response.json()["error_description"].startswith("The account is frozen until")


async def test_a_freeze_leaves_those_alone_who_are_logged_in(herald: Herald, browser: Browser, other: Browser) -> None:
    await herald.log_in(browser)
    await other.get("/login", oid=herald.id)
    for _ in range(5):
        await other.submit(email=EMAIL, password="wrong")
    assert (await browser.get("/login", oid=herald.id, continue_=BACK)).location == BACK


@pytest.mark.both_engines
async def test_of_fifty_at_once_as_many_are_tried_as_may_fail(herald: Herald, browser: Browser) -> None:
    await browser.get("/login", oid=herald.id)
    form = browser.page.forms[0].fields
    cookie = {"cookie": f"__Host-stamkund_form={browser.cookie('__Host-stamkund_form')}"}

    async def guess(number: int) -> str:
        data = {**form, "email": EMAIL, "password": f"guess {number}"}
        response = await herald.service.http.post("/login", data=data, headers=cookie)
        assert response.status_code == 403
        return "tried" if WRONG in response.text else "locked" if LOCKED in response.text else "?"

    assert Counter(await asyncio.gather(*map(guess, range(50)))) == {"tried": 5, "locked": 45}
    events = Counter(row[0] for row in await herald.audit("event"))
    assert events == {"login_refused": 50, "login_frozen": 1}


@pytest.mark.parametrize(
    ("language", "fields", "alerts"),
    [
        ("en", {"email": "", "password": "x"}, ["Enter your e-mail address."]),
        ("en", {"email": " ", "password": ""}, ["Enter your e-mail address.", "Enter your password."]),
        ("sv", {"email": EMAIL, "password": ""}, ["Ange ditt lösenord."]),
    ],
)
async def test_missing_fields_are_reported_and_are_no_attempt(
    herald: Herald, language: str, fields: dict[str, str], alerts: list[str]
) -> None:
    async with herald.browser(language) as browser:
        await browser.get("/login", oid=herald.id)
        for _ in range(6):
            page = await browser.submit(**fields)
        assert (page.status, page.alert) == (400, alerts)
        wrong = [e["id"] for e in page.all("input") if e.get("aria-invalid") == "true"]
        assert wrong == [name for name in ("email", "password") if not fields[name].strip()]
        await browser.submit(email=EMAIL, password=PASSWORD)
        assert await herald.logged_in(browser)


async def test_the_page_in_swedish(herald: Herald) -> None:
    async with herald.browser("sv-SE, en;q=0.5") as browser:
        page = await browser.get("/login", oid=herald.id)
        assert (page.language, page.heading) == ("sv", "Logga in")
        page = await browser.submit(email=EMAIL, password="wrong")
        assert page.alert == [
            "Fel e-post eller lösenord.",
            "Du har 4 försök kvar innan inloggningen spärras en tid.",
        ]
        for _ in range(5):
            page = await browser.submit(email=EMAIL, password="wrong")
        assert page.alert == [
            "För många misslyckade försök. Inloggningen är spärrad till fredag 16 januari 2026 kl. 13.00."
        ]
        assert page.title.startswith("Fel: Logga in – ")


async def test_times_are_those_of_the_organisation(service: RunningService) -> None:
    herald = await herald_of(await service.publisher(timezone="Europe/Helsinki"))
    async with herald.browser() as browser:
        await browser.get("/login", oid=herald.id)
        for _ in range(5):
            page = await browser.submit(email=EMAIL, password="wrong")
        assert "Friday 16 January 2026 at 14:00" in page.alert[1]


async def test_passwords_of_other_organisations_open_nothing(
    service: RunningService, herald: Herald, browser: Browser
) -> None:
    another = await herald_of(await service.publisher())
    renamed = msgspec.structs.replace(another.publisher.organisation, name="Another")
    await service.store.organisations.change(another.id, lambda _: renamed)
    await herald.publisher.activated("only.here@example.com", "2", social_security_number=None)
    await another.log_in(browser, "only.here@example.com")
    assert browser.page.alert[0] == WRONG
    assert not await another.logged_in(browser)


@pytest.mark.parametrize("email", ["a\0b", "\ud800", "' OR 1=1 --", "a" * 5000, "a\r\nSet-Cookie: x=y"])
@pytest.mark.both_engines
async def test_strange_emails_are_just_wrong(herald: Herald, browser: Browser, email: str) -> None:
    await browser.get("/login", oid=herald.id)
    data = {**browser.page.forms[0].fields, "password": PASSWORD}
    raw = urlencode({**data, "email": email}, errors="surrogatepass")
    response = await herald.service.http.post(
        "/login",
        content=raw,
        headers={"cookie": f"__Host-stamkund_form={browser.cookie('__Host-stamkund_form')}"},
    )
    assert response.status_code == 403 and WRONG in response.text
    assert "x" not in response.cookies


# Limits, hosts and what is down ----------------------------------------------------------------------------


async def test_attempts_at_one_email_are_limited_whoever_makes_them(fresh_url: str, tmp_path: Path) -> None:
    async with RunningService(fresh_url, tmp_path / "stamkund.key", limit_per_identifier=3) as service:
        herald = await herald_of(await service.publisher())
        async with herald.browser("sv") as browser:
            await browser.get("/login")
            for _ in range(3):
                assert (await browser.submit(email=EMAIL, password="wrong")).status == 403
            await browser.get("/login")
            page = await browser.submit(email=EMAIL.upper(), password=PASSWORD)
            assert (page.status, page.heading, page.headers["retry-after"]) == (429, "Ett ögonblick", "60")
            await browser.get("/login")
            assert (await browser.submit(email=UNKNOWN_EMAIL, password="wrong")).status == 403


async def test_a_page_is_limited_for_each_organisation(fresh_url: str, tmp_path: Path) -> None:
    async with RunningService(fresh_url, tmp_path / "stamkund.key", limit_per_client=2) as service:
        first, second = await service.publisher(), await service.publisher()
        async with Browser(service) as browser:
            for publisher, statuses in ((first, [403, 403, 429]), (second, [403])):
                seen = []
                for number in range(len(statuses)):
                    await browser.get("/login", oid=publisher.id)
                    seen.append((await browser.submit(email=f"{number}@example.com", password="x")).status)
                assert seen == statuses


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
