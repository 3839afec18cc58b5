"""The server's protocol without the application, and with it, over loopback connections within this process."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any, Protocol, cast

import msgspec
import uvicorn
from uvicorn.server import ServerState

from bench.processes import HOST
from bench.profile.timing import AT_ONCE, ROUNDS
from stamkund.problems import Problem
from stamkund.server.patience import ConnectionLimits
from stamkund.server.process import PROTOCOL
from stamkund.settings import Settings
from stamkund.wire.request import Request
from stamkund.wire.response import Response, head_text
from stamkund.wire.security_headers import headers_of_all_responses

_PATIENCE_SECONDS = 30
"""A connection that failed leaves its request without a response."""


class Responds(Protocol):
    """What is timed: dispatch, or an application that does nothing."""

    async def respond(self, request: Request, /) -> Response | None: ...


def protocol_factory(application: Served) -> Callable[[], asyncio.Protocol]:
    """Makes the protocol of a connection as the server does. The only place here that knows which protocol it is."""
    config = uvicorn.Config(cast(Any, application), log_level="warning", **PROTOCOL)
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()
    kind: Any = config.http_protocol_class
    return partial(kind, config=config, server_state=state, app_state={}, _loop=loop)


async def served(application: Responds, requests: Sequence[bytes]) -> float:
    """Microseconds of CPU that a request takes, from socket to socket; what the client uses is not counted."""
    in_turn = Served(application)
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


class Ready:
    """An application that does nothing but return the same response."""

    def __init__(self, response: Response) -> None:
        self._response = msgspec.structs.replace(response, when_sent=lambda: None)

    async def respond(self, _: Request, /) -> Response:
        return self._response


def written(responses: Sequence[Response]) -> float:
    """Microseconds of CPU for a response's head, made of its headers, and one write of it with its body."""
    with _pairs() as pairs:
        return median(_written(responses, pairs) for _ in range(ROUNDS)) / len(responses) * 1e6


class Served:
    """What the server needs of an application. It says when as many responses are made as there are connections."""

    connection_limits = ConnectionLimits()
    headers = headers_of_all_responses(Settings())

    def __init__(self, application: Responds) -> None:
        self._application = application
        self._left = 0
        self._done = asyncio.Event()

    async def respond(self, request: Request, /) -> Response | None:
        response = await self._application.respond(request)
        self._left -= 1
        if not self._left:
            self._done.set()
        return response

    def refuse(self, _: Request, problem: Problem) -> Response:
        raise AssertionError(f"the server refused a request of ours: {problem.code}")

    async def finished(self, count: int) -> None:
        self._left = count
        self._done.clear()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self._done.wait()
        for _ in range(2):  # responses are written at the end of a turn of the event loop
            await asyncio.sleep(0)


async def _round(in_turn: Served, clients: Sequence[socket.socket], requests: Sequence[bytes]) -> float:
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


def _written(responses: Sequence[Response], pairs: Sequence[tuple[socket.socket, socket.socket]]) -> float:
    seconds = 0.0
    for first in range(0, len(responses), len(pairs)):
        chunk = responses[first : first + len(pairs)]
        started = time.process_time()
        for (here, _), response in zip(pairs, chunk, strict=False):
            here.send(b"HTTP/1.1 200 OK\r\n%b\r\n%b" % (head_text(response), response.body))
        seconds += time.process_time() - started
        for (_, client), _ in zip(pairs, chunk, strict=False):
            _receive(client)
    return seconds


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
