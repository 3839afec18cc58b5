"""Dispatch for any ASGI server, and for clients that call it in process: a thin adapter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from stamkund.wire.request import BodyTooLarge, Disconnected, Peer
from stamkund.wire.response import Header, Response, head_fields

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Respond = Callable[["AsgiRequest"], Awaitable[Response | None]]


class AsgiRequest:
    """A `Request` made of an ASGI scope and the function that receives the body."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.header_lines: list[Header] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        self.headers = dict(self.header_lines)
        self.peer: Peer | None = scope.get("client")

    async def read_body(self, at_most: int) -> bytes:
        body = bytearray()
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            body += message.get("body", b"")
            if len(body) > at_most:
                raise BodyTooLarge
            if not message.get("more_body", False):
                return bytes(body)

    def is_gone(self) -> bool:
        """ASGI says so only to whoever receives."""
        return False


async def serve_request(
    respond: Respond, scope: Scope, receive: Receive, send: Send, headers: Sequence[Header] = ()
) -> None:
    """Responds to one request that came by ASGI. `headers`: those of every response."""
    response = await respond(AsgiRequest(scope, receive))
    if response is None:
        return
    try:
        fields = [*headers, *head_fields(response)]
        await send({"type": "http.response.start", "status": response.status, "headers": fields})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})
    finally:
        response.when_sent()
