"""One request on a connection and the response that it gets."""

from __future__ import annotations

import select
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from stamkund import log
from stamkund.problems import Problem
from stamkund.server.patience import BODY, TAKING, ConnectionLimits
from stamkund.server.turns import Signal, continued
from stamkund.wire.request import BodyTooLarge, Disconnected, Peer
from stamkund.wire.response import Header, Response

if TYPE_CHECKING:
    from stamkund.server.protocol import Connection

_TRY_AGAIN = 503
_HUNG_UP = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


class Application(Protocol):
    """What the server asks for responses, besides running it as an ASGI application for the lifespan.

    `headers` are those of every response.
    """

    @property
    def connection_limits(self) -> ConnectionLimits: ...

    @property
    def headers(self) -> tuple[Header, ...]: ...

    async def respond(self, request: Exchange) -> Response | None: ...

    def refuse(self, request: Exchange, problem: Problem) -> Response: ...


class Exchange:
    """A request, and the response that it waits for. Dispatch sees it as a `Request`.

    To uvicorn's protocol it is a `RequestResponseCycle`. The protocol appends to `body`, clears `more_body` when all
    of it is there, sets `disconnected`, and sets `message_event` at each of these; it reads `response_complete`, and
    clears `keep_alive` when the server stops.

    With a `problem` it is something that could not be read as a request: refused in its turn, and nothing is read
    after it. `header_lines` are then those that were read before.
    """

    __slots__ = (
        "_connection",
        "_data",
        "_expects_continue",
        "_problem",
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

    def __init__(
        self,
        connection: Connection,
        method: str,
        path: str,
        query: bytes,
        *,
        keep_alive: bool,
        problem: Problem | None = None,
    ) -> None:
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
        self._problem = problem
        self._response: Response | None = None

    def break_off(self, problem: Problem) -> None:
        """The rest of its body can't be read. It is refused, unless its handler needs no more of it."""
        self._problem = problem
        self.keep_alive = False
        self.message_event.set()

    async def read_body(self, at_most: int) -> bytes:
        """See `Request.read_body`. What is sent beyond a refusal is discarded by the connection as it comes."""
        connection = self._connection
        while self.more_body and len(self.body) <= at_most:
            if self.disconnected or self._problem is not None:
                raise Disconnected
            connection.wait_for(BODY)
            if self._expects_continue:
                self._expects_continue = False
                connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.flow.resume_reading()
            await self.message_event.wait()
        connection.waits_for = None
        if len(self.body) > at_most:
            raise BodyTooLarge
        return bytes(self.body)

    def is_gone(self) -> bool:
        """See `Request.is_gone`. A connection that is not read at present does not notice the end by itself."""
        connection = self._connection
        if self.disconnected or connection.is_closing:
            return True
        return connection.flow.read_paused and _has_hung_up(connection)

    def handle(self) -> None:
        """Runs the handler as far as it comes without waiting; if it has to wait, a task does the rest."""
        connection = self._connection
        try:
            if self._problem is not None:
                self._respond(None)
                return
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
        if response is None and self._problem is not None and not self.disconnected:
            response = connection.application.refuse(self, self._problem)
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
        connection.wait_for(TAKING)
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
        if self._problem is not None and self._problem.status != _TRY_AGAIN:
            connection.linger()
            self._end()
            return
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


def _has_hung_up(connection: Connection) -> bool:
    """Whether the caller has closed its end, as the system knows it."""
    socket = connection.transport.get_extra_info("socket")
    if socket is None or socket.fileno() < 0:
        return False
    look = select.poll()
    look.register(socket.fileno(), _HUNG_UP)
    return bool(look.poll(0))
