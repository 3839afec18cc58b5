"""What one caller can do to a server: how much it may have waiting, for how long, and in how many bytes."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from stamkund.server.protocol import MAX_UNFINISHED_BYTES, MAX_WAITING, Connection
from stamkund.wire.request import Request
from stamkund.wire.response import Response
from tests.support.conversations import Conversation, responses
from tests.support.http_server import LOOPS, Caller, Gate, HttpServer, until
from tests.support.small_application import SmallApplication, echo, hello, text

GET = b"GET / HTTP/1.1\r\n\r\n"
APPLICATION = SmallApplication({"/": hello, "/echo": echo})
TOO_LONG = b"The head of the request is too long."
IDLE_SECONDS = 0.3
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
    assert received.count(b"HTTP/1.1 200 ") == (waiting + 1 if accepted else 0)
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
    caller.send(b"GET /many HTTP/1.1\r\n\r\n" * 60)
    until(lambda: any(connection.flow.write_paused for connection in server.connections))
    other.get()
    assert other.response() == (200, b"hello")
    assert handled < 30
    for _ in range(60):
        assert caller.response() == (200, b"x" * 500_000)


LONG_HEADS = {
    "a path": (b"GET /", b"x"),
    "a name": (b"GET / HTTP/1.1\r\nx", b"x"),
    "a value": (b"GET / HTTP/1.1\r\nx: ", b"x"),
    "many lines": (b"GET / HTTP/1.1\r\n", b"x: y\r\n"),
    "blank lines before a request": (b"", b"\r\n"),
    "a trailer": (b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: ", b"x"),
    "many trailers": (b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n"),
    "an extension of a chunk": (b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;x=", b"x"),
}


@pytest.mark.parametrize("what", LONG_HEADS)
async def test_what_never_ends_is_refused(what: str) -> None:
    begin, more = LONG_HEADS[what]
    piece = (more * 2_000)[:2_000]
    async with Conversation(Connection, APPLICATION) as conversation:
        await conversation.send(begin)
        for _ in range(MAX_UNFINISHED_BYTES // len(piece)):
            await conversation.send(piece)
        assert not conversation.is_closed
        await conversation.send(piece)
        assert conversation.is_closed
        if b"/echo" in begin:  # a request in progress has no response but its own
            assert not conversation.received
        else:
            assert conversation.received.count(b"HTTP/1.1 400 ") == 1 and conversation.received.endswith(TOO_LONG)


@pytest.mark.parametrize("loop_name", sorted(LOOPS))
def test_a_caller_that_sends_too_much_can_read_why(loop_name: str) -> None:
    """It is not cut off while it is sending: all it sends is discarded, and it is closed once it has ended."""
    with HttpServer(loop_name) as server:
        caller = server.caller()
        caller.send(b"GET / HTTP/1.1\r\nx: " + b"x" * 5_000_000)
        assert caller.response() == (400, TOO_LONG) and caller.rest() == b""
        caller.get()
        assert caller.rest() == b"" and server.connections
        caller.close()
        until(lambda: not server.connections)


def test_a_caller_that_goes_on_after_a_refusal_is_closed(impatient: HttpServer) -> None:
    caller = impatient.caller()
    caller.send(b"GET / HTTP/1.1\r\nx: " + b"x" * 500_000)
    until(lambda: not impatient.connections)


async def test_a_refusal_is_never_the_response_to_another_request() -> None:
    async def wait(_: Request) -> Response:
        await asyncio.get_running_loop().create_future()
        return text("never")

    async with Conversation(Connection, SmallApplication({"/": wait})) as conversation:
        await conversation.send(GET + b"GET / HTTP/1.1\r\nx: ")
        for _ in range(10):
            await conversation.send(b"x" * 10_000)
        assert conversation.is_closed and not conversation.received


async def test_a_long_head_is_read_if_it_ends() -> None:
    """As often as one likes: each is counted by itself, and so is a body, whatever its length."""
    head = b"GET /echo HTTP/1.1\r\nx: " + b"y" * (MAX_UNFINISHED_BYTES - 1_000) + b"\r\n\r\n"
    body = b"POST /echo HTTP/1.1\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000
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
    caller.send(b"GET /sleeps HTTP/1.1\r\n\r\n" * 2)
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
    eager.send(b"GET /gate HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n")
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
    sends_on.send(b"GET /many HTTP/1.1\r\n\r\n" * 10)
    until(lambda: not impatient.connections)
    assert len(stays.rest()) < 10_000_000


def test_nothing_is_left_of_a_server_that_has_stopped() -> None:
    with HttpServer("asyncio") as server:
        one_request(server.caller())
        state = weakref.ref(server.uvicorn.server_state)
    del server
    gc.collect()
    assert state() is None
