"""The requests of one turn of the event loop are handled, then their responses are written; and handlers may wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from stamkund.server import turns
from stamkund.server.protocol import Connection
from stamkund.server.turns import MAX_HANDLED_TOGETHER
from stamkund.wire.request import Request
from stamkund.wire.response import Response
from tests.support.conversations import Conversation
from tests.support.http_server import LOOPS, Gate, HttpServer, until
from tests.support.small_application import SmallApplication, hello, text

HELLO = (200, b"hello")
SECRET = "not for the log"


@pytest.fixture(params=sorted(LOOPS))
def server(request: pytest.FixtureRequest) -> Iterator[HttpServer]:
    with HttpServer(request.param) as running:
        yield running
    assert running.errors == []


def test_all_of_a_turn_are_handled_before_a_response_is_written(server: HttpServer) -> None:
    callers = server.callers(10)
    seen: list[bool] = []

    async def look(_: Request) -> Response:
        seen.append(any(caller.has_response() for caller in callers))
        return text("seen")

    server.handlers["/look"] = look
    with server.busy():
        for caller in callers:
            caller.get("/look")
    assert [caller.response() for caller in callers] == [(200, b"seen")] * 10
    assert seen == [False] * 10


@pytest.mark.parametrize(("seconds", "together"), [(60, MAX_HANDLED_TOGETHER), (0, 1)])
def test_a_crowd_is_handled_in_several_turns(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch, seconds: float, together: int
) -> None:
    """The first must not wait for all: when the last is handled, it has its response. Also where each takes long."""
    monkeypatch.setattr(turns, "MAX_HANDLING_SECONDS", seconds)
    callers = server.callers(MAX_HANDLED_TOGETHER + 5)
    served: list[int] = []

    async def count(_: Request) -> Response:
        served.append(sum(caller.has_response() for caller in callers))
        return text("counted")

    server.handlers["/count"] = count
    with server.busy():
        for caller in callers:
            caller.get("/count")
    until(lambda: len(served) == len(callers))
    assert [caller.response() for caller in callers] == [(200, b"counted")] * len(callers)
    assert served == [place - place % together for place in range(len(callers))]


async def test_head_and_body_are_one_write() -> None:
    async with Conversation(Connection, SmallApplication({"/": hello})) as conversation:
        for count in range(1, 4):
            await conversation.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            assert conversation.received.count(b"hello") == conversation.writes == count


async def sleeps(_: Request) -> Response:
    for _turn in range(3):
        await asyncio.sleep(0)
    return text("hello")


async def has_a_time_limit(_: Request) -> Response:
    await asyncio.sleep(0)  # a time limit belongs to a task
    async with asyncio.timeout(60):
        await asyncio.sleep(0)
    return text("hello")


async def runs_out_of_time(_: Request) -> Response:
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(0):
            await asyncio.sleep(60)
    except TimeoutError:
        return text("hello")
    raise AssertionError


async def asks_a_thread(_: Request) -> Response:
    return await asyncio.to_thread(text, "hello")


async def catches_a_failure(_: Request) -> Response:
    try:
        await asyncio.to_thread(int, "no number")
    except ValueError:
        await asyncio.sleep(0)
        return text("hello")
    raise AssertionError


async def waits_for_what_is_done(_: Request) -> Response:
    """It is done between the first wait and the task that goes on."""
    future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, text("hello"))
    return await future


async def waits_together(_: Request) -> Response:
    first, second = await asyncio.gather(asyncio.sleep(0, "he"), asyncio.to_thread(str, "llo"))
    return text(first + second)


@pytest.mark.parametrize(
    "handler",
    [
        sleeps,
        has_a_time_limit,
        runs_out_of_time,
        asks_a_thread,
        catches_a_failure,
        waits_for_what_is_done,
        waits_together,
    ],
)
def test_a_handler_that_waits_is_finished(
    server: HttpServer, handler: Callable[[Request], asyncio.Future[Response]]
) -> None:
    server.handlers["/wait"] = handler
    caller = server.caller()
    for _ in range(2):
        caller.get("/wait")
        assert caller.response() == HELLO
    until(lambda: not server.tasks)


def test_others_do_not_wait_for_one_that_waits(server: HttpServer) -> None:
    server.handlers["/gate"] = gate = Gate(server)
    slow, quick = server.callers(2)
    slow.get("/gate")
    gate.wait()
    quick.get("/")
    assert quick.response() == HELLO
    assert not slow.has_response()
    gate.open(text("at last"))
    assert slow.response() == (200, b"at last")


def test_responses_of_a_connection_are_in_the_order_of_its_requests(server: HttpServer) -> None:
    """Also where the first waits, and each response is that to its own request."""

    async def which(request: Request) -> Response:
        if int(request.query) % 3 == 0:
            await asyncio.sleep(0)
        return text(request.query)

    server.handlers.update({"/which": which, "/gate": (gate := Gate(server))})
    callers = server.callers(8)
    for caller in callers:
        caller.get("/gate")
    gate.wait(8)
    for number, caller in enumerate(callers):
        caller.send(
            b"".join(b"GET /which?%d HTTP/1.1\r\nHost: test\r\n\r\n" % (100 * number + place) for place in range(50))
        )
    for _ in callers:
        gate.open(text("first"))
    for number, caller in enumerate(callers):
        bodies = [caller.response()[1] for _ in range(51)]
        assert bodies == [b"first", *(b"%d" % (100 * number + place) for place in range(50))]


async def fails(_: Request) -> Response:
    raise ValueError(SECRET)


async def fails_later(_: Request) -> Response:
    await asyncio.sleep(0)
    raise ValueError(SECRET)


async def ends_the_process(_: Request) -> Response:
    raise SystemExit(SECRET)


async def is_interrupted_later(_: Request) -> Response:
    await asyncio.sleep(0)
    raise KeyboardInterrupt(SECRET)


async def is_cancelled(_: Request) -> Response:
    future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    future.cancel()
    return await future


async def is_cancelled_later(_: Request) -> Response:
    future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.cancel)
    return await future


async def breaks_the_head(_: Request) -> Response:
    return text("hello", 200, (b"x-name", b"a\r\nset-cookie: b"))


async def breaks_the_type(_: Request) -> Response:
    return Response(200, b"hello", b"text/plain\r\nset-cookie: b")


async def sends_a_body_that_cannot_be(_: Request) -> Response:
    return text("HTTP/1.1 200 OK\r\n\r\n", 204)


FAILURES = [
    fails,
    fails_later,
    ends_the_process,
    is_interrupted_later,
    is_cancelled,
    is_cancelled_later,
    breaks_the_head,
    breaks_the_type,
    sends_a_body_that_cannot_be,
]


@pytest.mark.parametrize("handler", FAILURES)
def test_one_that_fails_takes_no_other_with_it(server: HttpServer, handler: Callable[[Request], Response]) -> None:
    """Its connection is closed without a word, the log says where it was but nothing of the message, and the others of
    its turn have their responses, as have those that come later. What waits behind it is not handled."""
    handled: list[bytes] = []

    async def note(request: Request) -> Response:
        handled.append(request.query)
        return text("noted")

    server.handlers.update({"/fail": handler, "/note": note})  # type: ignore[dict-item]
    before, failing, after = callers = server.callers(3)
    with capture_logs() as logs:
        with server.busy():
            for caller, path in zip(callers, ("/", "/fail", "/"), strict=True):
                caller.get(path)
            failing.get("/note?behind")
        assert failing.rest() == b""
        assert before.response() == after.response() == HELLO
    [line] = logs
    assert (line["event"], line["log_level"]) == ("no response", "error")
    assert SECRET not in str(line) and "set-cookie" not in str(line)
    later = server.caller()
    later.get("/note?later")
    assert later.response() == (200, b"noted")
    assert handled == [b"later"]


class NotReady(SmallApplication):
    def respond(self, request: Request) -> Coroutine[Any, Any, Response | None]:
        raise AssertionError(SECRET)


async def test_a_caller_is_not_left_waiting_by_an_application_that_has_not_started() -> None:
    with capture_logs() as logs:
        async with Conversation(Connection, NotReady({})) as conversation:
            await conversation.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            assert conversation.is_closed and not conversation.received
    assert [line["event"] for line in logs] == ["no response"] and SECRET not in str(logs)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [((), [HELLO] * 2), (((b"x", b"\0"),), [])],
    ids=["once it is sent", "where it could not be sent"],
)
def test_what_is_put_off_is_done_and_its_faults_are_its_own(
    server: HttpServer, headers: tuple[tuple[bytes, bytes], ...], expected: list[tuple[int, bytes]]
) -> None:
    done: list[str] = []

    def then() -> None:
        done.append("then")
        raise ValueError(SECRET)

    async def puts_off(_: Request) -> Response:
        return Response(200, b"hello", headers=headers, when_sent=then)

    server.handlers["/later"] = puts_off
    caller, other = server.callers(2)
    with capture_logs() as logs:
        with server.busy():
            caller.send(b"GET /later HTTP/1.1\r\nHost: test\r\n\r\n" * 2)
            other.get()
        assert other.response() == HELLO
        assert [caller.response() for _ in expected] == expected
        until(lambda: len(done) == max(1, len(expected)))
        server.stop()
    assert {line["event"] for line in logs} == {"after a response"} | ({"no response"} if headers else set())
    assert SECRET not in str(logs)


async def test_what_is_put_off_is_done_where_a_caller_takes_nothing_until_the_server_stops() -> None:
    done: list[str] = []

    async def puts_off(_: Request) -> Response:
        return Response(200, b"hello", when_sent=lambda: done.append("then"))

    async with Conversation(Connection, SmallApplication({"/": puts_off})) as conversation:
        conversation.protocol.pause_writing()
        await conversation.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert not done and not conversation.received
        for task in list(conversation.server.tasks):
            task.cancel()
        await conversation.settle()
        assert done == ["then"]


def test_a_caller_is_not_left_waiting_by_a_handler_that_returns_nothing(server: HttpServer) -> None:
    async def returns_nothing(_: Request) -> None:
        return None

    server.handlers["/nothing"] = returns_nothing
    caller = server.caller()
    caller.get("/nothing")
    assert caller.rest() == b""


def test_a_caller_may_go_while_its_handler_waits(server: HttpServer) -> None:
    """The handler is finished all the same: it may be in the middle of a change."""
    finished = threading.Event()
    gate = Gate(server)

    async def finish(request: Request) -> Response | None:
        response = await gate(request)
        finished.set()
        return response

    server.handlers["/gate"] = finish
    caller = server.caller()
    caller.get("/gate")
    gate.wait()
    caller.close()
    until(lambda: not server.connections)
    gate.open(text("to nobody"))
    assert finished.wait(20)
    until(lambda: not server.tasks)


def test_a_caller_may_go_while_its_body_is_on_its_way(server: HttpServer) -> None:
    outcomes: list[BaseException] = []

    async def read(request: Request) -> Response:
        try:
            await request.read_body(100)
        except Exception as error:
            outcomes.append(error)
            raise
        return text("read")

    server.handlers["/read"] = read
    caller = server.caller()
    caller.post("/read", 10, b"half")
    until(lambda: bool(server.tasks))
    caller.close()
    until(lambda: not server.tasks)
    assert [type(error).__name__ for error in outcomes] == ["Disconnected"]
    assert not server.connections
