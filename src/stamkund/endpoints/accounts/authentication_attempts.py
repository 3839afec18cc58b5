"""Authentication attempts: whether a login is frozen, and attempts that a client saw at a channel of its own.

Clients in the field ask before they log a reader in, and report afterwards. A customer who brought a password from
elsewhere can log in before there is an account, so counts here as well.
"""

from __future__ import annotations

import msgspec

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules import identifiers, scopes, values
from stamkund.rules.identifiers import Identifier
from stamkund.rules.ids import is_id
from stamkund.rules.lockout import REPORTED, LoginContext
from stamkund.rules.timestamps import zone
from stamkund.store import Login
from stamkund.wire.endpoint import Call, Created, Example, Item, endpoint
from stamkund.wire.parameters import Parameter, ParsedParameters

OF_EMAIL = Parameter("email", values.EMAIL, "The e-mail address that the reader logs in with.", required=True)

ACCOUNT_ID = Parameter(
    "account_id", values.ID_OR_EMAIL, "The account's id, or its e-mail. Needed unless `email` is given."
)
EMAIL = Parameter("email", values.EMAIL, "The account's e-mail. Needed unless `account_id` is given.")
SUCCESSFUL = Parameter("login_successful", values.BOOLEAN, "Whether the reader was let in.", required=True)
ADDRESS = Parameter(
    "ip_address", values.IP_ADDRESS, "The reader's IP address. Default: the address that the call comes from."
)
USER_AGENT = Parameter("user_agent", values.USER_AGENT, "The reader's user agent.", required=True)
PERSIST = Parameter(
    "persist", values.BOOLEAN, "Whether the reader asked to stay logged in. Looked at, but not kept.", required=True
)


class AuthenticationAttempts(msgspec.Struct):
    """Keys and order of the page "Get authentication attempts". `frozen_until`: null unless the login is frozen."""

    account_frozen: bool
    remaining_authentication_attempts: int
    frozen_until: str | None


class AuthenticationAttemptsResponse(msgspec.Struct):
    item: AuthenticationAttempts


_ANSWER = """
{
    "item": {
        "account_frozen": false,
        "remaining_authentication_attempts": 5,
        "frozen_until": null
    }
}
"""


@endpoint(
    "GET",
    "/external/api/v1/accounts/get_authentication_attempts",
    title="Get authentication attempts",
    source='page "Get authentication attempts"',
    scope=scopes.ACCOUNT_READ,
    parameters=(OF_EMAIL,),
    answer=AuthenticationAttemptsResponse,
    refusals=(problems.ACCOUNT_NOT_FOUND,),
    example=Example(query="email=ove.ovesson%40example.com", answer=_ANSWER),
)
async def get_authentication_attempts(call: Call) -> Item:
    """Tells whether a login is frozen, and how many more failed attempts in a row freeze it.

    A customer who brought a password from elsewhere and has not logged in yet is found as well.
    """
    login = await _found(call, [identifiers.email(call.given[OF_EMAIL])])
    lockout, policy = login.lockout, call.services.logins.policy
    frozen = lockout.locked(call.now)
    return Item(
        AuthenticationAttempts(
            account_frozen=frozen,
            remaining_authentication_attempts=lockout.remaining(policy, call.now),
            frozen_until=zone(call.caller.organisation.timezone).format_optional(
                lockout.locked_until if frozen else None
            ),
        )
    )


def one_needed(given: ParsedParameters) -> None:
    """One of `account_id` and `email` must be given; both must mean the same account."""
    if ACCOUNT_ID not in given and EMAIL not in given:
        raise Refused(problems.one_required([ACCOUNT_ID.name, EMAIL.name]))


@endpoint(
    "POST",
    "/external/api/v1/accounts/create_authentication_attempt",
    title="Create authentication attempt",
    source='page "Create authentication attempt"',
    scope=scopes.ACCOUNT_WRITE,
    parameters=(ACCOUNT_ID, EMAIL, SUCCESSFUL, ADDRESS, USER_AGENT, PERSIST),
    check=one_needed,
    body="json",
    answer=Created,
    refusals=(problems.ACCOUNT_NOT_FOUND,),
    example=Example(
        body='{"email": "ove.ovesson@example.com", "login_successful": false, "ip_address": "192.0.2.1", '
        '"user_agent": "Mozilla/5.0", "persist": false}',
        answer='{"id": "56e1741a6fc9365306000002"}',
    ),
)
async def create_authentication_attempt(call: Call) -> Created:
    """Counts an attempt to log in that the client saw at a channel of its own.

    Failed attempts in a row freeze the login for a while, whichever channel they came through; a success clears the count,
    but lifts no freeze. The latest 25 attempts are kept; those at an account that is not active are not. The `id` of a
    customer who has not logged in yet is the account candidate's.
    """
    login = await _found(call, _asked(call.given))
    context = LoginContext(
        organisation=call.caller.organisation.id,
        channel=REPORTED,
        client=call.caller.client.id,
        address=call.given.get(ADDRESS) or call.address,
        user_agent=call.given[USER_AGENT],
        at=call.now,
    )
    await call.services.logins.report(context, login, succeeded=call.given[SUCCESSFUL])
    return Created(login.id)


async def _found(call: Call, asked: list[Identifier]) -> Login:
    login = await call.services.logins.find(call.caller.organisation.id, asked)
    if login is None:
        raise Refused(problems.ACCOUNT_NOT_FOUND)
    return login


def _asked(given: ParsedParameters) -> list[Identifier]:
    """What the account is looked for by. The page's own sample has an e-mail in `account_id`."""
    asked = []
    if (account_id := given.get(ACCOUNT_ID)) is not None:
        by_id = is_id(account_id)
        asked.append(Identifier(identifiers.ID, account_id) if by_id else identifiers.email(account_id))
    if (email := given.get(EMAIL)) is not None:
        asked.append(identifiers.email(email))
    return asked
