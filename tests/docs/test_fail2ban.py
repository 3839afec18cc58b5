"""The documented filter for fail2ban finds the addresses in what a server really writes."""

from __future__ import annotations

import re
from configparser import RawConfigParser
from pathlib import Path

import pytest

from tests.endpoints.sso2.conftest import EMAIL
from tests.support.browser import Browser
from tests.support.installation import HOST, ORGANISATION, PASSWORD, Installation, ServerProcess
from tests.support.waiting import until

FILTER = Path(__file__).parents[2] / "docs" / "examples" / "fail2ban" / "filter.conf"
ADDRESS = "(?P<address>[0-9A-Fa-f:.]+)"
"""What fail2ban puts in the place of `<ADDR>`, but for the rules about what an address is."""


def pattern() -> re.Pattern[str]:
    parser = RawConfigParser()
    parser.read(FILTER)
    return re.compile(parser["Definition"]["failregex"].replace("<ADDR>", ADDRESS))


def test_only_refused_attempts_of_known_addresses_match() -> None:
    line = '{"outcome":"%s","address":%s,"channel":"login_page","client":"login_page","event":"%s","level":"info"}'
    compiled = pattern()
    for outcome in ("failed", "frozen", "limited"):
        match = compiled.match(line % (outcome, '"2001:db8::1"', "login attempt"))
        assert match is not None and match["address"] == "2001:db8::1"
    for fields in (
        ("succeeded", '"192.0.2.7"', "login attempt"),
        ("failed", "null", "login attempt"),
        ("failed", '"192.0.2.7"', "request"),
    ):
        assert compiled.match(line % fields) is None
    forged = r'{"id":"{\"outcome\":\"failed\",\"address\":\"192.0.2.7\",\"event\":\"login attempt\"","event":"request"}'
    assert compiled.match(forged) is None


@pytest.mark.both_engines
@pytest.mark.parametrize("workers", [1, 2])
async def test_a_server_behind_a_proxy_logs_the_visitors_address(installation: Installation, workers: int) -> None:
    """And refuses an address with too many failures, in whichever process they were."""
    client = installation.client
    assert client is not None
    limits = {"trusted_proxies": HOST, "failed_logins_per_address": 6}
    async with ServerProcess(installation, workers=workers, **limits) as server, Browser(server.url) as browser:
        visitor = {"x-forwarded-for": "203.0.113.9"}
        page = await browser.get("/login", oid=ORGANISATION)
        form = page.forms[0]

        async def attempt(number: int, address: str = "203.0.113.9") -> int:
            fields = {**form.fields, "email": f"reader{number}@example.com", "password": PASSWORD}
            headers = {"x-forwarded-for": address, "connection": "close"}
            return (await browser.post(form.action, fields, headers)).status

        for number in range(6):
            assert await attempt(number) == 403

        async def is_limited() -> bool:
            return {await attempt(99) for _ in range(6)} == {429}

        await until(is_limited)
        assert await attempt(7, "203.0.113.10") == 403, "another visitor"
        grant = {"grant_type": "password", "client_id": client.id, "client_secret": client.secret}
        wrong = {**grant, "username": EMAIL, "password": "wrong"}
        response = await server.http.post("/api/authorization/access_token", data=wrong, headers=visitor)
        assert response.status_code == 400, "a site's server, with many visitors, is never refused"
        await server.stop()
        lines = server.log.splitlines()
    addresses = [match["address"] for line in lines if (match := pattern().match(line)) is not None]
    assert addresses[:6] == ["203.0.113.9"] * 6
    assert set(addresses) == {"203.0.113.9", "203.0.113.10"}
    assert "reader1@example.com" not in server.log
