"""Get current account, the version with the Payway Address and tags."""

from __future__ import annotations

import msgspec

from stamkund import problems
from stamkund.representations.accounts import ME_3, MyItem3
from stamkund.rules import scopes
from stamkund.rules.account import Account
from stamkund.rules.timestamps import zone
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Loads, endpoint, token_account
from stamkund.wire.response import Item


class Me3Response(msgspec.Struct):
    item: MyItem3


@endpoint(
    "GET",
    "/external/api/v3/me",
    scope=scopes.ME_WRITE,
    identity=True,
    loads=Loads(account=token_account, missing=problems.ACCOUNT_NOT_FOUND),
    about=About(
        title="Get current account (v3)",
        group="Me",
        source='documentation page "Current account" (Me API v3)',
        response=Me3Response,
        example=Example(response="get_me_3"),
    ),
)
async def get_me_3(call: Call, account: Account) -> Item:
    """Returns the account that the access token stands for, with its tags and the whole address (Payway Address)."""
    return Item(ME_3.of(account, zone(call.caller.organisation.timezone), call.now))
