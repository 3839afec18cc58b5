"""Makes the public calls that need no store, over HTTP without a server."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import httpx

from stamkund.clock import system_clock
from stamkund.endpoints import declared_endpoints
from stamkund.reference.documentation import documentation_of
from stamkund.settings import Settings
from stamkund.wire.asgi import serve_request
from stamkund.wire.dispatch import Dispatch
from stamkund.wire.services import Services


async def get(path: str) -> httpx.Response:
    nothing = cast(Any, None)
    services = Services(
        Settings(), nothing, nothing, nothing, system_clock, documentation=documentation_of(declared_endpoints())
    )
    transport = httpx.ASGITransport(
        app=cast(Any, partial(serve_request, Dispatch(declared_endpoints(), services).respond))
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(path)
