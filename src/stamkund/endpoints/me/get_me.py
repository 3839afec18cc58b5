"""Get current account: the account that the access token stands for."""

from __future__ import annotations

import msgspec

from stamkund import problems
from stamkund.representations.accounts import ME, MyItem
from stamkund.rules import scopes
from stamkund.rules.account import Account
from stamkund.rules.timestamps import zone
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Loads, endpoint, token_account
from stamkund.wire.response import Item


class MeResponse(msgspec.Struct):
    item: MyItem


@endpoint(
    "GET",
    "/external/api/v1/me",
    scope=scopes.ME_WRITE,
    identity=True,
    loads=Loads(account=token_account, missing=problems.ACCOUNT_NOT_FOUND),
    about=About(
        title="Get current account",
        group="Me",
        source='document "Get account" (/me), release 3.9.1',
        response=MeResponse,
        example=Example(response="get_me"),
    ),
)
async def get_me(call: Call, account: Account) -> Item:
    """Returns the account that the access token stands for, with its subscriptions."""
    return Item(ME.of(account, zone(call.caller.organisation.timezone), call.now))
