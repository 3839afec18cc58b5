"""Create authentication attempt: a client reports an attempt to log in that it checked itself."""

from __future__ import annotations

from stamkund import problems
from stamkund.endpoints.accounts.login_lookup import requested_login
from stamkund.problems import Refused
from stamkund.rules import identifiers, scopes, values
from stamkund.rules.identifiers import Identifier
from stamkund.rules.ids import is_id
from stamkund.rules.lockout import REPORTED, LoginContext
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import endpoint
from stamkund.wire.parameters import Parameter, ParsedParameters
from stamkund.wire.response import Created

ACCOUNT_ID = Parameter(
    "account_id", values.ID_OR_EMAIL, "The account's id, or its e-mail. Needed unless `email` is given."
)
EMAIL = Parameter("email", values.EMAIL, "The account's e-mail. Needed unless `account_id` is given.")
SUCCESSFUL = Parameter("login_successful", values.BOOLEAN, "Whether the reader was logged in.", required=True)
ADDRESS = Parameter(
    "ip_address", values.IP_ADDRESS, "The reader's IP address. Default: the address that the call comes from."
)
USER_AGENT = Parameter("user_agent", values.USER_AGENT, "The reader's user agent.", required=True)
PERSIST = Parameter(
    "persist", values.BOOLEAN, "Whether the reader asked to stay logged in. Checked, but not stored.", required=True
)


def one_required(parameters: ParsedParameters) -> None:
    """One of `account_id` and `email` must be given; both must mean the same account."""
    if ACCOUNT_ID not in parameters and EMAIL not in parameters:
        raise Refused(problems.one_required([ACCOUNT_ID.name, EMAIL.name]))


@endpoint(
    "POST",
    "/external/api/v1/accounts/create_authentication_attempt",
    scope=scopes.ACCOUNT_WRITE,
    parameters=(ACCOUNT_ID, EMAIL, SUCCESSFUL, ADDRESS, USER_AGENT, PERSIST),
    check=one_required,
    body="json",
    refusals=(problems.ACCOUNT_NOT_FOUND,),
    about=About(
        title="Create authentication attempt",
        group="Account",
        source='page "Create authentication attempt"',
        response=Created,
        example=Example(
            body='{"email": "ove.ovesson@example.com", "login_successful": false, "ip_address": "192.0.2.1", '
            '"user_agent": "Mozilla/5.0", "persist": false}',
            response="create_authentication_attempt",
        ),
    ),
)
async def create_authentication_attempt(call: Call) -> Created:
    """Counts an attempt to log in that the client checked itself.

    Failed attempts in a row freeze the login for a while, through whichever channel they came; a success clears the
    count, but does not lift a freeze. The latest 25 attempts are stored; those for an account that is not active are
    not. An attempt that the same client made within the last minute by the password grant counts once, with the address
    and user agent of the report. The `id` of a customer who has not logged in yet is the account candidate's.
    """
    parameters = call.parameters
    login = await requested_login(call, _identifiers(parameters))
    context = LoginContext(
        organisation=call.caller.organisation.id,
        channel=REPORTED,
        client=call.caller.client.id,
        address=parameters.get(ADDRESS) or call.address,
        user_agent=parameters[USER_AGENT],
        at=call.now,
        from_visitor=ADDRESS in parameters and call.caller.client.visitor_address,
    )
    await call.services.logins.report(context, login, succeeded=parameters[SUCCESSFUL])
    return Created(login.id)


def _identifiers(parameters: ParsedParameters) -> list[Identifier]:
    """What the login is looked up by. The page's own sample has an e-mail in `account_id`."""
    requested = []
    if (account_id := parameters.get(ACCOUNT_ID)) is not None:
        by_id = is_id(account_id)
        requested.append(Identifier(identifiers.ID, account_id) if by_id else identifiers.email(account_id))
    if (email := parameters.get(EMAIL)) is not None:
        requested.append(identifiers.email(email))
    return requested
