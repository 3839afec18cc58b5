"""Whose address a request has: that of the connection, or what a trusted proxy says in `X-Forwarded-For`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from stamkund.rules import identifiers
from stamkund.rules.addresses import IpAddress, address_with_port
from stamkund.server import proxies
from stamkund.server.proxies import address_of
from stamkund.settings import Settings
from stamkund.wire.asgi import AsgiRequest
from stamkund.wire.request import Peer
from tests.support import raw
from tests.support.in_process import application_of, client_of
from tests.support.service import Publisher, RunningService

REPORT = "/external/api/v1/accounts/create_authentication_attempt"
READER = "192.0.2.1"
PROXY = "10.1.2.3"
TRUSTED = "10.1.0.0/16, 198.51.100.9, 2001:db8:a::/48"


def request(peer: Peer | None, *forwarded: str) -> AsgiRequest:
    lines = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    scope = {"method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", b"test"), *lines], "client": peer}
    return AsgiRequest(scope, nothing)


async def nothing() -> dict[str, object]:
    raise AssertionError


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (PROXY, [READER], READER),
        ("198.51.100.9", [READER], READER),
        ("198.51.100.8", [READER], "198.51.100.8"),
        ("10.2.2.3", [READER], "10.2.2.3"),
        (PROXY, [], PROXY),
        (PROXY, [""], PROXY),
        (PROXY, [" , ,"], PROXY),
        (PROXY, [f"203.0.113.7, {READER}"], READER),
        (PROXY, [f"203.0.113.7, {READER}, 10.1.9.9"], READER),
        (PROXY, ["203.0.113.7", READER], READER),
        (PROXY, [READER, "10.1.9.9"], READER),
        (PROXY, ["10.1.9.8, 10.1.9.9"], "10.1.9.8"),
        (PROXY, [f"{READER}:4711"], READER),
        (PROXY, ["2001:db8:b::1"], "2001:db8:b::1"),
        (PROXY, ["[2001:db8:b::1]:4711"], "2001:db8:b::1"),
        ("2001:db8:a::5", [f"2001:db8:b::1, {READER}, 2001:DB8:A:0::7"], READER),
        (PROXY, ["unknown"], PROXY),
        (PROXY, ["_hidden, 203.0.113.7, garbage"], PROXY),
        (PROXY, ["fe80::1%" + "x" * 1_000], PROXY),
        (PROXY, ["x" * 60_000], PROXY),
        (PROXY, ["192.0.2.1\xa0\xff"], PROXY),
        (PROXY, ["[", "]"], PROXY),
        (PROXY, ["2001:DB8:B:0:0::1"], "2001:db8:b::1"),
        (PROXY, ["::ffff:192.0.2.1"], READER),
        ("::ffff:10.1.2.3", [READER], READER),
        (PROXY, ["192.0.2.1 "], READER),
        (PROXY, ["192.0.2.01"], PROXY),
        (PROXY, ["\x1b[2J192.0.2.1"], PROXY),
        (PROXY, ["192.0.2.1\u0085"], PROXY),
        (PROXY, [f"{READER}, x"], PROXY),
        (PROXY, [",".join(f"10.1.{n // 256}.{n % 256}" for n in range(6_000))], "10.1.23.96"),
        (PROXY, [READER + ",10.1.9.9" * 6_000], "10.1.9.9"),
    ],
)
def test_only_a_trusted_proxy_is_believed(peer: str, forwarded: list[str], address: str) -> None:
    find = address_of(Settings(trusted_proxies=TRUSTED))
    assert find(request((peer, 4711), *forwarded)) == address


def test_only_the_last_of_many_addresses_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor can put thousands before them, and each takes its time to be read."""
    parsed: list[str] = []

    def parse(text: str) -> IpAddress | None:
        parsed.append(text)
        return address_with_port(text)

    monkeypatch.setattr(proxies, "address_with_port", parse)
    find = address_of(Settings(trusted_proxies=TRUSTED))
    find(request((PROXY, 4711), ",".join(f"10.1.{n // 256}.{n % 256}" for n in range(6_000))))
    assert len(parsed) <= 17


@pytest.mark.parametrize("text", ["proxy.example.com", "10.0.0.0/33", "10.0.0.1,,10.0.0.2", "10.0.0.1;10.0.0.2"])
def test_a_setting_that_names_no_address_is_refused(text: str) -> None:
    """It must not silently trust nobody."""
    with pytest.raises(ValueError, match="trusted_proxies"):
        address_of(Settings(trusted_proxies=text))


def test_a_network_may_be_written_by_any_of_its_addresses_and_a_star_is_all() -> None:
    assert address_of(Settings(trusted_proxies="10.1.2.3/16"))(request(("10.1.9.9", 1), READER)) == READER
    for peer in ("192.0.2.77", "2001:db8::1"):
        assert address_of(Settings(trusted_proxies="*"))(request((peer, 1), READER)) == READER


def test_no_proxy_is_believed_unless_the_settings_say_so() -> None:
    assert address_of(Settings())(request((PROXY, 4711), READER)) == PROXY


def test_a_connection_without_an_address_has_none() -> None:
    """One through a Unix socket."""
    for settings in (Settings(), Settings(trusted_proxies=TRUSTED)):
        assert address_of(settings)(request(None, READER)) is None


@pytest.fixture
async def behind_a_proxy(fresh_url: str, tmp_path: Path) -> AsyncIterator[RunningService]:
    async with RunningService(fresh_url, tmp_path / "stamkund.key", trusted_proxies="127.0.0.0/8") as service:
        yield service


async def address_of_attempt(publisher: Publisher) -> str | None:
    """Of the latest."""
    service = publisher.service
    login = await service.store.logins.find(publisher.id, identifiers.email("ove.ovesson@example.com"))
    assert login is not None
    return (await service.store.login_attempts.latest(publisher.id, login.id))[0].address


async def report(publisher: Publisher, http: httpx.AsyncClient, *forwarded: str) -> str | None:
    headers = [*(await publisher.headers()).items(), *(("x-forwarded-for", value) for value in forwarded)]
    body = {"email": "ove.ovesson@example.com", "login_successful": True, "user_agent": "Tests/1", "persist": False}
    response = await http.post(REPORT, json=body, headers=headers)
    assert response.status_code == 200, response.text
    return await address_of_attempt(publisher)


async def test_an_attempt_has_the_address_of_the_reader(behind_a_proxy: RunningService) -> None:
    """By our own connections, and by ASGI."""
    publisher = await behind_a_proxy.publisher()
    await publisher.activated()
    async with (
        application_of(behind_a_proxy.settings, behind_a_proxy.clock) as application,
        client_of(application, behind_a_proxy.url) as by_asgi,
    ):
        for http in (behind_a_proxy.http, by_asgi):
            assert await report(publisher, http, f"203.0.113.7, {READER}") == READER
            assert await report(publisher, http, "203.0.113.7", READER, "127.0.0.9") == READER
            assert await report(publisher, http, "garbage") == "127.0.0.1"
            assert await report(publisher, http) == "127.0.0.1"


async def test_a_trailer_says_nothing_about_the_address(behind_a_proxy: RunningService) -> None:
    """A proxy appends to the header, and may pass on what comes after the body."""
    publisher = await behind_a_proxy.publisher()
    await publisher.activated()
    token = (await publisher.headers())["authorization"]
    body = b'{"email": "ove.ovesson@example.com", "login_successful": true, "user_agent": "x", "persist": false}'
    head = f"POST {REPORT} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: {token}\r\n"
    head += f"Content-Type: application/json\r\nX-Forwarded-For: {READER}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"%x\r\n%b\r\n0\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n" % (len(body), body)
    assert (await raw.send(behind_a_proxy, head.encode() + chunks)).status == 200
    assert await address_of_attempt(publisher) == READER


async def test_without_the_setting_an_attempt_has_the_address_of_the_connection(publisher: Publisher) -> None:
    await publisher.activated()
    assert await report(publisher, publisher.service.http, READER) == "127.0.0.1"
