"""The ceiling: an ASGI function that does nothing but send the same bytes.

No ASGI application under uvicorn can be faster, so the distance to it is what an application costs.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]


def _body(size: int) -> bytes:
    shell = b'{"item":""}'
    return shell[:-2] + b"x" * max(0, size - len(shell)) + shell[-2:]


BODY = _body(int(os.environ.get("BARE_BODY_BYTES", "1500")))
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())],
}
REST = {"type": "http.response.body", "body": BODY}


async def app(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Responds to any HTTP request with BODY."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    await send(START)
    await send(REST)


async def _lifespan(receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
