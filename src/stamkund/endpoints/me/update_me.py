"""Update current account: a reader changes what the account says."""

from __future__ import annotations

from stamkund.rules import scopes
from stamkund.store import AccountKey
from stamkund.twins.account_fields import ORIGIN
from stamkund.twins.addresses import OLDER_ADDRESS, PAYWAY_ADDRESS
from stamkund.twins.update_account import (
    COMPANY_AND_ORIGIN,
    OWN_FIELDS,
    REFUSALS_OF_ME,
    Updated,
    own_account,
    update_account,
)
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Limit, endpoint
from stamkund.wire.limits import OWN_UPDATE_LIMIT

_FIELDS_1 = (*OWN_FIELDS, ORIGIN, OLDER_ADDRESS)
_FIELDS_3 = (*OWN_FIELDS, *COMPANY_AND_ORIGIN, PAYWAY_ADDRESS)
_EXAMPLE = Example(body='{"first_name": "Kalle", "mobile_phone_number": "0701234567"}', response="update_me")


@endpoint(
    "PUT",
    "/external/api/v1/me",
    scope=scopes.ME_WRITE,
    identity=True,
    parameters=_FIELDS_1,
    body="json",
    limit=Limit(OWN_UPDATE_LIMIT, own_account),
    refusals=REFUSALS_OF_ME,
    about=About(
        title="Update current account",
        group="Me",
        source='documentation page "Update account" (Me API v1)',
        response=Updated,
        example=_EXAMPLE,
    ),
)
async def update_me(call: Call) -> Updated:
    """Changes what is sent of the account that the access token stands for, as "Update account" does.

    The e-mail is changed by a call of its own.
    """
    return await update_account(call, _own_key(call), _FIELDS_1)


@endpoint(
    "PUT",
    "/external/api/v3/me",
    scope=scopes.ME_WRITE,
    identity=True,
    parameters=_FIELDS_3,
    body="json",
    limit=Limit(OWN_UPDATE_LIMIT, own_account),
    refusals=REFUSALS_OF_ME,
    about=About(
        title="Update current account (v3)",
        group="Me",
        source='documentation page "Update account" (Me API v3)',
        response=Updated,
        example=_EXAMPLE,
    ),
)
async def update_me_3(call: Call) -> Updated:
    """Changes the account that the access token stands for, with the company's name and the Payway Address."""
    return await update_account(call, _own_key(call), _FIELDS_3)


def _own_key(call: Call) -> AccountKey:
    """The account that the access token stands for."""
    row = call.caller.account_row
    assert row is not None, "the call needs an identity"
    return row
