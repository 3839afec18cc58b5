"""How many connections a worker has, how long each may take for what, and what is said of those it refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from stamkund.server.patience import ConnectionLimits
from stamkund.wire.request import Request
from stamkund.wire.response import Response
from tests.support.http_server import LOOPS, Caller, Gate, HttpServer, until
from tests.support.small_application import echo, text

LIMIT = 5
FOREVER = 600
A_LOOP_TICK = 0.002
"""Seconds. A loop reads its clock in steps of a millisecond, so two things within one step happen at the same time."""


@pytest.fixture(params=sorted(LOOPS))
def server(request: pytest.FixtureRequest) -> Iterator[HttpServer]:
    limits = ConnectionLimits(connections=LIMIT)
    with HttpServer(request.param, limits, timeout_keep_alive=FOREVER) as running:
        running.handlers["/echo"] = echo
        yield running
    assert running.errors == []


def half_a_head(caller: Caller) -> None:
    caller.send(b"GET / HTTP/1.1\r\nHost")


def half_a_body(caller: Caller) -> None:
    caller.post("/echo", 60_000, b"half")


def takes_nothing(caller: Caller) -> None:
    caller.get("/many")


def takes_nothing_and_is_closed(caller: Caller) -> None:
    caller.get("/many", "Connection: close")


@pytest.mark.parametrize("does", [lambda _: None, half_a_head, half_a_body, takes_nothing, takes_nothing_and_is_closed])
def test_whoever_comes_is_served_however_many_wait(server: HttpServer, does: object) -> None:
    """Those that waited longest make room: ten times as many as may be there keep nobody out."""
    assert callable(does)

    async def many_bytes(_: Request) -> Response:
        return text(b"x" * 6_000_000)

    server.handlers["/many"] = many_bytes
    waiting = []
    for _ in range(10 * LIMIT):
        waiting.append(server.caller())
        does(waiting[-1])
        newcomer = server.caller()
        newcomer.get()
        assert newcomer.response() == (200, b"hello")
        newcomer.close()
        assert len(server.connections) <= LIMIT + 1
    assert all(len(caller.rest()) < 6_000_000 for caller in waiting[:LIMIT])


def test_requests_in_progress_are_never_given_up_for_others(server: HttpServer) -> None:
    server.handlers["/gate"] = gate = Gate(server)
    busy = server.callers(LIMIT)
    for caller in busy:
        caller.get("/gate")
    gate.wait(LIMIT)
    for _ in range(3 * LIMIT):
        newcomer = server.caller()
        assert newcomer.response() == (503, b"service_unavailable") and newcomer.rest() == b""
    for caller in busy:
        gate.open(text("finished"))
        assert caller.response() == (200, b"finished")
    newcomer = server.caller()
    newcomer.get()
    assert newcomer.response() == (200, b"hello")


@pytest.mark.parametrize(
    ("limits", "does"),
    [
        (ConnectionLimits(head_seconds=0.2), half_a_head),
        (ConnectionLimits(body_seconds=0.2), half_a_body),
    ],
    ids=["head", "body"],
)
@pytest.mark.parametrize("loop_name", sorted(LOOPS))
def test_a_request_has_less_time_than_a_connection(loop_name: str, limits: ConnectionLimits, does: object) -> None:
    """Whoever sends half of one is closed, also if more of it comes now and then; whoever sends none is not."""
    assert callable(does)
    with HttpServer(loop_name, limits, timeout_keep_alive=FOREVER) as server, capture_logs() as logs:
        server.handlers["/echo"] = echo
        silent, slow, trickling = server.callers(3)
        does(slow)
        does(trickling)

        def trickles() -> bool:
            trickling.send_if_open(b"x")
            return len(server.connections) == 1

        until(trickles)
        assert slow.rest() == b""
        silent.get()
        assert silent.response() == (200, b"hello")
    assert [line for line in logs if line["event"] == "slow requests given up"]


@pytest.mark.parametrize("loop_name", sorted(LOOPS))
def test_a_request_that_begins_late_has_its_time(loop_name: str) -> None:
    """The time of a head begins with it, not with the connection; that of one behind a waiting handler when it is its
    turn."""
    with HttpServer(loop_name, ConnectionLimits(head_seconds=FOREVER), timeout_keep_alive=FOREVER) as server:
        [caller] = server.callers(1)
        [connection] = server.connections
        begun = connection.waits_since
        until(lambda: time.monotonic() > begun + A_LOOP_TICK)
        half_a_head(caller)
        until(lambda: connection.waits_for == "head")
        assert connection.waits_since > begun
        caller.send(b": test\r\n\r\n")
        assert caller.response() == (200, b"hello")
        until(lambda: connection.waits_for == "request")


def test_a_caller_that_went_away_is_known_although_nothing_is_read(server: HttpServer) -> None:
    """A connection with a request behind the present one is not read, so it does not notice the end by itself."""
    server.handlers["/gate"] = gate = Gate(server)
    get = b"GET /%b HTTP/1.1\r\nHost: test\r\n\r\n"
    for sent in (get % b"gate", get % b"gate" + get % b""):
        caller = server.caller()
        caller.send(sent)
        gate.wait()
        exchange = gate.requests[-1]
        assert not exchange.is_gone()
        caller.close()
        until(exchange.is_gone)
        gate.open(text("to nobody"))
        until(lambda: not server.connections)
