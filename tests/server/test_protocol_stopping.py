"""A server that stops finishes what it has begun, and does not wait for ever."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from stamkund.wire.request import Request
from stamkund.wire.response import Response
from tests.support.http_server import LOOPS, Gate, HttpServer, until
from tests.support.small_application import echo, text


@pytest.fixture(params=sorted(LOOPS))
def server(request: pytest.FixtureRequest) -> Iterator[HttpServer]:
    with HttpServer(request.param, timeout_graceful_shutdown=60) as running:
        yield running
    assert running.errors == []


def stopping(server: HttpServer) -> None:
    """Tells the server to stop, and waits until it has begun to: connections without a request are closed then."""
    idle = server.caller()
    idle.get()
    idle.response()
    server.uvicorn.should_exit = True
    assert idle.rest() == b""


def test_what_is_in_progress_is_finished_and_the_connection_closed(server: HttpServer) -> None:
    server.handlers.update({"/gate": (gate := Gate(server)), "/echo": echo})
    waiting, pipelining, sending = server.callers(3)
    waiting.get("/gate")
    gate.wait()
    pipelining.send(b"GET /gate HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\nHost: test\r\n\r\n")
    gate.wait(2)
    sending.post("/echo", 4, b"bo")
    until(lambda: len(server.tasks) == 3)
    stopping(server)
    gate.open(text("finished"))
    gate.open(text("finished"))
    sending.send(b"dy")
    for caller in (waiting, pipelining, sending):
        received = caller.rest()
        responses = 2 if caller is pipelining else 1
        assert received.count(b"HTTP/1.1 200 OK") == responses and received.count(b"connection: close") == 1
    server.stop()


def test_a_response_that_is_staged_is_written(server: HttpServer) -> None:
    """The stop comes between the handler and the end of the turn."""

    async def stops(_: Request) -> Response:
        for connection in list(server.connections):
            connection.shutdown()
        return text("staged")

    server.handlers["/stop"] = stops
    before, stopper, after = callers = server.callers(3)
    with server.busy():
        before.get()
        stopper.get("/stop")
        after.get()
    bodies = [caller.rest().rpartition(b"\r\n\r\n")[2] for caller in callers]
    assert bodies == [b"hello", b"staged", b"hello"]


@pytest.mark.parametrize("loop_name", sorted(LOOPS))
def test_what_takes_too_long_is_cancelled(loop_name: str) -> None:
    """Its connection is closed without a response, and the log says so."""
    with HttpServer(loop_name, timeout_graceful_shutdown=1) as server:
        server.handlers["/gate"] = gate = Gate(server)
        caller = server.caller()
        caller.get("/gate")
        gate.wait()
        with capture_logs() as logs:
            server.uvicorn.should_exit = True
            assert caller.rest() == b""
            server.stop()
    errors = [line["error"] for line in logs if line["event"] == "no response"]
    assert errors == ["asyncio.exceptions.CancelledError"]


@pytest.mark.parametrize("loop_name", sorted(LOOPS))
def test_a_caller_that_takes_nothing_does_not_keep_the_server(loop_name: str) -> None:
    async def many_bytes(_: Request) -> Response:
        return text(b"x" * 10_000_000)

    with HttpServer(loop_name, timeout_keep_alive=2) as server:
        server.handlers["/many"] = many_bytes
        closing, draining = server.callers(2)
        closing.get("/many", "Connection: close")
        draining.send(b"GET /many HTTP/1.1\r\nHost: test\r\n\r\n" * 2)
        until(lambda: [connection.flow.write_paused for connection in server.connections] == [True, True])
        server.stop()
