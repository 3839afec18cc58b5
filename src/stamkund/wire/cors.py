"""CORS: which web origins' scripts may read our responses. Each client lists its own; nothing is open to everybody.

Scripts of a client's site may read the responses to that client's calls. Where no client is authenticated, at a missing
token or in the documentation, the origins of all enabled clients may, so that an app can read why it was refused.
Cookies count for nothing here: credentials are never allowed, and pages for browsers have no CORS at all.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stamkund.store import Unavailable
from stamkund.wire.call import Call
from stamkund.wire.caller import ANONYMOUS
from stamkund.wire.endpoint import Endpoint
from stamkund.wire.response import VARY_BY_ORIGIN, Header, Response

_EXPOSE: Header = (b"access-control-expose-headers", b"x-request-id, retry-after, www-authenticate")
_ALLOW_HEADERS: Header = (b"access-control-allow-headers", b"authorization, content-type, accept, x-request-id")
_MAX_AGE: Header = (b"access-control-max-age", b"600")


async def with_cors(
    response: Response, origin: bytes, call: Call, method: str, methods: Mapping[str, Endpoint]
) -> Response:
    """The response to a request with an Origin header. `methods`: the endpoints at its path."""
    if any(endpoint.for_browsers for endpoint in methods.values()):
        return response
    requested = call.headers.get(b"access-control-request-method")
    if method == "OPTIONS" and requested is not None:
        exists = requested.decode("latin-1") in methods
        return _preflight(origin, methods) if exists and await _is_any_clients(call, origin) else response
    headers = (_allow(origin), _EXPOSE) if await _may_read(call, origin) else ()
    vary = () if VARY_BY_ORIGIN in response.headers else (VARY_BY_ORIGIN,)
    return msgspec.structs.replace(response, headers=(*response.headers, *vary, *headers))


def _preflight(origin: bytes, methods: Mapping[str, Endpoint]) -> Response:
    """A browser asks before a call. It asks without credentials, so it can't tell whose call it will be."""
    allow_methods: Header = (b"access-control-allow-methods", ", ".join(sorted(methods)).encode("ascii"))
    return Response(204, b"", headers=(_allow(origin), allow_methods, _ALLOW_HEADERS, _MAX_AGE, VARY_BY_ORIGIN))


async def _may_read(call: Call, origin: bytes) -> bool:
    if call.client is ANONYMOUS.client:
        return await _is_any_clients(call, origin)
    return origin.decode("latin-1") in call.client.origins


async def _is_any_clients(call: Call, origin: bytes) -> bool:
    try:
        return origin.decode("latin-1") in await call.services.store.clients.origins()
    except Unavailable:
        return False


def _allow(origin: bytes) -> Header:
    """Allows an origin that is in a client's list, as it stands there."""
    return b"access-control-allow-origin", origin
