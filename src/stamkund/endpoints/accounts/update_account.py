"""Update account: a client changes what an account says of its reader."""

from __future__ import annotations

from stamkund.rules import identifiers, scopes, values
from stamkund.rules.identifiers import Identifier
from stamkund.twins.account_fields import TAGS
from stamkund.twins.addresses import OLDER_ADDRESS, PAYWAY_ADDRESS
from stamkund.twins.update_account import (
    COMPANY_AND_ORIGIN,
    EMAIL,
    OWN_FIELDS,
    REFUSALS,
    Updated,
    update_account,
)
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Limit, endpoint
from stamkund.wire.limits import UPDATE_LIMIT
from stamkund.wire.parameters import Parameter

ID = Parameter("id", values.ID, "The account's id.", required=True, unset=False)
ATOMIC = Parameter(
    "atomic",
    values.BOOLEAN,
    "`true`, as without it: all or nothing. `false`: what is right is saved, and `errors` says what was not.",
    unset=False,
    collects=True,
)
_FIELDS_1 = (EMAIL, *OWN_FIELDS, *COMPANY_AND_ORIGIN, OLDER_ADDRESS)
_FIELDS_2 = (EMAIL, *OWN_FIELDS, *COMPANY_AND_ORIGIN, PAYWAY_ADDRESS, TAGS)
_LIMIT = Limit(UPDATE_LIMIT, lambda call: [_requested_account(call)])


def _requested_account(call: Call) -> Identifier:
    return Identifier(identifiers.ID, call.parameters[ID])


@endpoint(
    "PUT",
    "/external/api/v1/accounts",
    scope=scopes.ACCOUNT_WRITE,
    parameters=(ID, *_FIELDS_1),
    body="json",
    limit=_LIMIT,
    refusals=REFUSALS,
    about=About(
        title="Update account",
        group="Account",
        source='documentation page "Update account" (Account API v1)',
        response=Updated,
        example=Example(
            body='{"id": "585a4768edce2c5e6f000001", "email": "kalle.anka@example.com", "alias": "__UNSET__"}',
            response="update_account",
        ),
    ),
)
async def update_account_1(call: Call) -> Updated:
    """Changes what is sent of an account, and nothing else. What is sent is changed together or not at all.

    A changed e-mail is the reader's login at once, and ends no session. `"__UNSET__"` empties a parameter whose
    description says so. Social security numbers that are in use are limited per minute (429).
    """
    return await update_account(call, _requested_account(call), _FIELDS_1)


@endpoint(
    "PUT",
    "/external/api/v2/accounts",
    scope=scopes.ACCOUNT_WRITE,
    parameters=(ID, *_FIELDS_2, ATOMIC),
    body="json",
    limit=_LIMIT,
    refusals=REFUSALS,
    about=About(
        title="Update account (v2)",
        group="Account",
        source='documentation page "Update account" (Account API v2)',
        response=Updated,
        example=Example(
            body='{"id": "585a4768edce2c5e6f000001", "tags": ["foo", "bar"], "alias": "Kalle123", "atomic": false}',
            response="update_account_2",
        ),
    ),
)
async def update_account_2(call: Call) -> Updated:
    """Changes an account as "Update account" does, with its tags, and with the Payway Address.

    With `atomic` false, what can be saved is saved, and `errors` says what was not, in the order of the parameters.
    """
    return await update_account(call, _requested_account(call), _FIELDS_2)
