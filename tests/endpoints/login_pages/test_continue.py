"""Where pages send browsers on to: addresses that a client registered, and nowhere else, whatever is tried."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.endpoints.login_pages.reader import APP, EMAIL, PASSWORD, SITE, Herald, herald_of
from tests.support import raw
from tests.support.browser import Browser, Page
from tests.support.service import RunningService

SHOP = "https://shop.herald.example"


def is_refused(page: Page, sentence: str = "continue must be an address of /oauth2/auth") -> bool:
    assert page.location is None
    assert (page.status, page.heading) == (400, "This link does not work"), page.text
    assert page.forms == [] and page.all("a") == []
    return sentence in page.text


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        (SITE, f"{SITE}/"),
        (f"{SITE}/news?a=1&b=%26#top", f"{SITE}/news?a=1&b=%26#top"),
        ("HTTPS://WWW.Herald.Example:443/News", f"{SITE}/News"),
        (f"{SITE}//evil.example/", f"{SITE}//evil.example/"),
        (f"{SITE}/?next=https://evil.example", f"{SITE}/?next=https://evil.example"),
        (f"{SITE}/å ö", f"{SITE}/%C3%A5%20%C3%B6"),
        (f"{SHOP}/basket", f"{SHOP}/basket"),
    ],
)
async def test_addresses_at_a_clients_site(herald: Herald, browser: Browser, address: str, sent: str) -> None:
    """With the login page first, and where the reader is logged in already."""
    page = await browser.get("/login", continue_=address, oid=herald.id)
    assert page.status == 200
    assert (await browser.submit(email=EMAIL, password=PASSWORD)).location == sent
    assert (await browser.get("/login", continue_=address, oid=herald.id)).location == sent


HERE = "www.herald.example"
TRICKS = [
    *("https://evil.example", "https://evil.example/https://www.herald.example", "http://www.herald.example/"),
    *("https://herald.example/", "https://www.herald.example.evil.example/", "https://evil.example/www.herald.example"),
    *("https://www.herald.example:8443/", "https://www.herald.example:444", "https://xwww.herald.example/"),
    *(f"//{HERE}", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\/evil.example"),
    *("\\\\evil.example", "/\t/evil.example", "/\n/evil.example", "/%09/evil.example", "/%2f/evil.example", "/%5cevil"),
    *("https:evil.example", f"https:{HERE}", f"https:/{HERE}", f"https:///{HERE}", f"https:\\\\{HERE}"),
    *(f"https://{HERE}@evil.example", f"https://{HERE}:443@evil.example/", f"https://user@{HERE}/"),
    *(f"https://evil.example\\@{HERE}/", f"https://evil.example\\.{HERE}/", f"https://{HERE}\\@evil.example/"),
    *(f"https://evil.example#@{HERE}/", f"https://evil.example?@{HERE}/", f"https://evil.example/@{HERE}"),
    *(f"https://evil.example%23@{HERE}/", f"https://{HERE}%2f@evil.example", f"https://{HERE}%00.evil.example"),
    *(f"\thttps://{HERE}", f"https://{HERE}/\r\nSet-Cookie: a=b", f"ht\ntps://{HERE}", f"https://{HERE}\t/"),
    *(f" https://{HERE}/", f"https://{HERE}/\x00", f"https://{HERE}/\u2028", "https://www.herald.exämple/"),
    *("https://www。herald。example/", "https://ｗｗｗ.herald.example/", f"https://{HERE}./", f"https://{HERE}:/"),
    *("javascript:alert(1)", "JAVASCRIPT:alert(1)", f"javascript://{HERE}/%0aalert(1)", "java\nscript:alert(1)"),
    *("data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", f"ftp://{HERE}/", "about:blank"),
    *(APP, "se.herald.app:/other", "intent://x#Intent;scheme=https;end", "www.herald.example", "/", "/login", "login"),
    *("/docs", "/oauth2/logout", "/oauth2/auth", "/oauth2/auth/", "/oauth2/auth#x", "/oauth2/authx?client_id=1", "."),
    *("//oauth2/auth?client_id=1", "/oauth2/../oauth2/auth?client_id=1", "/./oauth2/auth?client_id=1", "?client_id=1"),
    *("/oauth2\\auth?client_id=1", "/oauth2/auth%3fclient_id=1", "/OAuth2/Auth?client_id=1", "oauth2/auth?client_id=1"),
    *("*", "null", "undefined", "https://*", "https://*.herald.example", "%", "%ff", "a" * 9000),
]


async def test_no_unregistered_address_is_reached(herald: Herald, browser: Browser) -> None:
    """Not by the page, not by its form with the address put in by hand, and not where one is logged in already."""
    for address in TRICKS:
        assert is_refused(await browser.get("/login", oid=herald.id, continue_=address)), address
        await browser.get("/login", oid=herald.id)
        data = {**browser.page.forms[0].fields, "email": EMAIL, "password": PASSWORD, "continue": address}
        assert is_refused(await browser.post("/login", data)), address
        assert not await herald.logged_in(browser), address
    await herald.log_in(browser)
    for address in TRICKS:
        assert is_refused(await browser.get("/login", oid=herald.id, continue_=address)), address
        assert await herald.logged_in(browser), address
        page = await browser.get("/oauth2/logout", oid=herald.id, continue_=address)
        assert (page.status, page.location, page.heading) == (200, None, "Log out"), address
        assert "You will not be sent on" in page.text
    page = await browser.submit()
    assert (page.status, page.location, page.heading) == (200, None, "You are logged out")


@given(address=st.text() | st.text(alphabet="htps:/\\@.%?#\t\n[]1 wherald", max_size=30).map(lambda t: f"{SITE}{t}"))
async def test_any_address_leads_to_the_site_or_nowhere(service: RunningService, address: str) -> None:
    herald = await _fuzzed(service)
    response = await service.http.get(
        "/login?" + urlencode({"oid": herald.id, "continue": address}, errors="surrogatepass")
    )
    assert response.status_code in (200, 400)
    if response.status_code == 200 and address:
        assert address.lower().startswith(SITE) and (len(address) == len(SITE) or address[len(SITE)] in "/?#:")


_homes: dict[int, Herald] = {}


async def _fuzzed(service: RunningService) -> Herald:
    """One publisher for all that hypothesis makes up."""
    if id(service) not in _homes:
        _homes[id(service)] = await herald_of(await service.publisher())
    return _homes[id(service)]


# Our own authorization -------------------------------------------------------------------------------------


async def test_our_own_authorization_decides_whose_page_it_is(
    service: RunningService, herald: Herald, browser: Browser
) -> None:
    """By its client, absolute or not; sent on exactly as it was checked."""
    for there in ("", service.url, service.url.upper().replace("HTTP", "Http")):
        page = await browser.get(
            "/login", continue_=f"{there}/oauth2/auth?state=å b&client_id={herald.site.id.upper()}"
        )
        assert herald.publisher.organisation.name in page.title
        assert page.policy["form-action"] == ["'self'", SITE, "se.herald.app:", SHOP, "https://goodbye.herald.example"]
    data = {**browser.page.forms[0].fields, "email": EMAIL, "password": PASSWORD}
    cookie = {"cookie": f"__Host-stamkund_form={browser.cookie('__Host-stamkund_form')}"}
    response = await service.http.post("/login", data=data, headers=cookie)
    assert response.headers["location"] == f"/oauth2/auth?state=%C3%A5%20b&client_id={herald.site.id.upper()}"


async def test_an_authorization_of_no_client_is_refused(herald: Herald, browser: Browser) -> None:
    disabled, _ = await herald.publisher.new_client("/openid", redirect_uris=[f"{SITE}/2"], disabled=True)
    for query in (
        "state=1",
        "client_id=",
        "client_id=x",
        "client_id=585a4768edce2c5e6f000001",
        f"client_id={disabled.id}",
        f"client_id={herald.site.id}&client_id={herald.site.id}",
        "client_id=%ff",
        "client_id=%00",
    ):
        page = await browser.get("/login", oid=herald.id, continue_=f"/oauth2/auth?{query}")
        assert is_refused(page, "The site or app that sent you here is not known")


async def test_sites_of_a_disabled_client_are_refused(herald: Herald, browser: Browser) -> None:
    await herald.service.store.clients.change(herald.site.id, lambda site: msgspec.structs.replace(site, disabled=True))
    assert is_refused(await browser.get("/login", oid=herald.id, continue_=SITE))


# Whose page ------------------------------------------------------------------------------------------------


async def test_an_organisation_that_is_not_the_clients_is_refused(
    service: RunningService, herald: Herald, browser: Browser
) -> None:
    other = await service.publisher()
    to_authorization = f"/oauth2/auth?client_id={herald.site.id}"
    page = await browser.get("/login", oid=other.id, continue_=to_authorization)
    assert is_refused(page, "another organisation") and "belongs to another publisher" in page.text
    assert is_refused(await browser.get("/login", oid=other.id, continue_=SITE))
    page = await browser.get("/login", oid=herald.id, continue_=to_authorization)
    assert page.status == 200


@pytest.mark.parametrize("oid", ["nobody", "", "ORG-1", "a b", "\0", "å", "../x", "a" * 65, "%", "' OR 1=1 --"])
async def test_an_organisation_that_is_none_is_refused(
    service: RunningService, herald: Herald, browser: Browser, oid: str
) -> None:
    await service.publisher()
    page = await browser.get("/login", oid=oid)
    assert is_refused(page, "There is no organisation" if oid else "oid does not say which one")


async def test_a_site_of_one_organisation_alone_names_it(service: RunningService, browser: Browser) -> None:
    first, second = await service.publisher(), await service.publisher()
    own, shared = f"https://{first.id}.example", f"https://shared-{first.id}.example"
    await first.new_client("/openid", redirect_uris=[f"{own}/a", f"{shared}/a"])
    await second.new_client("/openid", redirect_uris=[f"{shared}/b"])
    page = await browser.get("/login", continue_=f"{own}/x")
    assert page.status == 200 and first.organisation.name in page.title
    assert is_refused(await browser.get("/login", continue_=f"{shared}/x"), "oid does not say which one")
    assert second.organisation.name in (await browser.get("/login", oid=second.id, continue_=f"{shared}/x")).title


async def test_repeated_parameters_are_refused(herald: Herald, browser: Browser) -> None:
    """Of two readers one may take the first, and the other the last."""
    site = quote(SITE, safe="")
    for query in (
        f"continue={site}&continue=https://evil.example",
        f"oid={herald.id}&oid=x",
        f"oid={herald.id}&%6fid=x",
        f"oid={herald.id}&continue=%ff",
        f"oid={herald.id}&prompt=%ff",
    ):
        assert is_refused(await browser.get(f"/login?{query}"), "given more than once")
    page = await browser.get(f"/login?oid={herald.id}&utm_source=x&utm_source=%ff&fbclid=1")
    assert page.status == 200, "what newsletters add is ignored"


# Headers ---------------------------------------------------------------------------------------------------

SPLIT = "a\r\nSet-Cookie: injected=1\r\n\r\n<script>"


@pytest.mark.parametrize("name", ["continue", "oid", "login_hint", "ui_locales", "prompt", "state", "utm_source"])
@pytest.mark.parametrize("path", ["/login", "/oauth2/logout", "/oauth2/auth"])
async def test_a_line_break_splits_no_header(herald: Herald, name: str, path: str) -> None:
    parameters = {"oid": herald.id, "client_id": herald.site.id, "response_type": "code", name: SPLIT}
    target = f"{path}?{urlencode(parameters)}".encode()
    response = await raw.send(herald.service, raw.get(target))
    assert response.status in (200, 302, 303, 400) and response.rest == b""
    assert "injected" not in response.headers.get("set-cookie", "")
    assert b"<script" not in response.body.lower()


async def test_a_state_with_a_line_break_comes_back_encoded(herald: Herald, browser: Browser) -> None:
    goodbye = herald.site.logout_uris[0]
    page = await browser.get("/oauth2/logout", client_id=herald.site.id, post_logout_redirect_uri=goodbye, state=SPLIT)
    assert page.location == f"{goodbye}&state={quote(SPLIT, safe='')}"
