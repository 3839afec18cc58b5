"""A small application with handlers of the test's own, for what is tested of the server and not of a call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from stamkund.problems import Problem
from stamkund.server.patience import ConnectionLimits
from stamkund.wire.asgi import Receive, Scope, Send, serve_request
from stamkund.wire.request import BodyTooLarge, Disconnected, Request
from stamkund.wire.response import Header, Response

Handler = Callable[[Request], Awaitable[Response | None]]
DEFAULT_LIMITS = ConnectionLimits()
AT_MOST = 1_000
"""How long a body `echo` reads."""


class SmallApplication:
    """Responds by a handler for each path, and with 404 elsewhere; by ASGI and as our own connections ask for it."""

    headers: tuple[Header, ...] = ()

    def __init__(self, handlers: Mapping[str, Handler], limits: ConnectionLimits = DEFAULT_LIMITS) -> None:
        self._handlers = handlers
        self.connection_limits = limits

    async def respond(self, request: Request) -> Response | None:
        handler = self._handlers.get(request.path, nothing_there)
        try:
            return await handler(request)
        except Disconnected:
            return None

    def refuse(self, request: Request, problem: Problem) -> Response:
        """As dispatch does, with the request id that was read."""
        request_id = request.headers.get(b"x-request-id", b"none").decode("latin-1")
        return Response(problem.status, problem.code.encode(), b"text/plain", request_id=request_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await serve_request(self.respond, scope, receive, send)
            return
        for state in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{state}.complete"})


def text(body: str | bytes, status: int = 200, *headers: tuple[bytes, bytes]) -> Response:
    encoded = body.encode() if isinstance(body, str) else body
    return Response(status, encoded, b"text/plain", headers)


async def nothing_there(request: Request) -> Response:
    return text(f"nothing at {request.path!r}", 404)


async def hello(_: Request) -> Response:
    return text("hello")


async def echo(request: Request) -> Response:
    """Everything that dispatch can see of the request."""
    head = request.method, request.path, request.query, request.header_lines, request.headers
    try:
        return text(repr((*head, await request.read_body(AT_MOST))))
    except BodyTooLarge:
        return text("too large", 413)
