"""Bytes sent to a protocol of the server through a pair of sockets, on the event loop of the test.

No thread, and no waiting for some time: when nothing is left to be read and the loop has turned a few times without
anything happening, everything has happened.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from stamkund.server.process import PROTOCOL
from tests.support.small_application import SmallApplication

_PATIENCE_SECONDS = 20
_QUIET_TURNS = 12
_READ = 1 << 20


class _CountingSocket(socket.socket):
    writes = 0

    def send(self, data: Any, flags: int = 0, /) -> int:
        self.writes += 1
        return super().send(data, flags)


class Conversation:
    """One connection. Use as an async context manager."""

    def __init__(self, protocol: type[HttpToolsProtocol], application: SmallApplication) -> None:
        self.server = ServerState()
        self.received = bytearray()
        self.is_closed = False
        """Whether the server has closed the connection."""
        self._make = lambda: protocol(_config(protocol, application), self.server, {})
        self._socket, server_socket = socket.socketpair()
        self._server_socket = _CountingSocket(fileno=server_socket.detach())

    @property
    def writes(self) -> int:
        """How often the server has written; counted on asyncio's own loop."""
        return self._server_socket.writes

    async def __aenter__(self) -> Conversation:
        for end in (self._socket, self._server_socket):
            end.setblocking(False)
        loop = asyncio.get_running_loop()
        self.transport, self.protocol = await loop.connect_accepted_socket(self._make, self._server_socket)
        await self.settle()
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        self._socket.close()
        self.transport.abort()
        await asyncio.sleep(0)

    async def send(self, *pieces: bytes) -> None:
        """Sends each piece once the one before it has been dealt with."""
        for piece in pieces:
            await self._send(memoryview(piece))
            await self.settle()

    async def _send(self, left: memoryview) -> None:
        while left and not self.is_closed:
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                await self.settle()
            except OSError:
                return

    async def end(self) -> bytes:
        """Sends nothing more, and returns all that was received."""
        if not self.is_closed:
            self._socket.shutdown(socket.SHUT_WR)
            await self.settle()
        return bytes(self.received)

    async def settle(self) -> None:
        """Waits until nothing happens any more."""
        quiet = 0
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while quiet < _QUIET_TURNS:
                await asyncio.sleep(0)
                quiet = 0 if self._receive() or self._is_unread() else quiet + 1

    def _receive(self) -> bool:
        """Whether anything was received."""
        try:
            data = self._socket.recv(_READ)
        except (BlockingIOError, ConnectionResetError):
            return False
        self.received += data
        self.is_closed = self.is_closed or not data
        return bool(data)

    def _is_unread(self) -> bool:
        """Whether the server has not read all that was sent, and may still read it."""
        if self._server_socket.fileno() < 0 or not self.transport.is_reading():
            return False
        return bool(struct.unpack("i", fcntl.ioctl(self._server_socket, termios.FIONREAD, b"\0" * 4))[0])


async def responses(
    protocol: type[HttpToolsProtocol], application: SmallApplication, pieces: Iterable[bytes]
) -> tuple[bytes, bool]:
    """What a protocol sends when it is sent these pieces, and whether it closed the connection by itself."""
    async with Conversation(protocol, application) as conversation:
        await conversation.send(*pieces)
        was_closed = conversation.is_closed
        return await conversation.end(), was_closed


_configurations: dict[tuple[object, object], uvicorn.Config] = {}


def _config(protocol: type[HttpToolsProtocol], application: SmallApplication) -> uvicorn.Config:
    """Made once for each: it takes longer than a conversation."""
    config = _configurations.get((protocol, application))
    if config is None:
        options: dict[str, Any] = {**PROTOCOL, "http": protocol}
        config = _configurations[protocol, application] = uvicorn.Config(application, log_config=None, **options)
        config.load()
    return config
