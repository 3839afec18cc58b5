"""The logout page, which is also OpenID Connect's end_session_endpoint.

It asks for confirmation, ends the session for all sites, and leads only to registered addresses.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from stamkund.identity.id_token_keys import IdTokenKeys
from stamkund.identity.sessions import cookie_name
from stamkund.rules.session import TERMINATED
from tests.endpoints.login_pages.reader import APP, BACK, GOODBYE, SITE, Herald, herald_of
from tests.support.browser import Browser
from tests.support.rows import rows
from tests.support.service import NOW, SCOPES, RunningService

LOGOUT = "/oauth2/logout"


async def id_token(herald: Herald, **claims: Any) -> str:
    """An ID token for the reader, as the token endpoint signs it."""
    service = herald.service
    standard = {
        "iss": service.settings.issuer,
        "sub": herald.account,
        "aud": herald.site.id,
        "iat": NOW,
        "exp": NOW + 3600,
    }
    return await IdTokenKeys(service.store, service.vault, service.settings, service.clock).sign({**standard, **claims})


async def statuses(herald: Herald) -> list[str]:
    query = f"SELECT status FROM sessions WHERE organisation = '{herald.id}'"
    return [row[0] for row in await rows(herald.service.settings.database_url, query)]


@pytest.mark.parametrize("path", [LOGOUT, "/logout", f"{LOGOUT}/"])
async def test_the_page_asks_before_it_logs_out(herald: Herald, browser: Browser, path: str) -> None:
    await herald.log_in(browser)
    cookie = browser.cookie(cookie_name(herald.id))
    page = await browser.get(path, oid=herald.id)
    assert (page.status, page.heading, page.alert) == (200, "Log out", [])
    assert await herald.logged_in(browser)
    page = await browser.submit()
    assert (page.status, page.heading) == (200, "You are logged out")
    assert browser.cookie(cookie_name(herald.id)) is None and not await herald.opens(cookie)
    assert await statuses(herald) == [TERMINATED]
    assert (await herald.audit("event", "client", "account"))[-1] == ("logged_out", "login_page", herald.account)
    [again] = page.all("a")
    assert (await browser.get(again["href"])).heading == "Log in"


async def test_the_page_speaks_swedish(herald: Herald) -> None:
    async with herald.browser("sv") as browser:
        assert (await browser.get(LOGOUT, oid=herald.id)).heading == "Du är inte inloggad"
        await herald.log_in(browser)
        assert browser.page.heading == "Du är inloggad"
        assert (await browser.get(LOGOUT, oid=herald.id)).heading == "Logga ut"
        assert (await browser.submit()).heading == "Du är utloggad"


async def test_a_logout_is_one_for_all_tabs(herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser)
    await browser.get(LOGOUT, oid=herald.id)
    form = browser.page.forms[0].fields
    await browser.submit()
    page = await browser.post(LOGOUT, form)
    assert (page.status, page.heading) == (200, "You are not logged in")
    assert (await browser.get("/login", oid=herald.id, continue_=BACK)).heading == "Log in"


async def test_a_logout_without_session_says_so_and_goes_on(herald: Herald, browser: Browser) -> None:
    page = await browser.get(LOGOUT, oid=herald.id)
    assert (page.status, page.heading, page.forms) == (200, "You are not logged in", [])
    page = await browser.get(LOGOUT, client_id=herald.site.id, post_logout_redirect_uri=GOODBYE, state="1 2")
    assert (page.status, page.location) == (303, f"{GOODBYE}&state=1%202")
    assert (await browser.get(LOGOUT, oid=herald.id, continue_=SITE)).location == f"{SITE}/"


async def test_a_client_gets_the_browser_back(herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser)
    page = await browser.get(LOGOUT, client_id=herald.site.id.upper(), post_logout_redirect_uri=GOODBYE, state="å&b=c")
    assert page.heading == "Log out" and page.policy["form-action"][1:] == [
        SITE,
        "se.herald.app:",
        "https://shop.herald.example",
        "https://goodbye.herald.example",
    ]
    page = await browser.submit()
    assert (page.status, page.location) == (303, f"{GOODBYE}&state=%C3%A5%26b%3Dc")
    assert not await herald.logged_in(browser)


async def test_an_app_gets_the_browser_back(herald: Herald, browser: Browser) -> None:
    app, _ = await herald.publisher.new_client("/openid", logout_uris=["se.herald.app:/bye"], public=True)
    await herald.log_in(browser)
    await browser.get(LOGOUT, client_id=app.id, post_logout_redirect_uri="se.herald.app:/bye")
    assert (await browser.submit()).location == "se.herald.app:/bye"


async def test_continue_works_as_on_the_login_page(herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser)
    await browser.get(LOGOUT, oid=herald.id, continue_=f"{SITE}/bye#x")
    assert (await browser.submit()).location == f"{SITE}/bye#x"


UNREGISTERED = "You will not be sent on: the address that the site or app gave us is not registered."


@pytest.mark.parametrize(
    "uri",
    [
        "https://goodbye.herald.example/bye",
        f"{GOODBYE}&x=y",
        f"{GOODBYE}#x",
        GOODBYE.upper(),
        f"{GOODBYE} ",
        "https://goodbye.herald.example:443/bye?from=us",
        BACK,
        APP,
        SITE,
        "https://evil.example",
        "//evil.example",
        "/",
        "javascript:alert(1)",
        "a\r\nb",
    ],
)
async def test_an_address_that_is_no_logout_uri_of_the_client(herald: Herald, browser: Browser, uri: str) -> None:
    """Compared exactly; the reader is asked or logged out as ever, reads that the link is wrong, is sent nowhere."""
    await herald.log_in(browser)
    page = await browser.get(LOGOUT, client_id=herald.site.id, post_logout_redirect_uri=uri, state="s")
    assert (page.status, page.location, page.heading) == (200, None, "Log out") and UNREGISTERED in page.text
    page = await browser.submit()
    assert (page.status, page.location, page.heading) == (200, None, "You are logged out")
    assert UNREGISTERED in page.text and "must be one of the logout URIs of the client" in page.text
    assert not await herald.logged_in(browser)
    await herald.log_in(browser)
    for heading in ("You are logged out", "You are not logged in"):
        page = await browser.get(LOGOUT, id_token_hint=await id_token(herald), post_logout_redirect_uri=uri, state="s")
        assert (page.status, page.location, page.heading) == (200, None, heading) and UNREGISTERED in page.text


@pytest.mark.both_engines
async def test_a_link_that_leads_nowhere_logs_out_in_swedish(herald: Herald) -> None:
    sentence = "Du skickas inte vidare: adressen som webbplatsen eller appen angav är inte registrerad."
    async with herald.browser("sv") as browser:
        await herald.log_in(browser)
        page = await browser.get(LOGOUT, client_id=herald.site.id, post_logout_redirect_uri=SITE)
        assert page.heading == "Logga ut" and sentence in page.text
        page = await browser.submit()
        assert page.heading == "Du är utloggad" and sentence in page.text
        assert not await herald.logged_in(browser)


async def test_an_address_needs_a_client(herald: Herald, browser: Browser) -> None:
    page = await browser.get(LOGOUT, oid=herald.id, post_logout_redirect_uri=GOODBYE)
    assert (page.status, page.location) == (200, None) and "must be one of the logout URIs of the client" in page.text


async def test_the_logout_uri_of_another_client_is_not_taken(herald: Herald, browser: Browser) -> None:
    other, _ = await herald.publisher.new_client(*SCOPES, logout_uris=["https://other.example/"])
    page = await browser.get(LOGOUT, client_id=other.id, post_logout_redirect_uri=GOODBYE)
    assert (page.status, page.location) == (200, None) and UNREGISTERED in page.text


@pytest.mark.parametrize("named", [{"oid": "x"}, {"client_id": "x"}, {}])
async def test_a_wrong_continue_leads_nowhere_either(
    service: RunningService, herald: Herald, browser: Browser, named: dict[str, str]
) -> None:
    """The organisation is the one that the link names, or that the browser has a session with."""
    await service.publisher()
    ids = {"oid": herald.id, "client_id": herald.site.id}
    query = {name: ids[name] for name in named}
    for wrong in ("https://evil.example/", "//evil.example", "x"):
        await herald.log_in(browser)
        page = await browser.get(LOGOUT, continue_=wrong, **query)
        assert (page.status, page.heading) == (200, "Log out") and UNREGISTERED in page.text
        page = await browser.submit()
        assert (page.status, page.location, page.heading) == (200, None, "You are logged out")
        assert UNREGISTERED in page.text and not await herald.logged_in(browser)
    if not named:
        page = await browser.get(LOGOUT, continue_="https://evil.example/")
        assert page.status == 400 and "oid does not say which one" in page.text


async def test_the_clients_address_counts_before_continue(herald: Herald, browser: Browser) -> None:
    client = {"client_id": herald.site.id}
    page = await browser.get(LOGOUT, **client, post_logout_redirect_uri=GOODBYE, continue_="https://evil.example")
    assert page.location == GOODBYE
    page = await browser.get(LOGOUT, **client, post_logout_redirect_uri="https://evil.example", continue_=SITE)
    assert (page.status, page.location) == (200, None) and UNREGISTERED in page.text


# ID tokens -------------------------------------------------------------------------------------------------


async def test_an_id_token_of_the_very_reader_spares_the_question(herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser)
    page = await browser.get(
        LOGOUT,
        id_token_hint=await id_token(herald),
        post_logout_redirect_uri=GOODBYE,
        state="x",
        client_id=herald.site.id,
    )
    assert (page.status, page.location) == (303, f"{GOODBYE}&state=x")
    assert not await herald.logged_in(browser) and browser.cookie(cookie_name(herald.id)) is None
    assert (await herald.audit("event", "client"))[-1] == ("logged_out", herald.site.id)


async def test_an_expired_id_token_is_still_a_hint(herald: Herald, browser: Browser) -> None:
    token = await id_token(herald)
    with herald.service.clock.at(NOW + 86_400):
        await herald.log_in(browser)
        page = await browser.get(LOGOUT, id_token_hint=token)
        assert page.heading == "You are logged out"


async def test_a_hint_of_another_reader_asks_first(service: RunningService, herald: Herald, browser: Browser) -> None:
    await herald.log_in(browser)
    own = await id_token(herald)
    head, body, signature = own.split(".")
    wrong = {
        "another reader": await id_token(herald, sub="585a4768edce2c5e6f000009"),
        "nobody": await id_token(herald, sub=None),
        "another issuer": await id_token(herald, iss="https://evil.example"),
        "no signature": f"{head}.{body}.",
        "a damaged one": f"{head}.{body}.{signature[::-1]}",
        "none at all": "x",
        "strange": "å.\0.%",
    }
    for why, token in wrong.items():
        page = await browser.get(LOGOUT, oid=herald.id, id_token_hint=token)
        assert (page.status, page.heading) == (200, "Log out"), why
        assert token not in page.text or token == "x"
    assert await herald.logged_in(browser)
    another = await herald_of(await service.publisher())
    page = await browser.get(LOGOUT, id_token_hint=await id_token(another))
    assert page.heading == "You are not logged in" and await herald.logged_in(browser)


async def test_a_hint_must_be_the_clients(herald: Herald, browser: Browser) -> None:
    other, _ = await herald.publisher.new_client(*SCOPES)
    await herald.log_in(browser)
    page = await browser.get(LOGOUT, client_id=other.id, id_token_hint=await id_token(herald))
    assert page.status == 400 and "was issued to another client" in page.text
    assert await herald.logged_in(browser)


async def test_a_hint_is_no_form(herald: Herald, browser: Browser) -> None:
    """A form of the page's own with a wrong token is refused, whatever it hints at."""
    await herald.log_in(browser)
    page = await browser.post(LOGOUT, {"form_token": "x", "id_token_hint": await id_token(herald)})
    assert page.status == 403 and await herald.logged_in(browser)


# As OpenID Connect has it, by a form of the client's ---------------------------------------------------------


async def test_a_clients_form_leads_to_the_page(herald: Herald, browser: Browser) -> None:
    """Browsers send no cookies with a form from another site, so the page is shown again."""
    await herald.log_in(browser)
    sent = {"client_id": herald.site.id, "post_logout_redirect_uri": GOODBYE, "state": "å\r\n", "other": "x"}
    page = await browser.post(LOGOUT, sent, {"origin": SITE})
    assert (page.status, page.heading) == (200, "Log out") and "other" not in page.url
    assert await herald.logged_in(browser)
    assert (await browser.submit()).location == f"{GOODBYE}&state=%C3%A5%0D%0A"


# Whose logout ----------------------------------------------------------------------------------------------


async def test_the_browsers_own_cookie_decides_the_organisation(
    service: RunningService, herald: Herald, browser: Browser
) -> None:
    await service.publisher()
    assert (await browser.get(LOGOUT)).status == 400
    await herald.log_in(browser)
    browser.set_cookie(cookie_name("gone"), "x")
    page = await browser.get(LOGOUT)
    assert page.heading == "Log out" and herald.publisher.organisation.name in page.title
    await browser.submit()
    assert not await herald.logged_in(browser)
    another = await herald_of(await service.publisher())
    await herald.log_in(browser)
    await another.log_in(browser)
    page = await browser.get(LOGOUT)
    assert page.status == 400 and "oid does not say which one" in page.text
    await browser.get(LOGOUT, oid=another.id)
    await browser.submit()
    assert await herald.logged_in(browser), "another organisation's session is its own"


async def test_the_only_organisation_need_not_be_named(fresh_url: str, tmp_path: Path) -> None:
    async with RunningService(fresh_url, tmp_path / "stamkund.key") as service, Browser(service) as browser:
        await herald_of(await service.publisher())
        assert (await browser.get("/logout")).heading == "You are not logged in"


async def test_a_disabled_client_is_unknown(herald: Herald, browser: Browser) -> None:
    token = await id_token(herald)
    await herald.service.store.clients.change(herald.site.id, lambda c: msgspec.structs.replace(c, disabled=True))
    for query in ({"client_id": herald.site.id}, {"id_token_hint": token}, {"client_id": "\0"}):
        page = await browser.get(f"{LOGOUT}?{urlencode(query)}")
        assert page.status == 400 and "is not known" in page.text
