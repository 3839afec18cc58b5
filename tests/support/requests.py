"""Requests for what is tested without a server."""

from __future__ import annotations

from stamkund.wire.asgi import AsgiRequest


def request(method: str = "GET", path: str = "/", query: bytes = b"", **headers: str) -> AsgiRequest:
    """A request without a body. Names of headers with underscores: `accept_language="sv"`."""
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"method": method, "path": path, "query_string": query, "headers": lines, "client": ("192.0.2.1", 40_000)}

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    return AsgiRequest(scope, receive)
