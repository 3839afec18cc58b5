"""Get active products: who may call, what is returned, and what of it moves with the clock and the catalogue."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stamkund.rules.catalogue import Catalogue, Package, Product
from stamkund.rules.ids import new_id
from tests.support.calls import assert_refused
from tests.support.catalogue import (
    CATALOGUE,
    DAY,
    EMAIL,
    MINE,
    READABLE,
    get_with,
    load,
    products,
    reader,
    subscription,
)
from tests.support.service import NOW, Publisher, RunningService

BOTH = pytest.mark.parametrize("path", [READABLE, MINE])


async def token_for(publisher: Publisher, path: str) -> str:
    return await (publisher.reader_token(EMAIL) if path == MINE else publisher.token())


def query_for(path: str, account_id: str) -> dict[str, str]:
    return {} if path == MINE else {"account_id": account_id}


# Who may not -----------------------------------------------------------------------------------------------


@BOTH
async def test_without_a_token(publisher: Publisher, path: str) -> None:
    assert_refused(await get_with(publisher, path, None, unknown="1"), 401, "invalid_token")


async def test_without_the_scope(publisher: Publisher) -> None:
    await reader(publisher)
    response = await get_with(publisher, READABLE, await publisher.token("/external/account/w", "/external/me/w"))
    assert "/external/account/r" in assert_refused(response, 403, "insufficient_scope")["message"]
    response = await get_with(publisher, MINE, await publisher.reader_token(EMAIL, scope="/external/account/r"))
    assert "/external/me/w" in assert_refused(response, 403, "insufficient_scope")["message"]


async def test_mine_requires_an_identity(publisher: Publisher) -> None:
    assert_refused(await get_with(publisher, MINE, await publisher.token()), 403, "identity_required")


async def test_a_token_with_identity_may_read_another_account(publisher: Publisher) -> None:
    account_id = await reader(publisher, subscription())
    response = await get_with(publisher, READABLE, await publisher.reader_token(EMAIL), account_id=account_id)
    assert response.json()["item"]["id"] == account_id


# What is sent ----------------------------------------------------------------------------------------------


@BOTH
async def test_unknown_parameter(publisher: Publisher, path: str) -> None:
    await reader(publisher)
    response = await get_with(publisher, path, await token_for(publisher, path), include_article="true", a="1")
    assert assert_refused(response, 400, "unknown_parameter")["message"] == "Unknown parameters: include_article,a"


async def test_mine_takes_no_account_id(publisher: Publisher) -> None:
    account_id = await reader(publisher)
    token = await publisher.reader_token(EMAIL)
    assert_refused(await get_with(publisher, MINE, token, account_id=account_id), 400, "unknown_parameter")


async def test_the_account_id_is_required_and_an_id(publisher: Publisher) -> None:
    for query in ({}, {"include_articles": "maybe"}):
        response = await publisher.get(READABLE, **query)
        assert assert_refused(response, 400, "invalid_parameter", "account_id")["message"] == "Parameter is required"
    for wrong in ("", "1", "z" * 24, EMAIL):
        response = await publisher.get(READABLE, account_id=wrong)
        message = assert_refused(response, 400, "invalid_parameter", "account_id")["message"]
        assert message == r"Parameter must match format (/^[a-f\d]{24}$/)"
    response = await publisher.get(READABLE, account_id="a" * 25)
    assert (
        assert_refused(response, 400, "invalid_parameter", "account_id")["message"]
        == "Parameter must be at most 24 characters"
    )


async def test_an_account_id_in_upper_case(publisher: Publisher) -> None:
    account_id = await reader(publisher, subscription("other"))
    assert await products(publisher, account_id.upper()) == ["other"]


@BOTH
@pytest.mark.parametrize("wrong", ["", "2", "yes", " true", "null", "true" * 1000])
async def test_include_articles_is_true_or_false(publisher: Publisher, path: str, wrong: str) -> None:
    query = query_for(path, await reader(publisher))
    response = await get_with(publisher, path, await token_for(publisher, path), **query, include_articles=wrong)
    message = assert_refused(response, 400, "invalid_parameter", "include_articles")["message"]
    assert message == "Parameter must be true or false"


@BOTH
async def test_articles_are_included_on_request(publisher: Publisher, path: str) -> None:
    account_id = await reader(publisher, subscription("other"))
    token, query = await token_for(publisher, path), query_for(path, account_id)
    for more in ({}, {"include_articles": "false"}):
        response = await get_with(publisher, path, token, **query, **more)
        assert json.dumps(response.json()) == json.dumps({"item": {"id": account_id, "active_products": ["other"]}})
    response = await get_with(publisher, path, token, **query, include_articles="true")
    expected = {"item": {"id": account_id, "active_products": ["other"], "active_articles": []}}
    assert json.dumps(response.json()) == json.dumps(expected)
    assert response.headers["cache-control"] == "no-store"
    slashed = await get_with(publisher, f"{path}/", token, **query, include_articles="true")
    assert slashed.json() == expected


# What is not there -----------------------------------------------------------------------------------------


async def test_an_unknown_account(service: RunningService, publisher: Publisher) -> None:
    theirs = await reader(await service.publisher(), subscription())
    for account_id in (new_id(NOW), theirs):
        response = await publisher.get(READABLE, account_id=account_id)
        assert assert_refused(response, 404, "not_found")["message"] == "account could not be found"


async def test_an_account_without_subscriptions(publisher: Publisher) -> None:
    await load(publisher)
    assert await products(publisher, await reader(publisher)) == []


# What a package gives --------------------------------------------------------------------------------------


async def test_products_come_sorted_and_once(publisher: Publisher) -> None:
    """Of packages that overlap, of a campaign through its package, of a package that the catalogue doesn't know."""
    await load(publisher)
    account_id = await reader(publisher, *map(subscription, ("everything", "unknown+1", "summer", "digital", "Web")))
    assert await products(publisher, account_id) == ["Web", "paper", "plus", "unknown+1", "web"]
    mine = await get_with(publisher, MINE, await publisher.reader_token(EMAIL))
    assert mine.json()["item"]["active_products"] == ["Web", "paper", "plus", "unknown+1", "web"]


async def test_a_campaign_gives_what_its_package_gives(publisher: Publisher) -> None:
    await load(publisher)
    assert await products(publisher, await reader(publisher, subscription("summer"))) == ["web"]


async def test_without_a_catalogue_a_package_gives_its_own_code(publisher: Publisher) -> None:
    account_id = await reader(publisher, subscription("summer"), subscription("digital"), subscription("digital"))
    assert await products(publisher, account_id) == ["digital", "summer"]


async def test_a_new_catalogue_applies_from_the_next_call(publisher: Publisher) -> None:
    account_id = await reader(publisher, subscription("digital"))
    for catalogue, expected in (
        (CATALOGUE, ["web"]),
        (Catalogue(products=[Product("app", "App")], packages=[Package("digital", ["app"])]), ["app"]),
        (Catalogue(), ["digital"]),
        (CATALOGUE, ["web"]),
    ):
        await load(publisher, catalogue)
        assert await products(publisher, account_id) == expected


async def test_each_organisation_has_its_own_catalogue(service: RunningService) -> None:
    first, second, third = [await service.publisher() for _ in range(3)]
    await load(first)
    await load(second, Catalogue(products=[Product("app", "App")], packages=[Package("digital", ["app"])]))
    readers = [await reader(p, subscription("digital")) for p in (first, second, third)]
    for _ in range(2):
        codes = [await products(p, r) for p, r in zip((first, second, third), readers, strict=True)]
        assert codes == [["web"], ["app"], ["digital"]]


# When a subscription is active -----------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["pending", "activated", "cancelled"])
async def test_a_subscription_begins_and_ends_with_the_clock(publisher: Publisher, state: str) -> None:
    """Section 5 of the wire contract: now within [valid_from, valid_to)."""
    await load(publisher)
    begins, ends = NOW + 5 * DAY, NOW + 20 * DAY
    account_id = await reader(publisher, subscription(state=state, valid_from=begins, valid_to=ends))
    for timestamp, expected in ((NOW, []), (begins - 1, []), (begins, ["web"]), (ends - 1, ["web"]), (ends, [])):
        with publisher.service.clock.at(timestamp):
            publisher._token = None  # a token holds for an hour
            assert await products(publisher, account_id) == expected, timestamp


async def test_a_subscription_without_beginning_and_end(publisher: Publisher) -> None:
    await load(publisher)
    account_id = await reader(publisher, subscription(valid_from=None, valid_to=None))
    assert await products(publisher, account_id) == ["web"]


async def test_a_deactivated_subscription_gives_nothing(publisher: Publisher) -> None:
    account_id = await reader(publisher, subscription(state="deactivated"))
    assert await products(publisher, account_id) == []


@pytest.mark.parametrize("package", ["digital", "summer"])
async def test_a_frozen_subscription_has_the_grace_days_of_its_package(publisher: Publisher, package: str) -> None:
    """A payment failed on the 16th of July, the package has five days of grace: access until the 21st."""
    await load(publisher)
    ends = int(datetime(2026, 7, 15, 22, tzinfo=UTC).timestamp())
    account_id = await reader(publisher, subscription(package, state="frozen", valid_to=ends))
    for timestamp, expected in (
        (ends - 1, ["web"]),
        (ends, ["web"]),
        (ends + 5 * DAY - 1, ["web"]),
        (ends + 5 * DAY, []),
    ):
        with publisher.service.clock.at(timestamp):
            publisher._token = None
            assert await products(publisher, account_id) == expected, timestamp


async def test_grace_days_are_days_of_the_calendar(publisher: Publisher) -> None:
    """Summer time begins on the 29th of March 2026: midnight to midnight is an hour less than five times 24."""
    await load(publisher)
    ends = int(datetime(2026, 3, 26, 23, tzinfo=UTC).timestamp())
    over = int(datetime(2026, 3, 31, 22, tzinfo=UTC).timestamp())
    account_id = await reader(publisher, subscription(state="frozen", valid_to=ends))
    for timestamp, expected in ((over - 1, ["web"]), (over, [])):
        with publisher.service.clock.at(timestamp):
            publisher._token = None
            assert await products(publisher, account_id) == expected


@pytest.mark.parametrize("package", ["everything", "unknown"])
async def test_without_grace_days_a_frozen_subscription_ends_as_others_do(publisher: Publisher, package: str) -> None:
    await load(publisher)
    account_id = await reader(publisher, subscription(package, state="frozen", valid_to=NOW + 1))
    assert await products(publisher, account_id) != []
    with publisher.service.clock.at(NOW + 1):
        assert await products(publisher, account_id) == []


async def test_grace_days_apply_to_a_subscription_imported_after_its_end(publisher: Publisher) -> None:
    await load(publisher)
    account_id = await reader(publisher, subscription(state="frozen", valid_to=NOW - 4 * DAY))
    assert await products(publisher, account_id) == ["web"]


async def test_only_frozen_subscriptions_have_grace(publisher: Publisher) -> None:
    await load(publisher)
    over = [subscription(state=state, valid_to=NOW - 1) for state in ("activated", "cancelled", "deactivated")]
    assert await products(publisher, await reader(publisher, *over)) == []
