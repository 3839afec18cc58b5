"""A catalogue for tests, and readers with subscriptions of what is in it."""

from __future__ import annotations

from typing import Any

import httpx

from stamkund.endpoints.accounts.get_active_products import get_active_products
from stamkund.endpoints.me.get_my_active_products import get_my_active_products
from stamkund.rules.catalogue import Campaign, Catalogue, Package, Product, Title
from stamkund.rules.customer import Subscription
from stamkund.rules.ids import new_id
from tests.support.service import NOW, Publisher

DAY = 86_400
READABLE = get_active_products.paths[0]
MINE = get_my_active_products.paths[0]
EMAIL = "reader@example.com"

CATALOGUE = Catalogue(
    titles=[
        Title("HERALD", "The Herald", "https://herald.example.com/title.png", rgb="#00aabb"),
        Title("GAZETTE", "The Gazette"),
    ],
    products=[Product(code, code) for code in ("web", "plus", "paper")],
    packages=[
        Package("digital", ["web"], "Digital", "HERALD", grace_days=5),
        Package("everything", ["web", "plus", "paper"], grace_days=0),
    ],
    campaigns=[Campaign("summer", "digital", "Summer", transforms_to="digital")],
)


def subscription(package: str = "digital", **more: Any) -> Subscription:
    """One that began ten days ago and ends in ten, by default."""
    fields = {"valid_from": NOW - 10 * DAY, "valid_to": NOW + 10 * DAY, **more}
    return Subscription(new_id(NOW), package, **fields)


async def reader(publisher: Publisher, *subscriptions: Subscription) -> str:
    """The id of an account with these subscriptions and no others."""
    return await publisher.activated(EMAIL, social_security_number=None, subscriptions=list(subscriptions))


async def load(publisher: Publisher, catalogue: Catalogue = CATALOGUE) -> None:
    await publisher.service.store.catalogues.replace(publisher.id, catalogue, NOW)


async def products(publisher: Publisher, account_id: str) -> list[str]:
    """What the account may read now."""
    response = await publisher.get(READABLE, account_id=account_id)
    assert response.status_code == 200, response.text
    codes: list[str] = response.json()["item"]["active_products"]
    return codes


async def get_with(publisher: Publisher, path: str, token: str | None, **query: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return await publisher.service.http.get(path, params=query, headers=headers)
