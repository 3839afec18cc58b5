"""The profile times what a call really does: its stages, one after the other, give the response of dispatch."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from bench.accounts import ORGANISATION
from bench.ours import Installation, installed
from bench.profile import calls, connections, in_process, timing
from bench.profile.in_process import Parser
from bench.site_calls import prepare_site

from bench import profile
from stamkund import log
from stamkund.wire.response import Response

SAME_BODY = {"GET /accounts", "GET /me", "GET /me/active_products"}
SAME_KEYS = {"POST /sessionstatus", "POST /oauth2/introspect"}
"""Whose responses are about the client, of which the profile's own stages know less."""


Prepared = tuple[Installation, list[str]]


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    """An installation, and the sids of its sessions."""
    installation = installed(f"sqlite:///{tmp_path / 'bench.db'}", tmp_path, 1_000, tokens=20)
    return installation, prepare_site(installation)


async def test_the_stages_of_a_call_are_what_the_call_does(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "REQUESTS", 20)
    monkeypatch.setattr(log, "configure", lambda *_: None)
    installation, sids = prepared
    seen = set()
    async with in_process.opened_services(installation) as services:
        loaded = await services.store.catalogues.current(ORGANISATION)
        assert loaded is not None
        for call in calls.profiled_calls(installation, services, sids, loaded.catalogue):
            inputs = await profile.inputs_of(services, call)
            for rendered, response in zip(inputs.rendered, inputs.responses, strict=True):
                ours, theirs = msgspec.json.decode(msgspec.json.encode(rendered)), msgspec.json.decode(response.body)
                assert response.status == 200
                assert ours == theirs if call.name in SAME_BODY else ours.keys() == theirs.keys()
            seen.add(call.name)
    assert seen == SAME_BODY | SAME_KEYS


async def test_the_server_is_timed_from_socket_to_socket() -> None:
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    ready = connections.Ready(Response(200, b"hello", b"text/plain", request_id="1"))
    assert await connections.served(ready, [request] * 100) > 0


def test_the_parser_reads_what_the_load_generator_sends() -> None:
    parser = Parser()
    raw = b"POST /a/b?c=%20 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    for _ in range(2):
        request = parser.parse(raw)
        assert (request.method, request.path, request.query, request.body) == ("POST", "/a/b", b"c=%20", b"abc")
        assert request.headers == {b"host": b"x", b"content-length": b"3"}


async def test_every_input_is_used_the_same_number_of_times() -> None:
    used: list[int] = []

    async def step(number: int) -> None:
        used.append(number)

    timing.warm(used.append, range(100))
    await timing.warm_async(step, range(100))
    assert {used.count(number) for number in range(100)} == {2 * timing.ROUNDS}
