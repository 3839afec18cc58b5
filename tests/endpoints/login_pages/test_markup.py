"""Every page there is: nothing from elsewhere, no script, no frame; and one that can be used without sight or mouse."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import cast

import msgspec
import pytest

from stamkund import problems
from stamkund.pages import refusal_page
from stamkund.rules.branding import Branding, logo_of
from stamkund.wire.call import Call
from stamkund.wire.services import Services
from tests.endpoints.login_pages.reader import BACK, EMAIL, Herald, herald_of
from tests.support.browser import Browser, Page
from tests.support.requests import request
from tests.support.service import Publisher, RunningService

LOGO = logo_of(b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
STATES = (
    "login",
    "hinted",
    "missing",
    "wrong",
    "frozen",
    "again",
    "logged in",
    "ask",
    "ask again",
    "out",
    "not in",
    "refused",
)


async def page_in(herald: Herald, browser: Browser, state: str) -> Page:
    """The page in one of its states."""
    login = {"oid": herald.id, "continue_": BACK}
    if state == "refused":
        return await browser.get("/login", oid=herald.id, continue_="https://evil.example")
    if state == "not in":
        return await browser.get("/oauth2/logout", oid=herald.id)
    if state in ("logged in", "ask", "ask again", "out"):
        await herald.log_in(browser)
        if state == "logged in":
            return browser.page
        await browser.get("/oauth2/logout", oid=herald.id)
        return (
            browser.page
            if state == "ask"
            else await browser.submit(**({"form_token": "x"} if state == "ask again" else {}))
        )
    await browser.get("/login", **login, **({"login_hint": EMAIL} if state == "hinted" else {}))
    if state == "missing":
        return await browser.submit()
    if state == "again":
        return await browser.submit(form_token="x", email=EMAIL)
    for _ in range({"wrong": 1, "frozen": 6}.get(state, 0)):
        await browser.submit(email=EMAIL, password="wrong")
    return browser.page


@pytest.fixture(params=STATES)
async def page(request: pytest.FixtureRequest, herald: Herald) -> Page:
    await herald.service.store.branding.change(herald.id, lambda _: Branding(LOGO, "#8a1538", "#101010"))
    async with herald.browser("sv" if len(request.param) % 2 else "en") as browser:
        return await page_in(herald, browser, request.param)


def test_a_page_loads_nothing(page: Page) -> None:
    tags = {e.tag for e in page.all()}
    assert tags & {"script", "link", "iframe", "object", "embed", "video", "audio", "base", "svg", "template"} == set()
    attributes = {name for e in page.all() for name in e.attributes}
    assert not [name for name in attributes if name.startswith("on")] and "style" not in attributes
    assert all(e["src"].startswith("data:image/") for e in page.all("img"))
    assert all(e["href"].startswith("/login?") for e in page.all("a"))
    assert all(form.action in ("/login", "/oauth2/logout") and form.method == "post" for form in page.forms)
    assert "@import" not in page.text and "url(" not in page.text
    assert not re.search(r"https?://", re.sub(r'value="[^"]*"', "", page.text))


def test_the_policy_lets_in_the_style_and_nothing_else(page: Page) -> None:
    style = page.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = page.policy
    form_action = policy.pop("form-action")
    assert policy == {
        "default-src": ["'none'"],
        "style-src": [f"'sha256-{digest}'"],
        "img-src": ["data:"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
    assert form_action[0] == "'self'" and not [source for source in form_action if "evil" in source or "*" in source]
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "same-origin", "with no-referrer, forms would come from `null`"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-language"] == page.language


def test_a_page_can_be_used_without_sight_or_mouse(page: Page) -> None:
    assert page.language in ("sv", "en")
    assert page.one("h1").text.strip() and page.one("title").text.strip() and page.one("main")
    viewport = [e["content"] for e in page.all("meta") if e.get("name") == "viewport"]
    assert viewport == ["width=device-width, initial-scale=1"], "may be magnified"
    ids = [e["id"] for e in page.all() if e.get("id")]
    assert len(ids) == len(set(ids))
    fields = [e for e in page.all("input") if e.get("type") != "hidden"]
    assert [e["for"] for e in page.all("label")] == [e["id"] for e in fields]
    assert all(e.text.strip() for e in [*page.all("label"), *page.all("button"), *page.all("a")])
    assert all(e["alt"] for e in page.all("img"))
    assert not [e for e in page.all() if e.get("tabindex") not in (None, "-1")], "the order is that of the page"
    described = [e["aria-describedby"] for e in fields if e.get("aria-describedby")]
    assert set(described) <= set(ids)
    assert bool(page.alert) == page.title.startswith(("Error: ", "Fel: "))
    assert len([e for e in page.all() if "autofocus" in e.attributes]) <= 1


def test_a_page_has_the_publishers_face(page: Page) -> None:
    if page.heading in ("This link does not work", "Länken fungerar inte"):
        assert page.all("img") == [], "whose page it is was not settled"
        return
    [logo] = page.all("img")
    assert logo["src"] == LOGO.source
    assert "--colour:#8a1538;--on-colour:#ffffff;--background:#101010;--on-background:#ffffff;" in page.text


async def test_the_fields_are_what_password_managers_look_for(herald: Herald, browser: Browser) -> None:
    page = await browser.get("/login", oid=herald.id)
    email, password = page.by_id("email"), page.by_id("password")
    assert (email["autocomplete"], email["type"], email["name"]) == ("username", "email", "email")
    assert (password["autocomplete"], password["type"], password["name"]) == (
        "current-password",
        "password",
        "password",
    )
    assert "required" in email.attributes and "required" in password.attributes and "autofocus" in email.attributes
    assert page.by_id("submit").tag == "button"
    page = await browser.submit(email=EMAIL, password="wrong")
    assert page.by_id("email")["value"] == EMAIL and "value" not in page.by_id("password").attributes
    assert "autofocus" in page.by_id("password").attributes
    assert page.by_id("password")["aria-describedby"] == "problem" == page.by_id("email")["aria-describedby"]


HTML = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}"


async def test_html_is_just_text(service: RunningService, publisher: Publisher) -> None:
    renamed = msgspec.structs.replace(publisher.organisation, name=HTML)
    await service.store.organisations.change(publisher.id, lambda _: renamed)
    herald = await herald_of(publisher)
    async with herald.browser() as browser:
        await browser.get("/login", oid=herald.id, login_hint=HTML, ui_locales=HTML, prompt=HTML)
        for page in (browser.page, await browser.submit(email=HTML, password=HTML)):
            assert page.all("script") == page.all("img") == []
            assert HTML in page.title and page.by_id("email")["value"] == HTML
        for query in (
            {"continue_": HTML},
            {"oid": HTML},
            {"state": HTML},
            {"client_id": HTML},
            {"id_token_hint": HTML},
        ):
            page = await browser.get("/oauth2/logout", None, **{"oid": herald.id, **query})
            assert page.all("script") == page.all("img") == []
        await service.store.branding.change(herald.id, lambda _: Branding(LOGO))
        page = await browser.get("/login", oid=herald.id)
        assert page.one("img")["alt"] == HTML and page.all("script") == []


async def test_a_hint_that_pages_can_not_show(herald: Herald, browser: Browser) -> None:
    page = await browser.get("/login", oid=herald.id, login_hint=" a\r\nb\0c\u2028@example.com\t")
    assert page.by_id("email")["value"] == "abc@example.com"


# Refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "status", "heading", "detail"),
    [
        (problems.UNAVAILABLE, 503, "Ett ögonblick", ""),
        (problems.BUSY, 503, "Ett ögonblick", ""),
        (problems.too_many_requests(17), 429, "Ett ögonblick", ""),
        (problems.internal("id-1"), 500, "Något gick fel", "id-1"),
        (problems.invalid("a", "<b>"), 400, "Länken fungerar inte", "a: &lt;b&gt;"),
        (problems.WRONG_CONTINUE, 400, "Länken fungerar inte", "/oauth2/auth"),
        (problems.Problem(418, "new", "New", headers=((b"x-new", b"1"),)), 418, "Något gick fel", "New"),
    ],
)
def test_a_refusal_page_needs_no_services(problem: problems.Problem, status: int, heading: str, detail: str) -> None:
    """No store, no settings: it must be there when nothing else is."""
    call = Call(cast(Services, None), 0, request(accept_language="sv"))
    response = refusal_page(call, problem)
    text = response.body.decode()
    assert response.status == status and f"<h1>{heading}</h1>" in text and detail in text
    assert ("Detaljer:" in text) is bool(detail)
    assert set(problem.headers) <= set(response.headers)


async def test_a_page_that_is_too_long_for_us(herald: Herald, browser: Browser) -> None:
    page = await browser.post("/login", {"email": "x" * 70_000})
    assert (page.status, page.heading) == (413, "Too much text")
