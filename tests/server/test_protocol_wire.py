"""The same bytes get the same responses from our connections as from uvicorn's own, to the byte.

Where a connection of ours differs on purpose, `Reference` or a test at the end says so. What is no request gets our own
refusal, after the responses to what came before it; uvicorn's is written at once, whoever still waits.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterator

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stamkund.server.protocol import Connection
from stamkund.wire.request import Request
from stamkund.wire.response import Response
from tests.support.conversations import responses
from tests.support.http_server import LOOPS
from tests.support.small_application import SmallApplication, echo, hello

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def later(request: Request) -> Response:
    """Waits before and after reading the body."""
    await asyncio.sleep(0)
    response = await echo(request)
    await asyncio.sleep(0)
    return response


async def empty(_: Request) -> Response:
    return Response(204, b"", headers=((b"x-kind", b"empty"),))


UVICORNS_REFUSAL = b"HTTP/1.1 400 Bad Request\r\n"
REFUSAL = b"connection: close\r\n\r\nbad_request"
APPLICATION = SmallApplication({"/": hello, "/echo": echo, "/later": later, "/empty": empty})

ECHO = b"GET /echo HTTP/1.1\r\nHost: test\r\n\r\n"
LATER = b"GET /later?n=1 HTTP/1.1\r\nHost: test\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: test\r\n"
CLOSE = b"GET /echo HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"

ACCEPTED: dict[str, tuple[bytes, ...]] = {
    "nothing": (),
    "one": (ECHO,),
    "one after another": (ECHO, LATER, ECHO),
    "all at once": (ECHO + LATER + POST + b"Content-Length: 4\r\n\r\nbody" + LATER + ECHO,),
    "the first of several waits": (LATER + ECHO * 3,),
    "a hundred at once": (ECHO * 50 + LATER * 50,),
    "empty lines before a request": (b"\r\n\r\n\r\n" + ECHO + b"\r\n" + ECHO,),
    "a body": (POST + b"Content-Length: 4\r\n\r\nbody",),
    "a body in pieces": (POST + b"Content-Length: 6\r\n\r\n", b"ab", b"cd", b"ef" + ECHO),
    "a body after a waiting handler": (
        b"POST /later HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\n",
        b"ab",
        b"cdef",
    ),
    "a body that nobody reads": (b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\n", b"ab", b"cdef" + ECHO),
    "a body that never ends": (POST + b"Content-Length: 6\r\n\r\n", b"ab"),
    "a body of the greatest length": (POST + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000 + ECHO,),
    "a body that is too long": (POST + b"Content-Length: 1001\r\n\r\n" + b"x" * 1001 + ECHO,),
    "a body that is too long, in pieces": (POST + b"Content-Length: 3000\r\n\r\n", *[b"x" * 600] * 5, ECHO),
    "a body that is far too long": (POST + b"Content-Length: 400000\r\n\r\n", *[b"x" * 50_000] * 8, ECHO),
    "chunks": (POST + CHUNKS + ECHO,),
    "chunks in pieces": tuple(bytes([byte]) for byte in POST + CHUNKS + ECHO),
    "too many chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n", *[b"320\r\n" + b"x" * 800 + b"\r\n"] * 3, ECHO),
    "expecting 100": (POST + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n", b"body" + ECHO),
    "expecting 100, and refused": (
        b"POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        b"ab" + ECHO,
    ),
    "expecting something": (POST + b"Expect: a miracle\r\nContent-Length: 4\r\n\r\n", b"body"),
    "HEAD": (b"HEAD /echo HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "no content": (b"GET /empty HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "absolute form": (b"GET http://elsewhere.example/echo?a=b HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "absolute form without a path": (b"GET http://elsewhere.example HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "absolute form with a query alone": (b"GET http://elsewhere.example?a=b HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "HTTP/1.0 that expects 100": (b"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n", b"body"),
    "HTTP/1.0": (b"GET /echo HTTP/1.0\r\n\r\n" + ECHO,),
    "HTTP/1.0 that would stay": (b"GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + ECHO,),
    "closing": (CLOSE + ECHO,),
    "closing, and later another": (CLOSE, ECHO),
    "closing after waiting": (LATER + CLOSE + LATER,),
    "closing in several words": (b"GET /echo HTTP/1.1\r\nHost: test\r\nConnection: x, Close\r\n\r\n" + ECHO,),
    "chunks, by a tab": (POST + b"Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n" + ECHO,),
    "chunks of HTTP/1.0": (b"POST /echo HTTP/1.0\r\n" + CHUNKS + ECHO,),
    "a value of many bytes": (POST + b"X: \x80\xff\xe5\t \r\n\r\n" + ECHO,),
    "one name twice": (b"GET /echo HTTP/1.1\r\nHost: test\r\nX: 1\r\nx: 2\r\n\r\n",),
    "OPTIONS of all": (b"OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "escapes in the path": (b"GET /%65cho%2F%00%ff%zz%?%41=%zz HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "an escaped path": (b"GET /%65cho?%41=%zz HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "a fragment": (b"GET /echo?a#b HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "two slashes": (b"GET //echo HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "a long path": (b"GET /" + b"x" * 60_000 + b" HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "a long query in pieces": (b"GET /echo?", *[b"x" * 1_000] * 40, b" HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO),
    "garbage after a response": (ECHO, b"garbage\r\n\r\n", ECHO),
}
REFUSED: dict[str, tuple[bytes, ...]] = {
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",),
    "HTTP/0.9": (b"GET /echo\r\n\r\n",),
    "HTTP/2 in text": (b"GET /echo HTTP/2.0\r\nHost: test\r\n\r\n" + ECHO,),
    "chunks in HTTP/1.0": (b"POST /echo HTTP/1.0\r\n" + CHUNKS + ECHO,),
    "chunks of another coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + ECHO,),
    "HTTP/9.9": (b"GET /echo HTTP/9.9\r\n\r\n",),
    "two lengths": (POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + ECHO,),
    "two equal lengths": (POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde" + ECHO,),
    "a list of lengths": (POST + b"Content-Length: 5, 5\r\n\r\nabcde" + ECHO,),
    "length and chunks": (POST + b"Content-Length: 5\r\n" + CHUNKS + ECHO,),
    "chunks and length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + ECHO,),
    "chunks twice": (POST + b"Transfer-Encoding: chunked\r\n" + CHUNKS + ECHO,),
    "chunks, not last": (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + ECHO,),
    "chunks, misspelt": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + ECHO,),
    "a chunk of no size": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" + ECHO,),
    "a chunk with a sign": (POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + ECHO,),
    "a chunk that is longer than it says": (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n" + ECHO,),
    "a huge chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\nabc",),
    "a negative length": (POST + b"Content-Length: -1\r\n\r\n" + ECHO,),
    "a length with a sign": (POST + b"Content-Length: +4\r\n\r\nbody" + ECHO,),
    "a length beyond all numbers": (POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + ECHO,),
    "a blank before the colon": (POST + b"Content-Length : 4\r\n\r\nbody" + ECHO,),
    "a blank before the name": (POST + b" X: y\r\n\r\n" + ECHO,),
    "a folded line": (POST + b"X: a\r\n b\r\n\r\n" + ECHO,),
    "a bare CR": (POST + b"X: a\rContent-Length: 4\r\n\r\nbody" + ECHO,),
    "bare LFs": (b"GET /echo HTTP/1.1\nHost: test\n\n" + ECHO,),
    "a NUL in a value": (POST + b"X: a\0b\r\n\r\n" + ECHO,),
    "a NUL in a name": (POST + b"X\0: b\r\n\r\n" + ECHO,),
    "no colon": (POST + b"nothing\r\n\r\n" + ECHO,),
    "no name": (POST + b": x\r\n\r\n" + ECHO,),
    "CONNECT": (b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "an unknown method": (b"BREW /echo HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "a method in small letters": (b"get /echo HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "bytes in the path": (b"GET /\xc3\xa5 HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "bytes in the query": (b"GET /echo?\xc3\xa5 HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "no path": (b"GET  HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO,),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + ECHO,),
    "garbage": (b"garbage\r\n\r\n" + ECHO,),
    "garbage after a request": (ECHO + b"garbage\r\n\r\n" + ECHO,),
    "garbage after a request that waits": (LATER + b"garbage\r\n\r\n" + ECHO,),
    "garbage after a refusal": (POST + b"Content-Length: 2000\r\n\r\n" + b"x" * 2000 + b"garbage\r\n\r\n",),
}
"""Refused as a whole, with one response: what follows is never taken for another request."""
AFTER_A_RESPONSE = {"garbage after a request": 1, "garbage after a request that waits": 1}
"""Cases in which a request came before: it has its response first."""
CASES = ACCEPTED | REFUSED


@pytest.fixture(scope="module", params=sorted(LOOPS))
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=LOOPS[request.param]) as running:
        yield running


@pytest.fixture(autouse=True)
def no_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Neither the server nor the event loop logs an error."""
    with capture_logs() as ours:
        yield
    assert ours == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


class Reference(HttpToolsProtocol):
    """Uvicorn's own, but for the rules that it leaves to others.

    One `Host`, no blanks after a value, no trailers, `http://host` is the path `/`.
    """

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() != "1.0"):
            raise ValueError("not one Host")
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        if self.parser.get_http_version() not in ("1.0", "1.1") or codings not in ([], [b"chunked"]):
            raise ValueError("not spoken here")
        if codings and self.parser.get_http_version() == "1.0":
            raise ValueError("no chunks there")
        url = httptools.parse_url(self.url)
        if url.path is None:
            self.url = b"/" if url.query is None else b"/?" + url.query
        super().on_headers_complete()
        self.headers = []


async def compare(pieces: tuple[bytes, ...]) -> None:
    """Sends the pieces to both. `100 Continue` may be left out where the body is there already (RFC 9110, 10.1.1)."""
    ours, we_closed = await responses(Connection, APPLICATION, pieces)
    uvicorns, it_closed = await responses(Reference, APPLICATION, pieces)
    ours, uvicorns = ours.replace(CONTINUE, b""), uvicorns.replace(CONTINUE, b"")
    assert we_closed == it_closed
    before, refusal, _ = uvicorns.partition(UVICORNS_REFUSAL)
    if refusal:
        # It is refused, or the last response before says that there will be no other.
        assert ours.startswith(before) and ours.count(REFUSAL) <= 1
        assert b"connection: close\r\n" in ours.rpartition(b"HTTP/1.1 ")[2]
    else:
        assert ours == uvicorns


@pytest.mark.parametrize("case", CASES)
def test_the_responses_are_those_of_uvicorn(runner: asyncio.Runner, case: str) -> None:
    runner.run(compare(CASES[case]))


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_be_read_in_two_ways_is_refused(runner: asyncio.Runner, case: str) -> None:
    received, was_closed = runner.run(responses(Connection, APPLICATION, REFUSED[case]))
    responses_before = AFTER_A_RESPONSE.get(case, 0)
    assert received.count(b"HTTP/1.1 400 ") == 1 and received.endswith(REFUSAL)
    assert received.count(b"HTTP/1.1 200 ") == responses_before
    assert was_closed


SHORT = [case for case in map(b"".join, CASES.values()) if len(case) < 3_500]
TOKENS = (
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\0",
    b" ",
    b":",
    b"0\r\n\r\n",
    b"Content-Length: 3\r\n",
    b"\xff",
    b"%",
    b"#",
    b"-",
)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[bytes, ...]:
    """A few of the cases one after another, with some bytes removed or others put in, cut into pieces anywhere."""
    data = b"".join(draw(st.lists(st.sampled_from(SHORT), max_size=4)))
    places = st.integers(0, len(data))
    for place in draw(st.lists(places, max_size=4)):
        removed = draw(st.integers(0, 3))
        data = data[:place] + draw(st.sampled_from(TOKENS) | st.binary(max_size=3)) + data[place + removed :]
    cuts = sorted({0, len(data), *draw(st.lists(places, max_size=5))})
    return tuple(data[begin:end] for begin, end in itertools.pairwise(cuts))


@settings(max_examples=400)
@given(pieces=mutated())
def test_any_bytes_get_the_responses_of_uvicorn(runner: asyncio.Runner, pieces: tuple[bytes, ...]) -> None:
    runner.run(compare(pieces))


def test_no_hundred_continue_once_the_body_is_there(runner: asyncio.Runner) -> None:
    """Uvicorn sends one whenever a body is read."""
    head = POST + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    assert CONTINUE in runner.run(responses(HttpToolsProtocol, APPLICATION, [head + b"body"]))[0]
    assert CONTINUE not in runner.run(responses(Connection, APPLICATION, [head + b"body"]))[0]
    received, _ = runner.run(responses(Connection, APPLICATION, [head, b"b", b"od", b"y"]))
    assert received.startswith(CONTINUE + b"HTTP/1.1 200 ") and received.count(CONTINUE) == 1


def test_http_1_0_gets_no_hundred_continue(runner: asyncio.Runner) -> None:
    """Its client would take it for the response (RFC 9110, 10.1.1)."""
    pieces = ACCEPTED["HTTP/1.0 that expects 100"]
    assert CONTINUE in runner.run(responses(HttpToolsProtocol, APPLICATION, pieces))[0]
    received, _ = runner.run(responses(Connection, APPLICATION, pieces))
    assert received.startswith(b"HTTP/1.1 200 ") and CONTINUE not in received


UPGRADE = b"Connection: Upgrade\r\nUpgrade: "
UPGRADES = {
    "to a websocket": ((b"GET /echo HTTP/1.1\r\nHost: test\r\n" + UPGRADE + b"websocket\r\n\r\n", ECHO), 1),
    "to h2c": ((b"GET /echo HTTP/1.1\r\nHost: test\r\n" + UPGRADE + b"h2c\r\n\r\n" + ECHO, ECHO), 1),
    "with an empty body": ((POST + UPGRADE + b"h2c\r\nContent-Length: 0\r\n\r\n", ECHO), 1),
    "the second of two": ((ECHO + b"GET /later HTTP/1.1\r\nHost: test\r\n" + UPGRADE + b"x\r\n\r\n" + ECHO, ECHO), 2),
}


@pytest.mark.parametrize("case", UPGRADES)
def test_after_a_wish_for_another_protocol_the_connection_is_closed(
    runner: asyncio.Runner, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Uvicorn keeps it open, and has lost what the parser had read already: a later request gets the response to an
    earlier one. It also advises in the log to install a library."""
    pieces, count = UPGRADES[case]
    uvicorns, _ = runner.run(responses(HttpToolsProtocol, APPLICATION, pieces))
    assert uvicorns.count(b"HTTP/1.1 200 ") == count + 1
    caplog.clear()
    received, was_closed = runner.run(responses(Connection, APPLICATION, pieces))
    assert received.count(b"HTTP/1.1 200 ") == count and received.count(b"connection: close\r\n") == 1
    assert was_closed and not caplog.records


@pytest.mark.parametrize("body", [b"Content-Length: %d\r\n\r\n" % len(ECHO), b"Transfer-Encoding: chunked\r\n\r\n"])
def test_a_body_after_a_wish_for_another_protocol_is_no_request(runner: asyncio.Runner, body: bytes) -> None:
    """The parser does not read it, and takes it for the next request: whoever shares a connection through a proxy that
    passes on `Upgrade` could have had the response to it."""
    pieces = (POST + UPGRADE + b"x\r\n" + body, ECHO)
    uvicorns, _ = runner.run(responses(HttpToolsProtocol, APPLICATION, pieces))
    assert uvicorns.count(b"HTTP/1.1 200 ") == 2
    received, was_closed = runner.run(responses(Connection, APPLICATION, pieces))
    assert received.startswith(b"HTTP/1.1 400 ") and received.count(b"HTTP/1.1 ") == 1 and was_closed


@pytest.mark.parametrize("rest", [(), (b"",)], ids=["at once", "later"])
def test_trailers_are_not_headers(runner: asyncio.Runner, rest: tuple[bytes, ...]) -> None:
    """What uvicorn makes of them depends on whether they come together with the head."""
    head, trailer = POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n0\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"
    pieces = (head, trailer) if rest else (head + trailer,)
    received, _ = runner.run(responses(Connection, APPLICATION, pieces))
    assert b"200 OK" in received and b"forwarded" not in received
    at_once, _ = runner.run(responses(HttpToolsProtocol, APPLICATION, [head + trailer]))
    assert b"forwarded" in at_once
