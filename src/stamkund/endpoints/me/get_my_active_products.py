"""Get active products of current account: what the reader of the access token may read."""

from __future__ import annotations

from stamkund import problems
from stamkund.representations.active_products import (
    INCLUDE_ARTICLES,
    ActiveProductsResponse,
    active_products_item,
)
from stamkund.rules import scopes
from stamkund.rules.account import Account
from stamkund.rules.catalogue import Catalogue
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Loads, endpoint, token_account
from stamkund.wire.response import Item


@endpoint(
    "GET",
    "/external/api/v1/me/active_products",
    scope=scopes.ME_WRITE,
    identity=True,
    parameters=(INCLUDE_ARTICLES,),
    loads=Loads(account=token_account, missing=problems.ACCOUNT_NOT_FOUND, catalogue=True),
    about=About(
        title="Get active products of current account",
        group="Me",
        source='documentation page "Get active products" (Me API)',
        response=ActiveProductsResponse,
        example=Example(response="get_my_active_products"),
    ),
)
async def get_my_active_products(call: Call, account: Account, catalogue: Catalogue) -> Item:
    """Returns the codes of the products that the account of the access token may read now: sorted, each once.

    They follow from its subscriptions as in "Get active products".
    """
    return active_products_item(call, account, catalogue)
