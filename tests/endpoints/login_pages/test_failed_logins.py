"""Logins that fail at the login page: what the reader learns, and how often one may try."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import msgspec
import pytest

from tests.endpoints.login_pages.reader import BACK, EMAIL, PASSWORD, Herald, herald_of
from tests.endpoints.sso2.conftest import site_of
from tests.support.browser import Browser
from tests.support.counting import COMBINING, HashCounter, HeldHashing, NormalisingRecorder
from tests.support.rows import set_status
from tests.support.service import NOW, RunningService
from tests.support.waiting import until

UNKNOWN_EMAIL = "nobody@example.com"
LEFT = "You have {} attempts left before logging in is locked for a while."
ONE_LEFT = "You have one attempt left before logging in is locked for a while."
WRONG = "Wrong e-mail or password."
LOCKED = "Too many failed attempts. Logging in is locked until Thursday 15 January 2026 at 13:15."


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
    hashes = HashCounter(monkeypatch)
    for email in (EMAIL, UNKNOWN_EMAIL):
        hashes.email = email
        for _ in range(7):
            await herald.log_in(browser, email, "wrong")
    assert hashes.computed == {EMAIL: 7, UNKNOWN_EMAIL: 7}


async def test_channels_count_together(herald: Herald, browser: Browser) -> None:
    await browser.get("/login", oid=herald.id)
    for _ in range(3):
        await browser.submit(email=EMAIL, password="wrong")
    for _ in range(2):
        await herald.publisher.grant("password", username=EMAIL, password="wrong")
    assert (await browser.submit(email=EMAIL, password=PASSWORD)).alert == [LOCKED]
    response = await herald.publisher.grant("password", username=EMAIL, password=PASSWORD)
    assert response.json()["error_description"].startswith("The account is frozen until 2026-01-15T13:15:00+01:00")
    with herald.service.clock.at(NOW + 900):
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
            "För många misslyckade försök. Inloggningen är spärrad till torsdag 15 januari 2026 kl. 13.15."
        ]
        assert page.title.startswith("Fel: Logga in – ")


async def test_times_are_those_of_the_organisation(service: RunningService) -> None:
    herald = await herald_of(await service.publisher(timezone="Europe/Helsinki"))
    async with herald.browser() as browser:
        await browser.get("/login", oid=herald.id)
        for _ in range(5):
            page = await browser.submit(email=EMAIL, password="wrong")
        assert "Thursday 15 January 2026 at 14:15" in page.alert[1]


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


@pytest.mark.parametrize("email", [EMAIL, UNKNOWN_EMAIL, "a" * 60_000, "a@" + "\u0345" * 30_000])
@pytest.mark.both_engines
async def test_what_is_too_long_is_just_wrong(
    herald: Herald, browser: Browser, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page comes again with its ordinary sentence, and nothing is done with what is too long."""
    recorder = NormalisingRecorder(monkeypatch)
    await browser.get("/login", oid=herald.id)
    token = browser.page.forms[0].fields["form_token"]
    cookie = f"__Host-stamkund_form={browser.cookie('__Host-stamkund_form')}"
    for password in ("wrong", COMBINING, "x" * 65_000):
        fields = {"oid": herald.id, "form_token": token, "email": email, "password": password}
        body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()[:65_536]
        response = await herald.service.http.post("/login", content=body, headers={"cookie": cookie})
        assert response.status_code == 403 and WRONG in response.text
        assert len(response.text) < 12_000, "nor is it shown again"
    recorder.assert_bounded()


async def test_other_parameters_that_are_too_long_are_refused(herald: Herald, browser: Browser) -> None:
    for name in ("oid", "ui_locales", "prompt"):
        page = await browser.get("/login", **{"oid": herald.id, name: "x" * 8193})
        assert page.status == 400 and "too long" in page.text


PLACES = 8
BUSY = {"hashing_queue": PLACES, "hashing_threads": 1, "hashing_seconds": 600, "trusted_proxies": "127.0.0.1"}


@pytest.mark.parametrize("alike", ["form", "email", "address"])
async def test_one_source_takes_a_quarter_of_the_queue(
    fresh_url: str, tmp_path: Path, alike: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes from elsewhere still logs in. The rest gets 503, as a page."""
    async with RunningService(fresh_url, tmp_path / "stamkund.key", **BUSY) as service:
        herald = await herald_of(await service.publisher())
        with HeldHashing(monkeypatch) as held:
            waiting = []
            for n in range(PLACES):
                form, cookie = await _login_form(herald, "f" * 43 if alike == "form" else f"{n}" * 43)
                sent = {**form, "email": "a@example.com" if alike == "email" else f"a{n}@example.com", "password": "x"}
                headers = {"cookie": cookie, "x-forwarded-for": f"192.0.2.{1 if alike == 'address' else n}"}
                waiting.append(asyncio.create_task(service.http.post("/login", data=sent, headers=headers)))
            await until(lambda: sum(task.done() for task in waiting) == PLACES * 3 // 4)
            too_many = [task.result() for task in waiting if task.done()]
            assert {(r.status_code, r.headers["retry-after"]) for r in too_many} == {(503, "1")}
            assert {r.headers["content-type"] for r in too_many} == {"text/html; charset=utf-8"}
            other_source = asyncio.create_task(herald.publisher.grant("password", username=EMAIL, password=PASSWORD))
            held.release()
            assert {(await task).status_code for task in waiting} == {403, 503}
            assert (await other_source).status_code == 200


@pytest.mark.parametrize(("visitor_address", "places"), [(True, PLACES // 4), (False, PLACES)])
async def test_a_visitor_at_a_sites_own_form_takes_a_quarter_too(
    fresh_url: str, tmp_path: Path, visitor_address: bool, places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the address that the site sends, unless that is the site's own."""
    async with RunningService(fresh_url, tmp_path / "stamkund.key", **BUSY) as service:
        site = await site_of(await service.publisher(), visitor_address=visitor_address)
        with HeldHashing(monkeypatch) as held:
            waiting = []
            for n in range(PLACES + 1):
                claims = {"usr": f"a{n}@example.com", "pwd": "x", "sid": "x", "ipa": f"192.0.2.1:{5000 + n}"}
                token = site.connector.token(10, **claims)
                waiting.append(asyncio.create_task(site.connector.send("authenticate", token)))
            await until(lambda: sum(task.done() for task in waiting) == PLACES + 1 - places)
            assert {task.result().status_code for task in waiting if task.done()} == {503}
            held.release()
            assert Counter([(await task).status_code for task in waiting])[200] == places
        await site.connector.http.aclose()


async def _login_form(herald: Herald, cookie: str) -> tuple[dict[str, str], str]:
    """The fields of a form that was shown to the browser with this cookie, and the header that sends it."""
    async with herald.browser() as browser:
        browser.set_cookie("__Host-stamkund_form", cookie)
        await browser.get("/login", oid=herald.id)
        return browser.page.forms[0].fields, f"__Host-stamkund_form={cookie}"


async def test_no_reader_waits_for_those_who_have_gone_away(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of posts whose sockets are closed kept a reader waiting for a minute. Also with requests behind them,
    when nothing is read any more that would say that they are gone."""
    async with RunningService(fresh_url, tmp_path / "stamkund.key", **BUSY | {"trusted_proxies": ""}) as service:
        herald = await herald_of(await service.publisher())
        form, cookie = await _login_form(herald, "f" * 43)
        with HeldHashing(monkeypatch) as held:
            busy = asyncio.create_task(herald.publisher.grant("password", username="a@example.com", password="x"))
            await until(lambda: held.begun == 1)
            for number in range(40):
                body = urlencode({**form, "email": EMAIL, "password": "wrong"}).encode()
                head = f"POST /login HTTP/1.1\r\nHost: test\r\nCookie: {cookie}\r\nContent-Length: {len(body)}\r\n\r\n"
                behind = b"GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n" * (number % 2)
                await _send_and_leave(service, head.encode() + body + behind)
            reader = asyncio.create_task(herald.publisher.grant("password", username=EMAIL, password=PASSWORD))
            held.release()
            assert ((await reader).status_code, (await busy).status_code) == (200, 400)
        assert held.begun <= 3, "the reader's, the first, and one that its thread was kept for"


async def _send_and_leave(service: RunningService, request: bytes) -> None:
    parts = urlsplit(service.url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    await writer.drain()
    await asyncio.sleep(0)
    writer.close()
    await writer.wait_closed()


async def test_clients_with_a_secret_are_not_counted_by_address(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All readers of a site come from the address of its server. An e-mail is counted all the same."""
    async with RunningService(fresh_url, tmp_path / "stamkund.key", **BUSY) as service:
        publisher = await service.publisher()
        with HeldHashing(monkeypatch) as held:
            emails = [f"a{n}@example.com" for n in range(PLACES - 2)] + ["b@example.com"] * 3
            logins = [asyncio.create_task(publisher.grant("password", username=e, password="x")) for e in emails]
            await until(lambda: sum(login.done() for login in logins) == 1)
            assert [login.result().status_code for login in logins if login.done()] == [503]
            held.release()
            assert Counter([(await login).status_code for login in logins]) == {400: PLACES, 503: 1}


async def test_an_inactive_account_has_to_log_in_again_and_can_not(herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser)
    await set_status(herald.service.settings.database_url, herald.id, "inactive")
    page = await browser.get("/login", oid=herald.id, continue_=BACK)
    assert (page.status, page.heading) == (200, "Log in")
    page = await browser.submit(email=EMAIL, password=PASSWORD)
    assert (page.status, page.alert) == (403, [WRONG, LEFT.format(4)])


# Limits ----------------------------------------------------------------------------------------------------


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
