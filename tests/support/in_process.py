"""The real application without a server: an HTTP client that calls it by ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from stamkund.clock import Clock
from stamkund.server.app import Application
from stamkund.settings import Settings
from stamkund.wire.endpoint import Endpoint


@asynccontextmanager
async def application_of(
    settings: Settings, clock: Clock, more_endpoints: Iterable[Endpoint] = ()
) -> AsyncIterator[Application]:
    """Starts it on the event loop of the test, as an ASGI server does, and stops it."""
    application = Application(settings, clock, more_endpoints=more_endpoints)
    received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    running = asyncio.create_task(application({"type": "lifespan"}, received.get, sent.put))
    await received.put({"type": "lifespan.startup"})
    assert await sent.get() == {"type": "lifespan.startup.complete"}
    try:
        yield application
    finally:
        await received.put({"type": "lifespan.shutdown"})
        assert await sent.get() == {"type": "lifespan.shutdown.complete"}
        await running


def client_of(application: Application, base_url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=application), base_url=base_url)  # type: ignore[arg-type]
