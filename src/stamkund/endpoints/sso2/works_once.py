"""A login's request works once: whoever finds it in a log or a trace can't log in with it.

It names no number of its own and its times are whole seconds, so a double click sends the very same request twice. One
that comes again within a few seconds gets the first response, which may still be in the making, in another process
too; later ones are refused, and count as no failed login.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from stamkund import problems
from stamkund.endpoints.sso2.request import LEEWAY_SECONDS, SsoRequest
from stamkund.endpoints.sso2.session_token import SessionToken, signed
from stamkund.identity.tokens import token_digest
from stamkund.problems import Refused
from stamkund.store import EarlierLogin
from stamkund.vault import LOGIN_RESPONSE, Place

REPEAT_SECONDS = 3
"""Within how many seconds the same request gets the first response again."""
_POLL_SECONDS = 0.05
_POLLS = 600
"""For how long a repetition waits for the first response: longer than a password waits to be hashed."""


async def respond_once(
    request: SsoRequest, token: str, handler: Callable[[SsoRequest], Awaitable[SessionToken]]
) -> str:
    """The signed response to a request; the first one again where it comes again at once. Raises Refused."""
    vault, logins = request.call.services.vault, request.call.services.store.sso_logins
    organisation, digest = request.organisation.id, token_digest(token.encode())
    place = Place(LOGIN_RESPONSE, organisation, digest.hex())
    expires = int(request.claims.exp) + LEEWAY_SECONDS + 1
    earlier = await logins.claim(organisation, digest, request.call.now, expires)
    if earlier is not None:
        return vault.open(await _first_response(request, digest, earlier), place)
    try:
        response = signed(request, await handler(request))
        await logins.respond(organisation, digest, vault.seal(response, place))
    except BaseException:  # too many calls, too busy, or cut off: it was not used, and may come again
        await asyncio.shield(logins.release(organisation, digest))
        raise
    return response


async def _first_response(request: SsoRequest, digest: bytes, earlier: EarlierLogin | None) -> str:
    """The sealed first response to a request that comes again. Raises Refused."""
    call, logins = request.call, request.call.services.store.sso_logins
    for _ in range(_POLLS):
        if earlier is None or call.now - earlier.at > REPEAT_SECONDS:
            break
        if earlier.response is not None:
            return earlier.response
        await asyncio.sleep(_POLL_SECONDS)
        earlier = await logins.find(request.organisation.id, digest)
    raise Refused(problems.INVALID_SSO_TOKEN)
