"""Get active products: what a reader may read, which is what a site asks right after the login."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules import catalogue, identifiers, scopes, values
from stamkund.rules.identifiers import Identifier
from stamkund.rules.timestamps import zone
from stamkund.store import TOKEN_ACCOUNT, TokenAccount
from stamkund.wire.endpoint import Call, Example, Item, endpoint
from stamkund.wire.parameters import Parameter, ParsedParameters
from stamkund.wire.services import Services

ACCOUNT_ID = Parameter("account_id", values.ID, "The account's id.", required=True)
INCLUDE_ARTICLES = Parameter(
    "include_articles",
    values.BOOLEAN,
    "`true` adds the key `active_articles`: articles bought one by one. There is no shop here, so its list is empty.",
)


class ActiveProducts(msgspec.Struct):
    """What may be read now. `id` is the account's; `active_articles` is there only when it was asked for, and empty."""

    id: str
    active_products: list[str]
    active_articles: list[dict[str, Any]] | UnsetType = UNSET


class ActiveProductsResponse(msgspec.Struct):
    item: ActiveProducts


_ANSWER = """
{
    "item": {
        "id": "585a4768edce2c5e6f000001",
        "active_products": [
            "aaa_digital",
            "product_plus",
            "product_web"
        ]
    }
}
"""


def named(given: ParsedParameters, _: Services) -> Identifier:
    return Identifier(identifiers.ID, given[ACCOUNT_ID])


def own(_: ParsedParameters, __: Services) -> TokenAccount:
    return TOKEN_ACCOUNT


@endpoint(
    "GET",
    "/external/api/v1/accounts/active_products",
    title="Get active products",
    source='documentation page "Get active products" (Account API)',
    scope=scopes.ACCOUNT_READ,
    parameters=(ACCOUNT_ID, INCLUDE_ARTICLES),
    subject=named,
    catalogue=True,
    answer=ActiveProductsResponse,
    refusals=(problems.ACCOUNT_NOT_FOUND,),
    example=Example(query="account_id=585a4768edce2c5e6f000001", answer=_ANSWER),
)
async def get_active_products(call: Call) -> Item:
    """Answers the codes of the products that an account may read now: sorted, each once.

    Each subscription that is activated, cancelled but not over, or frozen within the grace period of its package gives
    the products that the organisation's catalogue lists for its package or campaign. A package that the catalogue does
    not know gives its own code.
    """
    return await _readable(call)


@endpoint(
    "GET",
    "/external/api/v1/me/active_products",
    title="Get active products of current account",
    source='documentation page "Get active products" (Me API)',
    scope=scopes.ME_WRITE,
    identity=True,
    parameters=(INCLUDE_ARTICLES,),
    subject=own,
    catalogue=True,
    answer=ActiveProductsResponse,
    refusals=(problems.ACCOUNT_NOT_FOUND,),
    example=Example(answer=_ANSWER),
    group="Me",
)
async def get_my_active_products(call: Call) -> Item:
    """Answers the codes of the products that the account of the access token may read now: sorted, each once.

    They follow from its subscriptions as in "Get active products".
    """
    return await _readable(call)


async def _readable(call: Call) -> Item:
    account = call.account()
    if account is None:
        raise Refused(problems.ACCOUNT_NOT_FOUND)
    local = zone(call.caller.organisation.timezone)
    products = catalogue.active_products(account.user_products, await call.catalogue(), local, call.now)
    return Item(ActiveProducts(account.id, products, [] if call.given.get(INCLUDE_ARTICLES) else UNSET))
