"""HTTP on a connection: uvicorn's protocol, with the requests of one turn of the event loop handled together.

Uvicorn keeps sockets, workers, signals, lifespan, parsing, pipelining and back-pressure. What is different here is when
things are done. Uvicorn starts a task for each request and writes head and body apart, so that a server under load
jumps between parser, application and kernel for each request, and finds none of them in its caches. Here what arrived
in one turn is handled first, one request after the other, and then the responses are written, one write each. Most
requests never need a task: a handler that waits for nothing is finished when it has been run once.

Where uvicorn trusts its callers, this does not: how many connections there are, what each has waiting, how long a head
is and how long its caller may take are bounded (`patience.py`), and what can't be read as a request is refused in its
turn, with an error body, a request id and a line in the log like any other. Of uvicorn's options it knows those in
`server/process.py`; `limit_concurrency` and `root_path` do nothing here.

What of uvicorn this leans on is checked by `tests/server/test_protocol.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from stamkund import problems
from stamkund.problems import Problem, Refused
from stamkund.server.exchange import Application, Exchange
from stamkund.server.patience import BODY, HEAD, LINGERING, REQUEST, TAKING, Patience
from stamkund.server.turns import Turn
from stamkund.wire.response import Header, Response, head_text, header_lines

MAX_WAITING = 128
"""How many requests of a connection may wait for those before them. Thousands of small ones fit into one read."""
MAX_HEADER_LINES = 100
"""How many lines a head, or what follows a body, may have: each takes more memory than its bytes."""
_LONGEST_ESCAPED_PATH = 2_048
"""Longer than any path of ours, however it is written: decoding takes time, and a longer one leads nowhere."""
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
        self.headers: list[Header] = []
        self._limits = self.application.connection_limits
        self._common_lines = header_lines(self.application.headers)
        self._in_head = False
        self._unfinished_bytes = 0
        """What was received without the end of a head and without a piece of a body: the parser has no limit."""
        self._head_bytes = 0
        """As much as the present head can have at most: all that was read since the read that the last request ended
        in, and that read too."""
        self._read_bytes = 0
        self._is_refused = False
        self.waits_for: str | None = None
        """What it waits for from its caller (`patience.py`); None while a handler is at work."""
        self.waits_since = 0.0
        shared = app_state.get(_SHARED)
        if shared is None:
            patience = Patience(self.loop, self.connections, self._limits, config.timeout_keep_alive)
            shared = app_state[_SHARED] = Turn(self.loop), patience
        self.turn: Turn
        self._patience: Patience
        self.turn, self._patience = shared

    @property
    def is_closing(self) -> bool:
        return self.transport.is_closing()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience.watch()
        if len(self.connections) > self._limits.connections and not self._patience.make_room():
            self._refuse(problems.TOO_MANY_CONNECTIONS)
        else:
            self.wait_for(REQUEST)

    def wait_for(self, what: str) -> None:
        """Waits for its caller from now on, or still."""
        if self.waits_for != what:
            self.waits_for = what
            self.waits_since = self.loop.time()

    def give_up(self) -> None:
        """Closes the connection: the second time even if its caller takes nothing."""
        if self.transport.is_closing():
            self.abandon()
        else:
            self.close()

    def abandon(self) -> None:
        """Ends the connection at once, whatever its caller has not taken."""
        self.waits_for = None
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._read_bytes = len(data)
        self._unfinished_bytes += self._read_bytes
        self._head_bytes += self._read_bytes
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # see `_ignore_upgrade`
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.problem if isinstance(cause, Refused) else problems.NOT_HTTP)
            return
        if self._unfinished_bytes > self._limits.head_bytes or len(self.headers) > MAX_HEADER_LINES:
            self._refuse(problems.HEAD_TOO_LARGE)
        elif self._in_head and self.waits_for is not None:
            self.wait_for(HEAD)

    def _refuse(self, problem: Problem) -> None:
        """Refuses what was sent, after the responses to what came before it. Whatever still comes is discarded."""
        if self.transport.is_closing():
            return
        self._is_refused = True
        cycle = cast("Exchange | None", self.cycle)
        if cycle is not None and cycle.more_body and not cycle.response_complete:
            cycle.break_off(problem)
            return
        method = self.parser.get_method().decode("latin-1")
        self._enqueue(Exchange(self, method, "", b"", keep_alive=False, problem=problem))

    def linger(self) -> None:
        """Sends nothing more, and discards what still comes until the caller, or the time, ends it.

        Closing under a caller that is still sending would take the response away from it.
        """
        if self.transport.is_closing():
            return
        self.wait_for(LINGERING)
        self.flow.resume_reading()
        try:
            if self.transport.can_write_eof():
                self.transport.write_eof()
        except OSError:  # the caller is gone: it has reset the connection since the response was sent
            self.transport.abort()

    def encoded(self, response: Response, method: str, *, keep_alive: bool) -> bytes:
        """A whole response. Raises ValueError where it can't be sent. Uvicorn makes new default headers each second."""
        return b"%b%b%b%b%b\r\n%b" % (
            STATUS_LINE[response.status],
            header_lines(tuple(self.server_state.default_headers)),
            self._common_lines,
            head_text(response),
            b"" if keep_alive else b"connection: close\r\n",
            b"" if method == "HEAD" else response.body,
        )

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """As uvicorn's, but for blanks after the value, which are no part of it (RFC 9110, 5.5)."""
        name = name.lower()
        value = value.rstrip(b" \t")
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._check_size()
        self._in_head = False
        self._unfinished_bytes = 0
        self._head_bytes = self._read_bytes
        parser = self.parser
        url = httptools.parse_url(self.url)
        path = "/" if url.path is None else url.path.decode("ascii")  # none: `http://host` (RFC 9112, 3.2.2)
        version = parser.get_http_version()
        if version == "1.0":  # it would take the 100 for the response (RFC 9110, 10.1.1)
            self.expect_100_continue = False
        exchange = Exchange(
            self,
            parser.get_method().decode("ascii"),
            unquote(path) if "%" in path and len(path) <= _LONGEST_ESCAPED_PATH else path,
            url.query or b"",
            keep_alive=parser.should_keep_alive() and version != "1.0",
        )
        _check_framing(exchange, version)
        _check_host(exchange, version)
        if parser.should_upgrade():
            self._ignore_upgrade(exchange)
        self.headers = []  # trailers go there, and nobody reads them: no proxy has checked them
        self._enqueue(exchange)

    def _check_size(self) -> None:
        """Refuses a head that is too long although it came to its end within one read. Raises Refused."""
        if len(self.headers) > MAX_HEADER_LINES:
            raise Refused(problems.HEAD_TOO_LARGE)
        if self._head_bytes > self._limits.head_bytes:  # hardly ever, so this costs nothing
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > self._limits.head_bytes:
                raise Refused(problems.HEAD_TOO_LARGE)

    def _enqueue(self, exchange: Exchange) -> None:
        """Has a request handled once those before it have their responses. Raises Refused."""
        previous = cast("Exchange | None", self.cycle)
        if previous is None or previous.response_complete:
            self.cycle = cast(Any, exchange)
            self._start_asgi_task(exchange, self.app)
            return
        if len(self.pipeline) >= MAX_WAITING and not self._is_refused:
            raise Refused(problems.TOO_MANY_PIPELINED)
        self.cycle = cast(Any, exchange)
        self.flow.pause_reading()
        self.pipeline.appendleft((self.cycle, self.app))

    def _ignore_upgrade(self, exchange: Exchange) -> None:
        """A wish for another protocol may be ignored (RFC 9110, 7.8); but the parser thinks that HTTP ends here.

        It loses what it has read beyond the head, and takes what comes later for another request, even if it is the
        body. So there must be no body, and the connection is closed after the response. Raises Refused.
        """
        if b"transfer-encoding" in exchange.headers or exchange.headers.get(b"content-length", b"0") != b"0":
            raise Refused(problems.NOT_HTTP)  # a body that the parser would not read
        exchange.keep_alive = False

    def _unsupported_upgrade_warning(self) -> None:
        """Uvicorn would advise in the log to install a library."""

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Has a request handled. Uvicorn's name and parameters, so that none of its methods starts one otherwise."""
        self.waits_for = None
        self.turn.handle(cycle)

    def on_body(self, body: bytes) -> None:
        self._unfinished_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unfinished_bytes = 0
        self._head_bytes = self._read_bytes
        cycle = cast(Exchange, self.cycle)
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()
        elif self.waits_for == BODY:  # that of a request which was refused without it
            self.wait_for(REQUEST)

    def on_response_complete(self) -> None:
        """As uvicorn's, but without a timer of its own (see `Patience`), and what waits is bounded.

        Uvicorn reads on after each response. A caller that sends without waiting, as much as fits into a read for each
        response it gets, would fill the memory.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self.wait_for(TAKING)
            return
        if self.pipeline:  # nothing more is read before these have their responses
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self.wait_for(HEAD if self._in_head else BODY if self.cycle.more_body else REQUEST)
            self.flow.resume_reading()

    def close(self) -> None:
        """Closes it once the caller has taken what was sent, or has not for too long."""
        self.waits_for = None
        self.wait_for(TAKING)
        self.transport.close()

    def start_task(self, work: Coroutine[Any, Any, None]) -> None:
        """Uvicorn waits for these tasks when it stops, and cancels them when that takes too long."""
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def _check_framing(exchange: Exchange, version: str) -> None:
    """Versions and transfer codings that the parser reads, and we do not speak (RFC 9112, 6.1). Raises Refused."""
    coding = exchange.headers.get(b"transfer-encoding")
    if version not in ("1.0", "1.1") or (coding is not None and (version == "1.0" or coding.lower() != b"chunked")):
        raise Refused(problems.NOT_HTTP)


def _check_host(exchange: Exchange, version: str) -> None:
    """HTTP/1.1 has exactly one `Host`, and nothing has two (RFC 9112, 3.2). Raises Refused."""
    headers = exchange.headers
    if b"host" not in headers:
        if version != "1.0":
            raise Refused(problems.HOST_REQUIRED)
    elif len(headers) != len(exchange.header_lines) and [n for n, _ in exchange.header_lines].count(b"host") > 1:
        raise Refused(problems.HOST_REPEATED)
