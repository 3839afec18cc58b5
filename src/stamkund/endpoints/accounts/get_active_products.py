"""Get active products: what a reader may read, which a site asks right after the login."""

from __future__ import annotations

from stamkund import problems
from stamkund.representations.active_products import (
    INCLUDE_ARTICLES,
    ActiveProductsResponse,
    active_products_item,
)
from stamkund.rules import identifiers, scopes, values
from stamkund.rules.account import Account
from stamkund.rules.catalogue import Catalogue
from stamkund.rules.identifiers import Identifier
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Loads, endpoint
from stamkund.wire.parameters import Parameter, ParsedParameters
from stamkund.wire.response import Item
from stamkund.wire.services import Services

ACCOUNT_ID = Parameter("account_id", values.ID, "The account's id.", required=True)


def requested_account(parameters: ParsedParameters, _: Services) -> Identifier:
    return Identifier(identifiers.ID, parameters[ACCOUNT_ID])


@endpoint(
    "GET",
    "/external/api/v1/accounts/active_products",
    scope=scopes.ACCOUNT_READ,
    parameters=(ACCOUNT_ID, INCLUDE_ARTICLES),
    loads=Loads(account=requested_account, missing=problems.ACCOUNT_NOT_FOUND, catalogue=True),
    about=About(
        title="Get active products",
        group="Account",
        source='documentation page "Get active products" (Account API)',
        response=ActiveProductsResponse,
        example=Example(query="account_id=585a4768edce2c5e6f000001", response="get_active_products"),
    ),
)
async def get_active_products(call: Call, account: Account, catalogue: Catalogue) -> Item:
    """Returns the codes of the products that an account may read now: sorted, each once.

    Each subscription that is activated, cancelled but not ended, or frozen within the grace period of its package gives
    the products that the organisation's catalogue lists for its package or campaign. A package that the catalogue does
    not have gives its own code.
    """
    return active_products_item(call, account, catalogue)
