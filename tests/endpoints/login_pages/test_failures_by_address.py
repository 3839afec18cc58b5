"""Spraying one password over many e-mails: the failures of a visitor's address are limited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.endpoints.login_pages.reader import EMAIL, PASSWORD, Herald, herald_of
from tests.endpoints.sso2.conftest import SsoSite, site_of
from tests.support.browser import Browser, Page
from tests.support.counting import HashCounter
from tests.support.rows import rows
from tests.support.service import NOW, RunningService
from tests.support.waiting import until

VISITOR, NEIGHBOUR = "203.0.113.9", "203.0.113.10"
TO_THE_HOUR = 3600 - NOW % 3600


@pytest.fixture
async def herald(fresh_url: str, tmp_path: Path) -> AsyncIterator[Herald]:
    """Behind a proxy that is declared; an address may fail four times an hour."""
    chosen = {"trusted_proxies": "127.0.0.1", "failed_logins_per_address": 4}
    async with RunningService(fresh_url, tmp_path / "stamkund.key", **chosen) as service:
        yield await herald_of(await service.publisher())


async def attempt(herald: Herald, address: str, email: str, password: str = "wrong") -> Page:
    async with herald.browser() as browser:
        return await _attempt(herald, browser, address, email, password)


async def _attempt(herald: Herald, browser: Browser, address: str, email: str, password: str) -> Page:
    form = (await browser.get("/login", oid=herald.id)).forms[0]
    fields = {**form.fields, "email": email, "password": password}
    return await browser.post(form.action, fields, {"x-forwarded-for": address})


async def spray(herald: Herald, *addresses: str) -> list[int]:
    return [(await attempt(herald, one, f"r{n}@example.com")).status for n, one in enumerate(addresses)]


async def test_an_address_that_failed_too_often_is_refused(herald: Herald, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a page, and without a hash; the right password too. At the next full hour it may try again."""
    assert await spray(herald, *[VISITOR] * 4) == [403] * 4
    hashes = HashCounter(monkeypatch)
    page = await attempt(herald, VISITOR, EMAIL, PASSWORD)
    assert (page.status, page.heading, page.headers["retry-after"]) == (429, "One moment, please", str(TO_THE_HOUR))
    assert not hashes.computed
    assert (await attempt(herald, NEIGHBOUR, EMAIL, PASSWORD)).status == 200
    with herald.service.clock.at(NOW + TO_THE_HOUR):
        assert (await attempt(herald, VISITOR, EMAIL, PASSWORD)).status == 200


async def test_what_succeeds_is_not_counted(herald: Herald) -> None:
    for _ in range(6):
        assert (await attempt(herald, VISITOR, EMAIL, PASSWORD)).status == 200
    assert await spray(herald, *[VISITOR] * 5) == [403] * 4 + [429]


async def test_ipv6_is_counted_by_the_network(herald: Herald) -> None:
    addresses = [f"2001:db8:0:1:{n}::1" for n in range(5)]
    assert await spray(herald, *addresses, "2001:db8:0:2::1") == [403] * 4 + [429, 403]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "fd00::1", "unknown"])
async def test_a_private_address_is_never_refused(herald: Herald, address: str) -> None:
    """A proxy that is not declared: behind it are all readers."""
    assert await spray(herald, *[address] * 6) == [403] * 6


async def test_sites_that_have_no_visitors_address_are_never_refused(herald: Herald) -> None:
    http, client = herald.service.http, herald.publisher
    assert await spray(herald, *[VISITOR] * 5) == [403] * 4 + [429]
    fields = {"grant_type": "password", "client_id": client.client.id, "client_secret": client.secret}
    for n in range(6):
        wrong = {**fields, "username": f"s{n}@example.com", "password": "wrong"}
        response = await http.post("/api/authorization/access_token", data=wrong, headers={"x-forwarded-for": VISITOR})
        assert response.status_code == 400


async def test_another_organisation_counts_for_itself(herald: Herald) -> None:
    """A site can name any address, and must not shut it out elsewhere."""
    other = await herald_of(await herald.service.publisher())
    assert await spray(herald, *[VISITOR] * 5) == [403] * 4 + [429]
    assert (await attempt(other, VISITOR, EMAIL, PASSWORD)).status == 200


@pytest.fixture
async def site(herald: Herald) -> AsyncIterator[SsoSite]:
    made = await site_of(herald.publisher)
    yield made
    await made.connector.http.aclose()


async def test_a_visitor_at_a_sites_own_form_counts_by_the_address_that_the_site_names(
    herald: Herald, site: SsoSite
) -> None:
    """Together with the login page; the site hears that the account is frozen, until the next full hour."""
    sid = (await site.identified()).sid
    assert await spray(herald, *["192.0.2.7"] * 3) == [403] * 3
    assert (await site.connector.authenticate(sid, "r9@example.com", "wrong"))["err"] == "invalid_credentials"
    claims = await site.connector.authenticate(sid, EMAIL, PASSWORD)
    assert (claims["err"], claims["frf"], claims["sts"]) == ("account_frozen", TO_THE_HOUR, "anon")
    assert (await attempt(herald, "192.0.2.7", EMAIL, PASSWORD)).status == 429
    with herald.service.clock.at(NOW + TO_THE_HOUR):
        sid = (await site.identified()).sid
        assert (await site.connector.authenticate(sid, EMAIL, PASSWORD))["sts"] == "loggedin"


@pytest.mark.parametrize(
    "ipa", ["192.0.2.7 ", "192.0.2.7:5000", "198.51.100.1, 192.0.2.7", "::ffff:192.0.2.7", "192.0.2.7%eth0"]
)
async def test_an_address_that_a_site_hands_on_as_it_came_counts(herald: Herald, site: SsoSite, ipa: str) -> None:
    """With blanks, a port, or a whole list, of which the visitor can make up all but the end."""
    for n in range(4):
        claims = await site.connector.authenticate("x", f"r{n}@example.com", "wrong", ipa=ipa)
        assert claims["err"] == "invalid_credentials"
    assert (await attempt(herald, "192.0.2.7", EMAIL, PASSWORD)).status == 429


async def test_the_audit_has_addresses_and_the_limit_once(herald: Herald) -> None:
    await spray(herald, *[VISITOR] * 7, "10.1.2.3")
    url = herald.service.settings.database_url

    async def is_written() -> bool:
        query = "SELECT detail, address FROM audit WHERE event = 'limit_reached'"
        return await rows(url, query) == [("failed logins of one address", VISITOR)]

    await until(is_written)
    refusals = await herald.audit("detail", "address", like="login_refused")
    assert refusals == [("failed", VISITOR)] * 4 + [("failed", None)]


async def test_the_audit_has_so_many_refusals_of_one_source(fresh_url: str, tmp_path: Path) -> None:
    """One that sends more takes nothing from what the others have left, and the audit says that there were more."""
    chosen = {"trusted_proxies": "127.0.0.1", "audit_refusals_per_hour": 3}
    async with RunningService(fresh_url, tmp_path / "stamkund.key", **chosen) as service:
        herald = await herald_of(await service.publisher())
        await spray(herald, *[VISITOR] * 6, *[NEIGHBOUR] * 2)
        refusals = await herald.audit("address", like="login_refused")
        assert refusals == [(VISITOR,)] * 3 + [(NEIGHBOUR,)] * 2
        assert (await attempt(herald, VISITOR, EMAIL, PASSWORD)).status == 200
        assert await herald.audit("address", like="login_succeeded") == [(VISITOR,)], "what succeeds always has one"

        async def is_written() -> bool:
            query = "SELECT detail, client FROM audit WHERE event = 'limit_reached'"
            return await rows(fresh_url, query) == [("refusals in the audit", "login_page")]

        await until(is_written)
