"""Asks for the public calls that need no store, over HTTP."""

from __future__ import annotations

from typing import Any, cast

import httpx

from stamkund import endpoints
from stamkund.clock import system_clock
from stamkund.settings import Settings
from stamkund.wire.context import Services
from stamkund.wire.dispatch import Dispatch


async def get(path: str) -> httpx.Response:
    services = Services(Settings(), cast(Any, None), cast(Any, None), system_clock)
    transport = httpx.ASGITransport(app=cast(Any, Dispatch(endpoints.ALL, services)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(path)
