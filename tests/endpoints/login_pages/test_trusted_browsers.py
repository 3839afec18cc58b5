"""Browsers that have logged a reader in before: other people's failures don't shut the reader out of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.endpoints.login_pages.reader import EMAIL, PASSWORD, Herald, herald_of
from tests.support.browser import Browser
from tests.support.service import NOW, RunningService

pytestmark = pytest.mark.both_engines
PREFIX = "__Host-stamkund_browser-"
YEAR = 365 * 86_400


def trust(browser: Browser) -> dict[str, str]:
    """The cookies that make a browser trusted."""
    return {name: value for (_, name), value in browser.cookies.items() if name.startswith(PREFIX)}


async def fail(herald: Herald, browser: Browser, times: int = 5, email: str = EMAIL) -> None:
    await browser.get("/login", oid=herald.id, prompt="login")
    for _ in range(times):
        assert (await browser.submit(email=email, password="wrong")).status == 403


async def gets_in(herald: Herald, browser: Browser) -> bool:
    """Whether the right password works in a browser that has forgotten its session."""
    browser.set_cookie(f"__Host-stamkund-{herald.id}", None)
    await herald.log_in(browser)
    return await herald.logged_in(browser)


async def test_failures_elsewhere_do_not_shut_a_reader_out(herald: Herald, browser: Browser, other: Browser) -> None:
    assert await gets_in(herald, browser)
    await fail(herald, other)
    grant = await herald.publisher.grant("password", username=EMAIL, password=PASSWORD)
    assert "frozen" in grant.json()["error_description"]
    assert not await gets_in(herald, other)
    assert await gets_in(herald, browser)
    assert not await gets_in(herald, other), "that lifts nothing for others"


async def test_a_trusted_browser_has_a_count_of_its_own(herald: Herald, browser: Browser, other: Browser) -> None:
    """It may not guess for ever either, and its failures freeze nobody else."""
    assert await gets_in(herald, browser)
    await fail(herald, browser)
    assert not await gets_in(herald, browser)
    assert await gets_in(herald, other)
    with herald.service.clock.at(NOW + 900):
        assert await gets_in(herald, browser)


async def test_an_operator_lifts_every_lockout(herald: Herald, browser: Browser, other: Browser) -> None:
    assert await gets_in(herald, browser)
    await fail(herald, browser)
    await fail(herald, other)
    assert await herald.service.store.login_attempts.unlock(herald.id, herald.account, NOW)
    assert await gets_in(herald, browser) and await gets_in(herald, other)
    assert not await herald.service.store.login_attempts.unlock(herald.id, herald.account, NOW)


async def test_trust_is_for_one_reader(herald: Herald, browser: Browser, other: Browser) -> None:
    await herald.publisher.activated("second@example.com", "2", social_security_number=None)
    await herald.log_in(browser, "second@example.com")
    await fail(herald, other)
    assert not await gets_in(herald, browser)
    assert len(trust(browser)) == 1
    with herald.service.clock.at(NOW + 900):
        await herald.log_in(browser, EMAIL.upper())
        assert len(trust(browser)) == 2, "a household keeps one for each reader"


async def test_a_failed_login_trusts_no_browser(herald: Herald, browser: Browser) -> None:
    await fail(herald, browser, 2)
    await fail(herald, browser, 2, "nobody@example.com")
    assert not trust(browser)


async def test_a_cookie_that_was_made_up_or_changed_is_no_trust(
    herald: Herald, browser: Browser, other: Browser
) -> None:
    assert await gets_in(herald, browser)
    [(name, value)] = trust(browser).items()
    id_, made, signature = value.split(".")
    await fail(herald, other)
    for changed in ("", "x", f"{id_}.{made}.", f"{id_}.{int(made) + 1}.{signature}", f"{'A' * 22}.{made}.{signature}"):
        other.set_cookie(name, changed)
        assert not await gets_in(herald, other), changed
    other.set_cookie(name, value)
    assert await gets_in(herald, other), "the cookie is all that makes a browser trusted"


async def test_trust_is_for_one_organisation(herald: Herald, browser: Browser, other: Browser) -> None:
    another = await herald_of(await herald.service.publisher())
    assert await gets_in(herald, browser)
    [(name, value)] = trust(browser).items()
    await another.log_in(other)
    [theirs] = trust(other)
    assert theirs != name
    async with another.browser() as third:
        await fail(another, third)
        third.set_cookie(theirs, value)
        assert not await gets_in(another, third)


async def test_trust_ends_unless_it_is_renewed(herald: Herald, browser: Browser, other: Browser) -> None:
    assert await gets_in(herald, browser)
    [value] = trust(browser).values()
    with herald.service.clock.at(NOW + YEAR):
        await fail(herald, other)
        assert not await gets_in(herald, browser)
    with herald.service.clock.at(NOW + YEAR - 1):
        assert await gets_in(herald, browser)
        [renewed] = trust(browser).values()
    assert renewed.split(".")[0] == value.split(".")[0], "the same browser"
    with herald.service.clock.at(NOW + YEAR + 5):
        await fail(herald, other)
        assert await gets_in(herald, browser)


async def test_no_browser_is_trusted_where_the_setting_is_0(fresh_url: str, tmp_path: Path) -> None:
    async with RunningService(fresh_url, tmp_path / "stamkund.key", trusted_browser_days=0) as service:
        herald = await herald_of(await service.publisher())
        async with herald.browser() as browser:
            assert await gets_in(herald, browser)
            assert not trust(browser)
