"""What an account may read now, as `/accounts/active_products` and `/me/active_products` show it."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.rules import values
from stamkund.rules.account import Account
from stamkund.rules.catalogue import Catalogue, active_products
from stamkund.rules.timestamps import zone
from stamkund.wire.call import Call
from stamkund.wire.parameters import Parameter
from stamkund.wire.response import Item

INCLUDE_ARTICLES = Parameter(
    "include_articles",
    values.BOOLEAN,
    "`true` adds the key `active_articles`: articles bought one by one. There is no shop here, so its list is empty.",
)


class ActiveProducts(msgspec.Struct):
    """`id` is the account's. `active_articles` is there only where it was asked for, and empty: there is no shop."""

    id: str
    active_products: list[str]
    active_articles: list[dict[str, Any]] | UnsetType = UNSET


class ActiveProductsResponse(msgspec.Struct):
    item: ActiveProducts


def active_products_item(call: Call, account: Account, catalogue: Catalogue) -> Item:
    """The products that an account gives access to now, by the organisation's catalogue."""
    local = zone(call.caller.organisation.timezone)
    products = active_products(account.user_products, catalogue, local, call.now)
    return Item(ActiveProducts(account.id, products, [] if call.parameters.get(INCLUDE_ARTICLES) else UNSET))
