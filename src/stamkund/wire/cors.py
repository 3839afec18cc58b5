"""CORS: which web origins' scripts may read our answers. Each client lists its own; nothing is open to everybody.

Scripts of a client's site may read the answers to that client's calls. Where no client is known, at a missing token or
in the documentation, the origins of all enabled clients may, so that an app can read why it was refused. Cookies count
for nothing here: credentials are never allowed, and pages for browsers have no CORS at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from stamkund.store import Unavailable
from stamkund.wire.caller import ANONYMOUS
from stamkund.wire.endpoint import Call, Endpoint, Response

VARY = (b"vary", b"origin")
"""For caches: the answer to one origin is not another's."""
_READABLE = (b"access-control-expose-headers", b"x-request-id, retry-after, www-authenticate")
_SENDABLE = (b"access-control-allow-headers", b"authorization, content-type, accept, x-request-id")
_REMEMBERED = (b"access-control-max-age", b"600")


async def shown(answer: Response, origin: bytes, call: Call, method: str, methods: Mapping[str, Endpoint]) -> Response:
    """The answer to a call that came with an Origin header. `methods`: what there is at the path, if anything."""
    if any(endpoint.for_browsers for endpoint in methods.values()):
        return answer
    asked = call.headers.get(b"access-control-request-method")
    if method == "OPTIONS" and asked is not None:
        there = asked.decode("latin-1") in methods
        return _preflight(origin, methods) if there and await _any_clients(call, origin) else answer
    headers = (_allow(origin), _READABLE) if await _may_read(call, origin) else ()
    vary = () if VARY in answer.headers else (VARY,)
    return replace(answer, headers=(*answer.headers, *vary, *headers))


def _preflight(origin: bytes, methods: Mapping[str, Endpoint]) -> Response:
    """The browser's question before a call. It comes without credentials, so it can't tell whose call it will be."""
    allowed = ", ".join(sorted(methods)).encode("ascii")
    headers = (_allow(origin), (b"access-control-allow-methods", allowed), _SENDABLE, _REMEMBERED, VARY)
    return Response(204, b"", headers=headers)


async def _may_read(call: Call, origin: bytes) -> bool:
    if call.client is ANONYMOUS.client:
        return await _any_clients(call, origin)
    return origin.decode("latin-1") in call.client.origins


async def _any_clients(call: Call, origin: bytes) -> bool:
    try:
        return origin.decode("latin-1") in await call.services.store.clients.origins()
    except Unavailable:
        return False


def _allow(origin: bytes) -> tuple[bytes, bytes]:
    """Allows an origin that is in a client's list, as it stands there."""
    return b"access-control-allow-origin", origin
