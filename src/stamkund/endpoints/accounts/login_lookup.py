"""The login that an authentication attempt is about."""

from __future__ import annotations

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules.identifiers import Identifier
from stamkund.store import Login
from stamkund.wire.call import Call


async def requested_login(call: Call, identifiers: list[Identifier]) -> Login:
    """The one login that all identifiers mean. Raises Refused.

    A customer with an imported password can log in before there is an account, so is found here as well.
    """
    login = await call.services.logins.find(call.caller.organisation.id, identifiers)
    if login is None:
        raise Refused(problems.ACCOUNT_NOT_FOUND)
    return login
