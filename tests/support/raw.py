"""Requests as bytes on a socket, for what no HTTP client would send."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.service import RunningService

_PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class RawResponse:
    """The first response on a connection; `rest` is whatever came after it."""

    status: int
    headers: dict[str, str]
    body: bytes
    rest: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def send(service: RunningService, request: bytes) -> RawResponse:
    """Sends `request` as it is and reads until the server closes, so it must have `Connection: close`."""
    parts = urlsplit(service.url)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(request)
            return _response(await reader.read(-1))
        finally:
            writer.close()


def get(target: bytes, *headers: bytes) -> bytes:
    """A GET with the given target and header lines, on a connection that is closed afterwards."""
    return b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: test", b"Connection: close", *headers, b"", b""])


def _response(data: bytes) -> RawResponse:
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    return RawResponse(int(first.split()[1]), headers, rest[:length], rest[length:])
