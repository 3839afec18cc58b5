"""The server's protocol without the application, and with it, over loopback connections within this process."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from statistics import median
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from bench.processes import HOST
from bench.profile.in_process import Sent
from bench.profile.timing import AT_ONCE, ROUNDS

App = Callable[[Any, Any, Any], Awaitable[None]]


def protocol_factory(app: App) -> Callable[[], asyncio.Protocol]:
    """Makes the protocol of a connection as the server does. The only place here that knows which protocol it is."""
    config = uvicorn.Config(
        app, http="httptools", ws="none", lifespan="off", access_log=False, log_level="warning", server_header=False
    )
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()
    return lambda: HttpToolsProtocol(config, state, {}, loop)


async def served(app: App, requests: Sequence[bytes]) -> float:
    """Microseconds of CPU that a request takes, from socket to socket; what the client uses is not counted."""
    in_turn = _InTurn(app)
    server = await asyncio.get_running_loop().create_server(protocol_factory(in_turn), HOST, 0)
    clients = [socket.create_connection(server.sockets[0].getsockname()) for _ in range(AT_ONCE)]
    try:
        await asyncio.sleep(0.05)
        rounds = [await _round(in_turn, clients, requests) for _ in range(ROUNDS)]
    finally:
        for client in clients:
            client.close()
        server.close()
        await server.wait_closed()
    return median(rounds) / len(requests) * 1e6


def ready(sent: Sent) -> App:
    """An application that does nothing but send this response."""
    start = {"type": "http.response.start", "status": sent.status, "headers": sent.headers}
    body = {"type": "http.response.body", "body": sent.body}

    async def app(_: Any, __: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        await send(start)
        await send(body)

    return app


def written(sent: Sequence[Sent]) -> float:
    """Microseconds of CPU for a response's head, made of its headers, and one write of it with its body."""
    with _pairs() as pairs:
        return median(_written(sent, pairs) for _ in range(ROUNDS)) / len(sent) * 1e6


class _InTurn:
    """An application that says when as many requests as there are connections have their responses."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._left = 0
        self._done = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)
        self._left -= 1
        if not self._left:
            self._done.set()

    async def finished(self, count: int) -> None:
        self._left = count
        self._done.clear()
        await self._done.wait()
        await asyncio.sleep(0)  # the event loop writes at the end of its turn


async def _round(in_turn: _InTurn, clients: Sequence[socket.socket], requests: Sequence[bytes]) -> float:
    seconds = 0.0
    for first in range(0, len(requests), len(clients)):
        chunk = requests[first : first + len(clients)]
        for client, request in zip(clients, chunk, strict=False):
            client.sendall(request)
        started = time.process_time()
        await in_turn.finished(len(chunk))
        seconds += time.process_time() - started
        for client, _ in zip(clients, chunk, strict=False):
            _receive(client)
    return seconds


def _receive(client: socket.socket) -> None:
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += client.recv(1 << 16)
    assert data.startswith(b"HTTP/1.1 200"), data
    length = int(data[:end].lower().partition(b"content-length: ")[2].split()[0])
    while len(data) < end + 4 + length:
        data += client.recv(1 << 16)


def _written(sent: Sequence[Sent], pairs: Sequence[tuple[socket.socket, socket.socket]]) -> float:
    seconds = 0.0
    for first in range(0, len(sent), len(pairs)):
        chunk = sent[first : first + len(pairs)]
        started = time.process_time()
        for (here, _), response in zip(pairs, chunk, strict=False):
            here.send(_head(response) + response.body)
        seconds += time.process_time() - started
        for (_, client), _ in zip(pairs, chunk, strict=False):
            _receive(client)
    return seconds


def _head(sent: Sent) -> bytes:
    status = HTTPStatus(sent.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [b"%s: %s" % header for header in sent.headers]
    return b"\r\n".join([*lines, b"", b""])


@contextmanager
def _pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    pairs = []
    with socket.create_server((HOST, 0), backlog=AT_ONCE) as listening:
        for _ in range(AT_ONCE):
            client = socket.create_connection(listening.getsockname())
            here, _ = listening.accept()
            here.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pairs.append((here, client))
    try:
        yield pairs
    finally:
        for here, client in pairs:
            here.close()
            client.close()
