"""HTTP on a connection: uvicorn's protocol, with the requests of one turn of the event loop handled together.

Uvicorn keeps sockets, workers, signals, lifespan, parsing, pipelining and back-pressure. What is different here is when
things are done. Uvicorn starts a task for each request and writes head and body apart, so that a server under load
jumps between parser, application and kernel for each request, and finds none of them in its caches. Here what arrived
in one turn is handled first, one request after the other, and then the responses are written, one write each. Most
requests never need a task: a handler that waits for nothing is finished when it has been run once.

Where uvicorn trusts its callers, this does not: what a connection has waiting, how long a head is and how long its
caller may take are bounded. Of uvicorn's options it knows those in `server/process.py`; `limit_concurrency` and
`root_path` do nothing here.

What of uvicorn this leans on is checked by `tests/server/test_protocol.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from stamkund import log
from stamkund.server.turns import Signal, Turn, continued
from stamkund.wire.request import BodyTooLarge, Disconnected, Peer
from stamkund.wire.response import Header, Response, head_text, header_lines

MAX_WAITING = 128
"""How many requests of a connection may wait for those before them. Thousands of small ones fit into one read."""
MAX_UNFINISHED_BYTES = 64 * 1024
"""How much may be received without the end of a head and without a piece of a body: longer heads and trailers are
refused. The parser has no limit of its own."""
_SWEEPS = 8
"""How often connections that wait are looked for within the time that a connection may wait."""


class Application(Protocol):
    """What the server asks for responses, besides running it as an ASGI application for the lifespan."""

    async def respond(self, request: Exchange) -> Response | None: ...


class Exchange:
    """A request, and the response that it waits for. Dispatch sees it as a `Request`.

    To uvicorn's protocol it is a `RequestResponseCycle`. The protocol appends to `body`, clears `more_body` when all
    of it is there, sets `disconnected`, and sets `message_event` at each of these; it reads `response_complete`, and
    clears `keep_alive` when the server stops.
    """

    __slots__ = (
        "_connection",
        "_data",
        "_expects_continue",
        "_response",
        "body",
        "disconnected",
        "header_lines",
        "headers",
        "keep_alive",
        "message_event",
        "method",
        "more_body",
        "path",
        "peer",
        "query",
        "response_complete",
    )

    def __init__(self, connection: Connection, method: str, path: str, query: bytes, *, keep_alive: bool) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.header_lines: list[Header] = connection.headers
        self.headers = dict(connection.headers)
        self.peer: Peer | None = connection.client
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.more_body = True
        self.message_event = Signal()
        self.disconnected = False
        self.response_complete = False
        self._connection = connection
        self._expects_continue = connection.expect_100_continue
        self._data = b""
        self._response: Response | None = None

    async def read_body(self, at_most: int) -> bytes:
        """See `Request.read_body`. What is sent beyond a refusal is discarded by the connection as it comes."""
        connection = self._connection
        while self.more_body and len(self.body) <= at_most:
            if self.disconnected:
                raise Disconnected
            connection.waits_for_caller()
            if self._expects_continue:
                self._expects_continue = False
                connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.flow.resume_reading()
            await self.message_event.wait()
        connection.waits_since = None
        if len(self.body) > at_most:
            raise BodyTooLarge
        return bytes(self.body)

    def handle(self) -> None:
        """Runs the handler as far as it comes without waiting; if it has to wait, a task does the rest."""
        connection = self._connection
        try:
            coroutine = connection.application.respond(self)
            try:
                waits_for = coroutine.send(None)
            except StopIteration as finished:
                self._respond(finished.value)
            else:
                connection.start_task(self._handle_rest(coroutine, waits_for))
        except BaseException as error:  # also what would end the server, or leave the caller waiting for ever
            self._fail(error)

    async def _handle_rest(self, coroutine: Coroutine[Any, Any, Response | None], waits_for: Any) -> None:
        try:
            self._respond(await continued(coroutine, waits_for))
        except BaseException as error:  # as above; uvicorn cancels the tasks that are left when the server stops
            self._fail(error)

    def _respond(self, response: Response | None) -> None:
        """Has the response written at the end of this turn, or later if the caller does not take what it was sent."""
        connection = self._connection
        if response is None:  # where the caller is here all the same, it would wait for ever
            connection.close()
            return
        self._response = response
        self._data = connection.encoded(response, self.method, keep_alive=self.keep_alive)
        if connection.flow.write_paused:
            connection.start_task(self._send_when_drained())
        else:
            connection.turn.send(self)

    async def _send_when_drained(self) -> None:
        connection = self._connection
        connection.waits_for_caller()
        try:
            await connection.flow.drain()
        finally:  # also when the server stops: what was handled is logged
            connection.turn.send(self)

    def _fail(self, error: BaseException) -> None:
        """Dispatch responds to every error, so this is a fault of dispatch or of this file, or a task was cancelled."""
        log.get().error("no response", **log.where(error))
        self._connection.close()
        self._end()

    def write(self) -> None:
        transport = self._connection.transport
        if not self.disconnected and not transport.is_closing():
            transport.write(self._data)

    def complete(self) -> None:
        """What follows once the response has been written: the connection is closed, or free for the next request."""
        connection = self._connection
        self._data = b""
        self.response_complete = True
        if not self.keep_alive:
            connection.close()
        connection.on_response_complete()
        self._end()

    def _end(self) -> None:
        """Does what was put off until the response was sent. A fault in it is not one of the others of the turn."""
        response, self._response = self._response, None
        if response is not None:
            try:
                response.when_sent()
            except Exception as error:
                log.get().error("after a response", **log.where(error))


class Patience:
    """Closes the connections of a server that have waited too long for their callers: one timer for all of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connections: set[Any], seconds: float) -> None:
        """`connections`: those of the server, as they come and go."""
        self._loop = loop
        self._connections = connections
        self._seconds = seconds
        self._is_due = False

    def watch(self) -> None:
        """Looks at the connections from time to time, for as long as there are any."""
        if not self._is_due:
            self._is_due = True
            self._loop.call_later(self._seconds / _SWEEPS, self._sweep)

    def _sweep(self) -> None:
        self._is_due = False
        before = self._loop.time() - self._seconds
        for connection in list(self._connections):
            if isinstance(connection, Connection):
                connection.give_up(before)
        if self._connections:
            self.watch()


_SHARED = "shared"
"""The key of what connections share, in the state that uvicorn keeps for a server and forgets with it."""


class Connection(HttpToolsProtocol):
    """One connection. Uvicorn makes it, parses what comes, and queues the requests of a client that does not wait."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.application = cast(Application, self.app)
        self.flow: FlowControl
        self._unfinished_bytes = 0
        self._is_refused = False
        self.waits_since: float | None = None
        """Since when it has waited for its caller: to send a request or all of a body, or to take a response.
        None while a handler is at work."""
        shared = app_state.get(_SHARED)
        if shared is None:
            patience = Patience(self.loop, self.connections, config.timeout_keep_alive)
            shared = app_state[_SHARED] = Turn(self.loop), patience
        self.turn: Turn
        self._patience: Patience
        self.turn, self._patience = shared

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.waits_for_caller()
        self._patience.watch()

    def waits_for_caller(self) -> None:
        if self.waits_since is None:
            self.waits_since = self.loop.time()

    def give_up(self, before: float) -> None:
        """Closes the connection if it has waited since then: the second time even if the caller takes nothing."""
        if self.waits_since is not None and self.waits_since <= before:
            if self.transport.is_closing():
                self.transport.abort()
            else:
                self.close()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._unfinished_bytes += len(data)
        super().data_received(data)
        if self._unfinished_bytes > MAX_UNFINISHED_BYTES and not self.transport.is_closing():
            self._refuse()

    def _refuse(self) -> None:
        """Refuses a head that is too long. What still comes is discarded until the caller, or the time, ends it:
        closing under a caller that is still sending would take the response away from it."""
        cycle = cast("Exchange | None", self.cycle)
        if cycle is not None and not cycle.response_complete:  # the next response must not be this one
            self.close()
            return
        self._is_refused = True
        response = Response(400, b"The head of the request is too long.", b"text/plain; charset=utf-8")
        self.transport.write(self.encoded(response, "GET", keep_alive=False))
        self.transport.write_eof()

    def encoded(self, response: Response, method: str, *, keep_alive: bool) -> bytes:
        """A whole response. Raises ValueError where it can't be sent. Uvicorn makes new default headers each second."""
        return b"%b%b%b%b\r\n%b" % (
            STATUS_LINE[response.status],
            header_lines(tuple(self.server_state.default_headers)),
            head_text(response),
            b"" if keep_alive else b"connection: close\r\n",
            b"" if method == "HEAD" else response.body,
        )

    def on_body(self, body: bytes) -> None:
        self._unfinished_bytes = 0
        super().on_body(body)

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers: list[Header] = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        self._unfinished_bytes = 0
        parser = self.parser
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        exchange = Exchange(
            self,
            parser.get_method().decode("ascii"),
            unquote(path) if "%" in path else path,
            url.query or b"",
            keep_alive=parser.should_keep_alive() and parser.get_http_version() != "1.0",
        )
        if parser.should_upgrade():
            self._ignore_upgrade(exchange)
        self.headers = []  # trailers go there, and nobody reads them: no proxy has checked them
        previous = cast("Exchange | None", self.cycle)
        self.cycle = cast(Any, exchange)
        if previous is None or previous.response_complete:
            self._start_asgi_task(exchange, self.app)
        else:
            if len(self.pipeline) >= MAX_WAITING:
                raise ValueError("more requests than a connection may have waiting")  # uvicorn responds with 400
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _ignore_upgrade(self, exchange: Exchange) -> None:
        """A wish for another protocol may be ignored (RFC 9110, 7.8); but the parser thinks that HTTP ends here.

        It loses what it has read beyond the head, and takes what comes later for another request, even if it is the
        body. So there must be no body, and the connection is closed after the response.
        """
        if b"transfer-encoding" in exchange.headers or exchange.headers.get(b"content-length", b"0") != b"0":
            raise ValueError("a body that the parser would not read")  # uvicorn responds with 400
        exchange.keep_alive = False

    def _unsupported_upgrade_warning(self) -> None:
        """Uvicorn would advise in the log to install a library."""

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Has a request handled. Uvicorn's name and parameters, so that none of its methods starts one otherwise."""
        self.waits_since = None
        self.turn.handle(cycle)

    def on_response_complete(self) -> None:
        """As uvicorn's, but without a timer of its own (see `Turn.watch`), and what waits is bounded.

        Uvicorn reads on after each response. A caller that sends without waiting, as much as fits into a read for each
        response it gets, would fill the memory.
        """
        self.server_state.total_requests += 1
        self.waits_for_caller()
        if self.transport.is_closing():
            return
        if self.pipeline:  # nothing more is read before these have their responses
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self.flow.resume_reading()

    def close(self) -> None:
        """Closes it once the caller has taken what was sent, or has not for too long."""
        self.waits_since = self.loop.time()
        self.transport.close()

    def start_task(self, work: Coroutine[Any, Any, None]) -> None:
        """Uvicorn waits for these tasks when it stops, and cancels them when that takes too long."""
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
