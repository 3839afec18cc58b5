"""The application in this process, as a worker has it: how a request enters dispatch, and what the store was asked."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import httptools

from bench.ours import Installation
from stamkund import log
from stamkund.clock import system_clock
from stamkund.endpoints import declared_endpoints
from stamkund.identity.audit_queue import AuditQueue
from stamkund.identity.passwords import Passwords
from stamkund.store import Store
from stamkund.store.engine import Engine
from stamkund.store.open import open_installation
from stamkund.store.work import MakeWork, Row, Sql
from stamkund.wire.dispatch import Dispatch
from stamkund.wire.limits import limits_of
from stamkund.wire.request import Peer
from stamkund.wire.response import Header, Response
from stamkund.wire.services import Services

T = TypeVar("T")


@asynccontextmanager
async def opened_services(installation: Installation) -> AsyncIterator[Services]:
    """What handlers use, on the installation's database; requests are logged as a server would, to nowhere."""
    settings = installation.settings
    with Path(os.devnull).open("wb") as nowhere:  # noqa: ASYNC230 (there is nothing to wait for)
        log.configure(settings.log_level, nowhere)
        stored = await open_installation(settings, system_clock)
        passwords = Passwords(settings, 1)
        try:
            limits = limits_of(settings, stored.vault, AuditQueue())
            yield Services(settings, stored.store, stored.vault, passwords, system_clock, limits)
        finally:
            passwords.close()
            await stored.close()
            log.configure("error")


# How a request enters dispatch -----------------------------------------------------------------------------


def dispatch_of(services: Services) -> Dispatch:
    return Dispatch(declared_endpoints(), services)


@dataclass(frozen=True)
class ParsedRequest:
    """A request as dispatch gets it (`wire/request.py`), whole."""

    method: str
    path: str
    query: bytes
    header_lines: list[Header]
    headers: dict[bytes, bytes]
    body: bytes
    peer: Peer = ("127.0.0.1", 1)

    async def read_body(self, at_most: int) -> bytes:
        assert len(self.body) <= at_most
        return self.body

    def is_gone(self) -> bool:
        return False


async def respond(dispatch: Dispatch, request: ParsedRequest) -> Response:
    """A whole call through dispatch, with what follows once its response is sent. Only this calls dispatch here."""
    response = await dispatch.respond(request)
    assert response is not None
    response.when_sent()
    return response


class Parser:
    """Reads requests as the server's parser does: httptools, with what it finds gathered."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._url = self._body = b""
        self._headers: list[Header] = []

    def on_message_begin(self) -> None:
        self._url = self._body = b""
        self._headers = []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self._body += body

    def parse(self, request: bytes) -> ParsedRequest:
        self._parser.feed_data(request)
        url = httptools.parse_url(self._url)
        return ParsedRequest(
            self._parser.get_method().decode("ascii"),
            url.path.decode("ascii"),
            url.query or b"",
            self._headers,
            dict(self._headers),
            self._body,
        )


# What the store was asked ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class LookUp:
    """One look-up of a call, and the row that it gave."""

    single: Sql
    batch: Sql
    values: tuple[Any, ...]
    row: Row | None


class RecordingEngine:
    """An engine that writes down its look-ups."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name = engine.name
        self.errors = engine.errors
        self.look_ups: list[LookUp] = []

    async def open(self) -> None:
        await self._engine.open()

    async def close(self) -> None:
        await self._engine.close()

    async def look_up(self, single: Sql, batch: Sql, values: tuple[Any, ...]) -> Row | None:
        row = await self._engine.look_up(single, batch, values)
        self.look_ups.append(LookUp(single, batch, values, row))
        return row

    async def read(self, make: MakeWork[T]) -> T:
        return await self._engine.read(make)

    async def write(self, make: MakeWork[T]) -> T:
        return await self._engine.write(make)


async def look_ups_of(services: Services, requests: list[ParsedRequest]) -> list[LookUp]:
    """The one look-up of each request, in their order."""
    engine = RecordingEngine(services.store.engine)
    dispatch = dispatch_of(replace(services, store=Store(engine, services.vault)))
    for request in requests:
        response = await respond(dispatch, request)
        assert response.status == 200, response
    assert len(engine.look_ups) == len(requests), "a read is one statement"
    return engine.look_ups
