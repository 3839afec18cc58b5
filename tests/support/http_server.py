"""A real server in a thread of this process, with a small application, and callers with sockets of their own.

Tests of it are not coroutines: they block, and the server goes on in its thread.
"""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, cast

import uvicorn
import uvloop

from stamkund.server.patience import ConnectionLimits
from stamkund.server.process import PROTOCOL
from stamkund.server.protocol import Connection
from stamkund.wire.request import Request
from stamkund.wire.response import Response
from tests.support.small_application import DEFAULT_LIMITS, Handler, SmallApplication, hello

PATIENCE_SECONDS = 20
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class HttpServer:
    """Use as a context manager. `handlers` may be added to while it runs; `options` are uvicorn's."""

    def __init__(self, loop_name: str, limits: ConnectionLimits = DEFAULT_LIMITS, **options: Any) -> None:
        self.handlers: dict[str, Handler] = {"/": hello}
        self._loop_name = loop_name
        self._listening = socket.create_server(("127.0.0.1", 0))
        application = SmallApplication(self.handlers, limits)
        self._config = uvicorn.Config(application, log_config=None, **{**PROTOCOL, **options})
        self.uvicorn = uvicorn.Server(self._config)
        self.errors: list[dict[str, Any]] = []
        """What the event loop reported."""
        self._thread = threading.Thread(target=self._run)
        self._callers: list[Caller] = []
        self.loop: asyncio.AbstractEventLoop

    def __enter__(self) -> HttpServer:
        self._thread.start()
        until(lambda: self.uvicorn.started or not self._thread.is_alive())
        assert self.uvicorn.started
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        for caller in self._callers:
            caller.close()
        self.stop()

    def stop(self) -> None:
        self.uvicorn.should_exit = True
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the server does not stop"

    @property
    def connections(self) -> set[Connection]:
        """The server's ends of the connections that are open."""
        return cast("set[Connection]", self.uvicorn.server_state.connections)

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """What it does for requests whose handler, or whose caller, it waits for."""
        return self.uvicorn.server_state.tasks

    def caller(self) -> Caller:
        caller = Caller(socket.create_connection(self._listening.getsockname(), PATIENCE_SECONDS))
        self._callers.append(caller)
        return caller

    def callers(self, count: int) -> list[Caller]:
        """So many, once the server has accepted them all."""
        before = len(self.connections)
        callers = [self.caller() for _ in range(count)]
        until(lambda: len(self.connections) == before + count)
        return callers

    def busy(self) -> Busy:
        """Keeps the event loop busy as a context: what is sent meanwhile arrives in one turn."""
        return Busy(self)

    def do(self, action: Callable[[], object]) -> None:
        """Has the event loop do something."""
        self.loop.call_soon_threadsafe(action)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=LOOPS[self._loop_name]) as runner:
            self.loop = runner.get_loop()
            self.loop.set_exception_handler(lambda _, context: self.errors.append(context))
            runner.run(self.uvicorn.serve([self._listening]))


class Busy:
    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._begun = threading.Event()
        self._over = threading.Event()

    def __enter__(self) -> None:
        self._server.do(self._block)
        assert self._begun.wait(PATIENCE_SECONDS)

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _block(self) -> None:
        self._begun.set()
        self._over.wait(PATIENCE_SECONDS)


class Caller:
    """The other end of a connection."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._received = b""

    def get(self, path: str = "/", *headers: str) -> None:
        """Sends a request, and does not wait."""
        self.send("\r\n".join([f"GET {path} HTTP/1.1", "Host: test", *headers, "", ""]).encode())

    def post(self, path: str, length: int, body: bytes = b"") -> None:
        """Sends the head of a request with a body, and as much of the body."""
        self.send(f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n".encode() + body)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_if_open(self, data: bytes) -> None:
        with suppress(OSError):
            self.send(data)

    def response(self) -> tuple[int, bytes]:
        """Status and body of the next response."""
        head = self._until(b"\r\n\r\n")
        lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        length = int(lines.get(b"content-length", b"0"))
        while len(self._received) < length:
            self._more()
        body, self._received = self._received[:length], self._received[length:]
        return int(head.split()[1]), body

    def has_response(self) -> bool:
        """Whether anything has arrived that was not read yet."""
        look = select.poll()
        look.register(self.socket, select.POLLIN)
        return bool(look.poll(0))

    def rest(self) -> bytes:
        """Everything until the server closes the connection."""
        while self._receive():
            pass
        rest, self._received = self._received, b""
        return rest

    def close(self) -> None:
        self.socket.close()

    def _until(self, end: bytes) -> bytes:
        while end not in self._received:
            self._more()
        head, _, self._received = self._received.partition(end)
        return head

    def _more(self) -> None:
        assert self._receive(), "the server closed the connection"

    def _receive(self) -> bytes:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        self._received += data
        return data


class Gate:
    """A handler that waits for a future of the test's own."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._futures: list[asyncio.Future[Response | None]] = []
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Response | None:
        self.requests.append(request)
        future: asyncio.Future[Response | None] = self._server.loop.create_future()
        self._futures.append(future)
        return await future

    def wait(self, count: int = 1) -> None:
        """Waits until so many requests wait."""
        until(lambda: len(self._futures) == count)

    def open(self, result: Response | BaseException | None) -> None:
        """Has the first that waits return or raise this."""
        future = self._futures.pop(0)
        if isinstance(result, BaseException):
            error = result
            self._server.do(lambda: future.set_exception(error))
        else:
            self._server.do(lambda: future.set_result(result))


def until(holds: Callable[[], bool]) -> None:
    """Looks until a condition holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.005)
