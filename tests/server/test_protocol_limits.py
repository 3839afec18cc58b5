"""What one caller can do to a server: how much it may have waiting, for how long, and in how many bytes."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import weakref
from collections.abc import Iterator

import pytest

from stamkund.server.patience import BODY, REQUEST, ConnectionLimits
from stamkund.server.protocol import MAX_HEADER_LINES, MAX_WAITING, Connection
from stamkund.wire.request import Request
from stamkund.wire.response import Response
from tests.support.conversations import Conversation, responses
from tests.support.http_server import LOOPS, Caller, Gate, HttpServer, until
from tests.support.small_application import SmallApplication, echo, hello, text

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
APPLICATION = SmallApplication({"/": hello, "/echo": echo})
MAX_HEAD_BYTES = ConnectionLimits().head_bytes
TOO_LONG = b"headers_too_large"
IDLE_SECONDS = 0.8
"""How long a connection may wait here. Tests wait for its end, and compare no times."""


@pytest.fixture(params=sorted(LOOPS))
def server(request: pytest.FixtureRequest) -> Iterator[HttpServer]:
    with HttpServer(request.param) as running:
        yield running
    assert running.errors == []


@pytest.fixture(params=sorted(LOOPS))
def impatient(request: pytest.FixtureRequest) -> Iterator[HttpServer]:
    with HttpServer(request.param, timeout_keep_alive=IDLE_SECONDS) as running:
        yield running
    assert running.errors == []


async def test_nothing_is_read_while_requests_wait() -> None:
    gates: list[asyncio.Future[Response]] = []

    async def wait(_: Request) -> Response:
        gates.append(asyncio.get_running_loop().create_future())
        return await gates[-1]

    async with Conversation(Connection, SmallApplication({"/": wait})) as conversation:
        await conversation.send(GET * 3)
        for place in range(3):
            assert len(gates) == place + 1 and not conversation.transport.is_reading()
            await conversation.send(GET)
            assert len(conversation.protocol.pipeline) == 2 - place
            gates[place].set_result(text("hello"))
            await conversation.settle()
        assert len(gates) == 4 and conversation.received.count(b"hello") == 3


@pytest.mark.parametrize(("waiting", "accepted"), [(MAX_WAITING, True), (MAX_WAITING + 1, False)])
async def test_more_requests_than_may_wait_are_refused(waiting: int, accepted: bool) -> None:
    received, was_closed = await responses(Connection, APPLICATION, [GET + GET * waiting])
    assert received.count(b"HTTP/1.1 200 ") == MAX_WAITING + 1, "what came before has its response"
    assert received.count(b"HTTP/1.1 400 ") == (0 if accepted else 1)
    assert was_closed != accepted


def test_a_caller_that_takes_nothing_is_not_served_on(server: HttpServer) -> None:
    """What it is sent fills the buffers of both ends, then nothing more is handled until it takes something."""
    handled = 0

    async def many_bytes(_: Request) -> Response:
        nonlocal handled
        handled += 1
        return text(b"x" * 500_000)

    server.handlers["/many"] = many_bytes
    caller, other = server.callers(2)
    caller.send(b"GET /many HTTP/1.1\r\nHost: test\r\n\r\n" * 60)
    until(lambda: any(connection.flow.write_paused for connection in server.connections))
    other.get()
    assert other.response() == (200, b"hello")
    assert handled < 30
    for _ in range(60):
        assert caller.response() == (200, b"x" * 500_000)


LONG_HEADS = {
    "a path": (b"GET /", b"x"),
    "a name": (b"GET / HTTP/1.1\r\nHost: test\r\nx", b"x"),
    "a value": (b"GET / HTTP/1.1\r\nx: ", b"x"),
    "blank lines before a request": (b"", b"\r\n"),
    "a trailer": (b"POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: ", b"x"),
    "an extension of a chunk": (b"POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n1;x=", b"x"),
}


@pytest.mark.parametrize("what", LONG_HEADS)
async def test_what_never_ends_is_refused(what: str) -> None:
    begin, more = LONG_HEADS[what]
    piece = (more * 2_000)[:2_000]
    async with Conversation(Connection, APPLICATION) as conversation:
        await conversation.send(begin)
        for _ in range(MAX_HEAD_BYTES // len(piece)):
            await conversation.send(piece)
        assert not conversation.is_closed
        await conversation.send(piece)
        assert conversation.is_closed
        assert conversation.received.count(b"HTTP/1.1 431 ") == 1 and conversation.received.endswith(TOO_LONG)


def head_of(size: int) -> bytes:
    """A request whose target and header lines are of this size together, as they are counted."""
    return (
        b"GET / HTTP/1.1\r\nHost: test\r\nx: " + b"y" * (size - len("/") - len("Host: test\r\nx: \r\n")) + b"\r\n\r\n"
    )


@pytest.mark.parametrize("before", [b"", GET, GET * 3 + b"GET /", head_of(30_000)])
@pytest.mark.parametrize("as_one", [True, False])
async def test_a_head_is_refused_from_the_first_byte_too_many(before: bytes, as_one: bool) -> None:
    """Also where all of it arrives at once, and behind others."""
    rest = b" HTTP/1.1\r\nHost: test\r\n\r\n" if before.endswith(b"GET /") else b""
    for size, status in ((MAX_HEAD_BYTES, 200), (MAX_HEAD_BYTES + 1, 431)):
        sent = before + rest + head_of(size)
        cut = len(before) if not as_one else 0
        received, was_closed = await responses(Connection, APPLICATION, [sent[:cut], sent[cut:]])
        assert received.count(b"HTTP/1.1 ") == sent.count(b"GET ")
        assert received.split(b"HTTP/1.1 ")[-1].startswith(b"%d " % status) and was_closed == (status == 431)


@pytest.mark.parametrize("many", [MAX_HEADER_LINES + 2, 10_000])
@pytest.mark.parametrize("end", [b"", b"\r\n"])
async def test_too_many_header_lines_are_refused(many: int, end: bytes) -> None:
    """A hundred megabytes of them took ten times as much memory."""
    for begin in (b"GET / HTTP/1.1\r\nHost: test\r\n", b"GET / HTTP/1.1\r\n"):
        received, was_closed = await responses(Connection, APPLICATION, [begin + b"x: y\r\n" * many + end])
        assert received.startswith(b"HTTP/1.1 431 ") and was_closed
    trailers = b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"x: y\r\n" * many + end
    received, was_closed = await responses(Connection, APPLICATION, [trailers])
    assert received.endswith(TOO_LONG) and was_closed


async def test_as_many_header_lines_as_may_be_are_read() -> None:
    lines = b"Host: test\r\n" + b"x: y\r\n" * (MAX_HEADER_LINES - 1)
    received, was_closed = await responses(Connection, APPLICATION, [(b"GET / HTTP/1.1\r\n" + lines + b"\r\n") * 2])
    assert received.count(b"HTTP/1.1 200 ") == 2 and not was_closed


@pytest.mark.parametrize("loop_name", sorted(LOOPS))
def test_a_caller_that_sends_too_much_can_read_why(loop_name: str) -> None:
    """It is not cut off while it is sending: all it sends is discarded, and it is closed once it has ended."""
    with HttpServer(loop_name) as server:
        caller = server.caller()
        caller.send(b"GET / HTTP/1.1\r\nx: " + b"x" * 5_000_000)
        assert caller.response() == (431, TOO_LONG) and caller.rest() == b""
        caller.get()
        assert caller.rest() == b"" and server.connections
        caller.close()
        until(lambda: not server.connections)


async def test_a_caller_that_resets_the_connection_at_its_refusal_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel does not let a connection be ended that its caller has reset, and others are served in this turn."""
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))

    def reset() -> None:
        raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))

    async with Conversation(Connection, APPLICATION) as conversation:
        monkeypatch.setattr(conversation.transport, "write_eof", reset)
        await conversation.send(b"garbage\r\n\r\n")
        assert conversation.received.startswith(b"HTTP/1.1 400 ") and conversation.is_closed
        assert not conversation.server.connections
    assert errors == []


def test_a_caller_that_goes_on_after_a_refusal_is_closed(impatient: HttpServer) -> None:
    caller = impatient.caller()
    caller.send(b"GET / HTTP/1.1\r\nx: " + b"x" * 500_000)
    until(lambda: not impatient.connections)


async def test_a_refusal_waits_for_the_responses_before_it() -> None:
    """Whoever shares a connection must not take it for the response to another request."""
    gates: list[asyncio.Future[Response]] = []

    async def wait(_: Request) -> Response:
        gates.append(asyncio.get_running_loop().create_future())
        return await gates[-1]

    async with Conversation(Connection, SmallApplication({"/": wait})) as conversation:
        await conversation.send(GET + b"GET / HTTP/1.1\r\nx: ")
        for _ in range(10):
            await conversation.send(b"x" * 10_000)
        assert not conversation.is_closed and not conversation.received
        gates[0].set_result(text("at last"))
        await conversation.settle()
        first, second = conversation.received.split(b"HTTP/1.1 ")[1:]
        assert first.endswith(b"at last") and second.startswith(b"431 ") and conversation.is_closed


async def test_a_long_head_is_read_if_it_ends() -> None:
    """As often as one likes: each is counted by itself, and so is a body, whatever its length."""
    head = b"GET /echo HTTP/1.1\r\nHost: test\r\nx: " + b"y" * (MAX_HEAD_BYTES - 1_000) + b"\r\n\r\n"
    body = b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000
    async with Conversation(Connection, APPLICATION) as conversation:
        for _ in range(3):
            for sent in (head, head, body):
                await conversation.send(*(sent[place : place + 9_000] for place in range(0, len(sent), 9_000)))
        assert [conversation.received.count(b"HTTP/1.1 %d " % status) for status in (200, 413, 400)] == [6, 3, 0]


def silent(_: Caller) -> None:
    pass


def half_a_head(caller: Caller) -> None:
    caller.send(b"GET / HTTP/1.1\r\nHost")


def half_a_body(caller: Caller) -> None:
    caller.post("/echo", 10, b"half")


def half_a_body_that_is_not_read(caller: Caller) -> None:
    caller.post("/", 10, b"half")
    assert caller.response() == (200, b"hello")


def one_request(caller: Caller) -> None:
    caller.get()
    assert caller.response() == (200, b"hello")


def one_request_and_half_a_head(caller: Caller) -> None:
    one_request(caller)
    half_a_head(caller)


def one_that_waits_and_one_behind_it(caller: Caller) -> None:
    caller.send(b"GET /sleeps HTTP/1.1\r\nHost: test\r\n\r\n" * 2)
    assert caller.response() == caller.response() == (200, b"slept")


@pytest.mark.parametrize(
    "caller_does",
    [
        silent,
        half_a_head,
        half_a_body,
        half_a_body_that_is_not_read,
        one_request,
        one_request_and_half_a_head,
        one_that_waits_and_one_behind_it,
    ],
)
def test_a_connection_that_waits_for_its_caller_is_closed(impatient: HttpServer, caller_does: object) -> None:
    async def sleeps(_: Request) -> Response:
        await asyncio.sleep(0.01)
        return text("slept")

    impatient.handlers.update({"/echo": echo, "/sleeps": sleeps})
    caller = impatient.caller()
    assert callable(caller_does)
    caller_does(caller)
    assert caller.rest() == b""
    until(lambda: not impatient.connections)


def test_a_connection_whose_handler_is_at_work_stays(impatient: HttpServer) -> None:
    """For longer than others may wait, which are closed meanwhile: also if its caller has sent more, and if a body was
    waited for before."""
    impatient.handlers["/gate"] = gate = Gate(impatient)

    async def read_and_wait(request: Request) -> Response | None:
        await request.read_body(100)
        return await gate(request)

    impatient.handlers["/read"] = read_and_wait
    busy, eager, reading = impatient.callers(3)
    busy.get("/gate")
    gate.wait()
    eager.send(b"GET /gate HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\nHost: test\r\n\r\n")
    gate.wait(2)
    reading.post("/read", 4, b"bo")
    until(lambda: len(impatient.tasks) == 3)
    reading.send(b"dy")
    gate.wait(3)
    for _ in range(3):  # one after another
        assert impatient.caller().rest() == b""
    assert len(impatient.connections) == 3
    for caller in (busy, eager, reading):
        gate.open(text("at last"))
        assert caller.response() == (200, b"at last")
    assert eager.response() == (200, b"hello")


@pytest.mark.parametrize("header", ["X: y", "Connection: close"])
def test_a_caller_that_takes_nothing_is_left(impatient: HttpServer, header: str) -> None:
    """Whether its connection stays or is about to be closed."""

    async def many_bytes(_: Request) -> Response:
        return text(b"x" * 10_000_000)

    impatient.handlers["/many"] = many_bytes
    stays, sends_on = impatient.callers(2)
    stays.get("/many", header)
    sends_on.send(b"GET /many HTTP/1.1\r\nHost: test\r\n\r\n" * 10)
    until(lambda: not impatient.connections)
    assert len(stays.rest()) < 10_000_000


def test_nothing_is_left_of_a_server_that_has_stopped() -> None:
    with HttpServer("asyncio") as server:
        one_request(server.caller())
        state = weakref.ref(server.uvicorn.server_state)
    del server
    gc.collect()
    assert state() is None


def waits_for(conversation: Conversation) -> str | None:
    assert isinstance(conversation.protocol, Connection)
    return conversation.protocol.waits_for


async def test_a_body_that_comes_after_its_refusal_leaves_an_idle_connection() -> None:
    """It waits for a request then, and for as long as idle connections may."""
    async with Conversation(Connection, APPLICATION) as conversation:
        await conversation.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\n")
        assert conversation.received and waits_for(conversation) == BODY
        await conversation.send(b"body")
        assert waits_for(conversation) == REQUEST
