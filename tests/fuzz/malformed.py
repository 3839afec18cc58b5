"""Bytes that are nearly requests. The server must end every connection by itself, and respond with no 5xx."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

DEADLINE_SECONDS = 30
HANG, CLOSED = "hang", "closed without a response"
_AT_ONCE = 32

REQUESTS = (
    b"GET /external/api/v1/me HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n",
    b"GET /login?oid=bladet HTTP/1.1\r\nHost: test\r\nCookie: __Host-stamkund_form=x\r\nConnection: close\r\n\r\n",
    b"POST /api/authorization/access_token HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 15\r\n\r\ngrant_type=none",
    b"POST /external/api/v1/account/activate_candidate HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
)
_SPLICES = (
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"\xff", b"\r\n\r\n", b"%00", b"%", b"HTTP/9.9", b"\xf0\x9f\x98\x80"),
    *(b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"Host: a\r\nHost: b\r\n", b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\n", b"X: " + b"a" * 70_000 + b"\r\n"),
    *(b"fffffffffffffffff\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"),
)


def malformed(chance: random.Random) -> bytes:
    """A request with a few accidents."""
    request = bytearray(chance.choice(REQUESTS))
    for _ in range(chance.randint(1, 4)):
        chance.choice(_ACCIDENTS)(request, chance)
    return bytes(request)


def _splice(request: bytearray, chance: random.Random) -> None:
    place = chance.randint(0, len(request))
    request[place:place] = chance.choice(_SPLICES)


def _flip(request: bytearray, chance: random.Random) -> None:
    if request:
        request[chance.randrange(len(request))] = chance.randrange(256)


def _cut(request: bytearray, chance: random.Random) -> None:
    del request[chance.randint(0, len(request)) :]


def _drop(request: bytearray, chance: random.Random) -> None:
    place = chance.randint(0, len(request))
    del request[place : place + chance.randint(1, 20)]


def _repeat(request: bytearray, chance: random.Random) -> None:
    place = chance.randint(0, len(request))
    request[place:place] = request[place : place + chance.randint(1, 40)] * chance.randint(1, 5)


_ACCIDENTS: tuple[Callable[[bytearray, random.Random], None], ...] = (_splice, _flip, _cut, _drop, _repeat)


async def send_malformed(url: str, count: int, seed: int) -> Counter[str]:
    """How often each came of `count` requests: a status, `CLOSED`, or `HANG`."""
    chance, outcomes, gate = random.Random(seed), Counter[str](), asyncio.Semaphore(_AT_ONCE)

    async def one(request: bytes) -> None:
        async with gate:
            outcomes[await _outcome(url, request)] += 1

    await asyncio.gather(*(one(malformed(chance)) for _ in range(count)))
    return outcomes


async def _outcome(url: str, request: bytes) -> str:
    """Sends a request and nothing after it, and reads until the server closes the connection."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            writer.write(request)
            writer.write_eof()
            received = await reader.read(-1)
    except TimeoutError:
        return HANG
    except OSError:  # the server closed while we were still sending
        return CLOSED
    finally:
        writer.close()
    return received[9:12].decode("latin-1") if received.startswith(b"HTTP/1.1 ") else CLOSED
