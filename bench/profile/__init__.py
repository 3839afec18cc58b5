"""Where the microseconds of a read go: `make bench ARGS=profile`. Not part of the default run.

Each stage is timed by itself on the real functions, in this process, in loops over many different requests:

- parser: httptools reads the request;
- protocol: what the server does beside parser and write, taken by subtraction;
- dispatch: the whole call without the four stages that follow, taken by subtraction;
- statement: the look-up in the database, `AT_ONCE` in a turn of the event loop, as under load;
- decode: the account's document; for `/sessionstatus` the token read and verified, for introspection the form;
- render: the response as a struct; for `/sessionstatus` a token signed;
- encode: that struct as JSON;
- write: head and body to a socket in one write;
- in all: from bytes in a socket to bytes in a socket, all stages at once, measured and not added up.

All are CPU of this process; what PostgreSQL itself uses is not in it. "Cold": before each one, as much other memory was
read as the first two levels of caches hold.
"""

from __future__ import annotations

import gc
from dataclasses import astuple, dataclass
from pathlib import Path

import msgspec
import uvloop
from tests.support.postgres_server import PostgresServer

from bench.accounts import ORGANISATION
from bench.ours import Installation, installed
from bench.profile import calls, connections, timing
from bench.profile.calls import ProfiledCall
from bench.profile.in_process import LookUp, ParsedRequest, Parser, dispatch_of, look_ups_of, opened_services, respond
from bench.report import Report
from bench.site_calls import prepare_site
from stamkund.wire.response import Response
from stamkund.wire.services import Services

ACCOUNTS = 10_000
REQUESTS = 1_000

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Stages:
    """Microseconds; None where it is not measured. `call`: the whole call, `server`: all that is not the call."""

    parser: float
    server: float | None
    call: float
    statement: float
    decode: float
    render: float
    encode: float
    write: float | None
    in_all: float | None

    @property
    def row(self) -> list[float | None]:
        """In the order in which a request passes them."""
        own = self.statement + self.decode + self.render + self.encode
        protocol = None if self.server is None or self.write is None else self.server - self.parser - self.write
        return [self.parser, protocol, self.call - own, *astuple(self)[3:]]


def run(report: Report, folder: Path, postgres: PostgresServer) -> None:
    for engine, url in (
        ("sqlite", f"sqlite:///{folder / 'profile.db'}"),
        ("postgres", postgres.create_database("profile")),
    ):
        installation = installed(url, folder, ACCOUNTS)
        sids = prepare_site(installation)
        print(f"\n{engine}, microseconds of CPU for a request\n\n{_HEAD}", flush=True)
        uvloop.run(_profile(engine, installation, sids))


async def _profile(engine: str, installation: Installation, sids: list[str]) -> None:
    async with opened_services(installation) as services:
        loaded = await services.store.catalogues.current(ORGANISATION)
        assert loaded is not None
        gc.collect()
        gc.freeze()  # as a server does once it has started
        for call in calls.profiled_calls(installation, services, sids, loaded.catalogue):
            inputs = await inputs_of(services, call)
            print(_line(call.name, await _warm(services, call, inputs)), flush=True)
            if engine == "sqlite":  # it never waits; of what does, the time is not the CPU's
                print(_line(f"{call.name}, cold", await _cold(services, call, inputs)), flush=True)
        gc.unfreeze()


@dataclass(frozen=True)
class Inputs:
    """What each stage gets, for each request."""

    raw: list[bytes]
    requests: list[ParsedRequest]
    look_ups: list[LookUp]
    undecoded: list[object]
    decoded: list[object]
    rendered: list[object]
    responses: list[Response]


async def inputs_of(services: Services, call: ProfiledCall) -> Inputs:
    """All of them, made by the stages themselves; the responses by dispatch."""
    raw = call.requests[:REQUESTS]
    requests = [Parser().parse(request) for request in raw]
    look_ups = await look_ups_of(services, requests)
    undecoded = [call.input(request, look_up) for request, look_up in zip(requests, look_ups, strict=True)]
    decoded = [call.decode(one) for one in undecoded]
    rendered = [call.render(one) for one in decoded]
    dispatch = dispatch_of(services)
    responses = [await respond(dispatch, request) for request in requests]
    return Inputs(raw, requests, look_ups, undecoded, decoded, rendered, responses)


async def _warm(services: Services, call: ProfiledCall, inputs: Inputs) -> Stages:
    parser, dispatch, look_up = Parser(), dispatch_of(services), services.store.engine.look_up
    return Stages(
        parser=timing.warm(parser.parse, inputs.raw),
        server=await connections.served(connections.Ready(inputs.responses[0]), inputs.raw),
        call=await timing.warm_async(lambda request: respond(dispatch, request), inputs.requests),
        statement=await timing.warm_async(lambda one: look_up(one.single, one.batch, one.values), inputs.look_ups),
        decode=timing.warm(call.decode, inputs.undecoded),
        render=timing.warm(call.render, inputs.decoded),
        encode=timing.warm(_encode, inputs.rendered),
        write=connections.written(inputs.responses),
        in_all=await connections.served(dispatch, inputs.raw),
    )


async def _cold(services: Services, call: ProfiledCall, inputs: Inputs) -> Stages:
    parser, dispatch, look_up = Parser(), dispatch_of(services), services.store.engine.look_up
    return Stages(
        parser=timing.cold(parser.parse, inputs.raw),
        server=None,
        call=await timing.cold_async(lambda request: respond(dispatch, request), inputs.requests),
        statement=await timing.cold_async(lambda one: look_up(one.single, one.batch, one.values), inputs.look_ups),
        decode=timing.cold(call.decode, inputs.undecoded),
        render=timing.cold(call.render, inputs.decoded),
        encode=timing.cold(_encode, inputs.rendered),
        write=None,
        in_all=None,
    )


_COLUMNS = ("parser", "protocol", "dispatch", "statement", "decode", "render", "encode", "write", "in all")
_HEAD = f"| call | {' | '.join(_COLUMNS)} |\n|---|{'---:|' * len(_COLUMNS)}"


def _line(name: str, stages: Stages) -> str:
    return f"| {name} | {' | '.join('–' if one is None else f'{one:.1f}' for one in stages.row)} |"
