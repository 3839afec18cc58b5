"""A reader and two sites of one publisher: logged in on one, known on the other, out on both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from tests.flows.sites import SSO, Names, WebSite, web_site
from tests.support.browser import Browser, Page
from tests.support.service import Publisher

EMAIL = "ove.ovesson@example.com"
PASSWORD = "Df7Vdd8!!vnM"
DAY = 86_400


@dataclass
class World:
    """Two sites of one publisher and one of another, and browsers to visit them with."""

    publisher: Publisher
    herald: WebSite
    courier: WebSite
    foreign: WebSite
    names: Names
    stack: AsyncExitStack

    async def browser(self) -> Browser:
        hosts = (SSO, self.herald.name, self.courier.name, self.foreign.name)
        return await self.stack.enter_async_context(Browser(self.herald.name, hosts=hosts, transport=self.names))


@pytest.fixture
async def world(publisher: Publisher) -> AsyncIterator[World]:
    names = Names()
    names.urls["sso.example"] = publisher.service.url
    other = await publisher.service.publisher()
    for one in (publisher, other):
        await one.activated(EMAIL)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(names.close)
        herald = await stack.enter_async_context(web_site(publisher, "herald.example", names))
        courier = await stack.enter_async_context(web_site(publisher, "courier.example", names))
        foreign = await stack.enter_async_context(web_site(other, "foreign.example", names))
        yield World(publisher, herald, courier, foreign, names, stack)


async def view(browser: Browser, site: WebSite, path: str = "/") -> Page:
    """Opens a page and ends up on it, wherever the browser was sent in between."""
    page = await browser.get(f"{site.name}{path}")
    assert (page.status, page.url) == (200, f"{site.name}{path}")
    return page


async def log_in(browser: Browser, site: WebSite, email: str = EMAIL, password: str = PASSWORD) -> Page:
    await view(browser, site)
    return await browser.submit("login", email=email, password=password)


async def log_out(browser: Browser, site: WebSite) -> Page:
    await view(browser, site)
    return await browser.submit("logout")


async def test_a_visitor_is_identified_once_and_comes_back_to_the_page(world: World) -> None:
    browser = await world.browser()
    page = await view(browser, world.herald, "/article")
    ways = [url.split("?")[0] for url in page.history]
    assert ways == [f"{world.herald.name}/article", f"{SSO}/identify", f"{world.herald.name}/landing.php"]
    assert page.heading == "Nobody"
    assert (await view(browser, world.herald, "/another")).history == []


@pytest.mark.parametrize("swapped", [False, True], ids=["herald first", "courier first"])
async def test_in_on_one_site_is_in_on_the_other_and_out_is_out(world: World, swapped: bool) -> None:
    one, other = (world.courier, world.herald) if swapped else (world.herald, world.courier)
    browser = await world.browser()
    assert (await view(browser, other)).heading == "Nobody"  # so the other site knows the session already
    page = await log_in(browser, one)
    assert (page.heading, page.by_id("products").text) == (EMAIL, "package_code")
    page = await view(browser, other, "/news")
    assert (page.heading, page.by_id("products").text, page.history) == (EMAIL, "package_code", [])
    assert (await view(browser, one)).heading == EMAIL
    assert (await log_out(browser, other)).heading == "Nobody"
    page = await view(browser, one)
    assert page.heading == "Nobody" and f"{SSO}/identify" in page.history[1]
    # Both have the browser's new session by now, and share that one.
    assert (await log_in(browser, other)).heading == EMAIL
    assert (await view(browser, one)).heading == EMAIL


async def test_a_site_visited_for_the_first_time_knows_who_is_logged_in(world: World) -> None:
    browser = await world.browser()
    await log_in(browser, world.herald)
    page = await view(browser, world.courier, "/first?of=all")
    assert page.heading == EMAIL and len(page.history) == 3


async def test_browsers_and_publishers_do_not_share_sessions(world: World) -> None:
    browser, another = await world.browser(), await world.browser()
    await log_in(browser, world.herald)
    assert (await view(another, world.herald)).heading == "Nobody"
    assert (await view(browser, world.foreign)).heading == "Nobody"
    await log_in(browser, world.foreign)
    assert (await log_out(browser, world.foreign)).heading == "Nobody"
    assert (await view(browser, world.herald)).heading == EMAIL


async def test_a_reader_frozen_at_one_site_is_frozen_at_the_other(world: World) -> None:
    browser, another = await world.browser(), await world.browser()
    for left in (4, 3, 2, 1, 0):
        page = await log_in(browser, world.herald, password="wrong")
        assert page.alert == [f"Wrong username or password, {left} left"]
    page = await log_in(another, world.courier)
    assert (page.heading, page.alert) == ("Nobody", ["Frozen for 900 seconds"])
    clock = world.publisher.service.clock
    with clock.at(clock() + 900):
        assert (await log_in(another, world.courier)).heading == EMAIL


async def test_a_reader_stays_logged_in_over_weeks_and_not_after_a_month(world: World) -> None:
    browser, clock = await world.browser(), world.publisher.service.clock
    await log_in(browser, world.herald)
    with clock.at(clock() + 29 * DAY):
        assert (await view(browser, world.herald)).heading == EMAIL
    with clock.at(clock() + 90 * DAY):
        page = await view(browser, world.herald)
        assert page.heading == "Nobody" and len(page.history) == 3
        assert (await log_in(browser, world.herald)).heading == EMAIL


async def test_a_steady_reader_costs_a_question_a_page_and_no_ticket(world: World) -> None:
    browser = await world.browser()
    await log_in(browser, world.herald)
    before = world.herald.questions
    for number in range(5):
        assert (await view(browser, world.herald, f"/{number}")).history == []
    assert world.herald.questions == before + 5
