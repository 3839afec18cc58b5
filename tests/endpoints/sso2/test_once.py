"""A login's request works once: at once it gets the first response again, later it is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from stamkund.rules import identifiers
from tests.endpoints.sso2.conftest import EMAIL, PASSWORD, SsoSite, site_of
from tests.support.connector import AGENT
from tests.support.rows import rows
from tests.support.service import RunningService

pytestmark = pytest.mark.both_engines


def login_token(site: SsoSite, sid: str, **claims: Any) -> str:
    sent = {"sid": sid, "usr": EMAIL, "pwd": PASSWORD, "ipa": "192.0.2.7", "uas": AGENT, **claims}
    return site.connector.token(**sent)


async def sent(site: SsoSite, token: str, call: str = "authenticate") -> httpx.Response:
    return await site.connector.send(call, token)


async def attempts(site: SsoSite) -> int:
    service = site.publisher.service
    login = await service.store.logins.find(site.publisher.id, identifiers.email(EMAIL))
    assert login is not None
    return len(await service.store.login_attempts.latest(site.publisher.id, login.id))


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
async def test_a_double_click_gets_the_first_response(site: SsoSite, reader: str, password: str) -> None:
    clock, token = site.publisher.service.clock, login_token(site, (await site.identified()).sid, pwd=password)
    responses = await asyncio.gather(*(sent(site, token) for _ in range(4)))
    with clock.at(clock() + 3):
        responses.append(await sent(site, token))
    assert [response.status_code for response in responses] == [200] * 5
    assert len({response.text for response in responses}) == 1
    assert await attempts(site) == 1


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
async def test_a_repetition_is_refused_and_counts_for_nothing(site: SsoSite, reader: str, password: str) -> None:
    clock, token = site.publisher.service.clock, login_token(site, (await site.identified()).sid, pwd=password)
    assert (await sent(site, token)).status_code == 200
    with clock.at(clock() + 4):
        for _ in range(10):
            response = await sent(site, token)
            assert (response.status_code, response.json()["code"]) == (401, "invalid_token")
    assert await attempts(site) == 1


async def test_so_is_a_tickets(site: SsoSite, reader: str) -> None:
    ticket = await site.ticket((await site.logged_in()).sid)
    clock = site.publisher.service.clock
    token = site.connector.token(sid=(await site.identified()).sid, at=ticket, uas=AGENT)
    first, second = [await sent(site, token, "authenticatewithticket") for _ in range(2)]
    assert first.text == second.text and site.connector.read(first.json()["t"])["sts"] == "loggedin"
    with clock.at(clock() + 4):
        assert (await sent(site, token, "authenticatewithticket")).status_code == 401


async def test_a_request_that_was_turned_away_may_come_again(fresh_url: str, tmp_path: Path) -> None:
    async with RunningService(fresh_url, tmp_path / "a.key", limit_per_identifier=1) as service:
        site = await site_of(await service.publisher())
        await site.publisher.activated(EMAIL)
        sid = (await site.identified()).sid
        assert (await sent(site, login_token(site, sid, pwd="wrong"))).status_code == 200
        token = login_token(site, sid)
        assert (await sent(site, token)).status_code == 429
        with service.clock.at(service.clock() + 60):
            assert (await sent(site, token)).status_code == 200
        await site.connector.http.aclose()


async def test_identifying_may_be_repeated(site: SsoSite, reader: str) -> None:
    address = site.connector.identify("", "https://herald.example/")
    http = site.publisher.service.http
    assert [(await http.get(address)).status_code for _ in range(3)] == [302] * 3


async def test_the_response_is_sealed_and_forgotten(site: SsoSite, reader: str) -> None:
    service = site.publisher.service
    token = login_token(site, (await site.identified()).sid)
    response = (await sent(site, token)).json()["t"]
    url, mine = service.settings.database_url, f"organisation = '{site.publisher.id}'"
    [(stored,)] = await rows(url, f"SELECT response FROM sso_logins WHERE {mine}")
    assert response not in stored and response.split(".")[1] not in stored
    assert await service.store.sso_logins.remove_expired(service.clock() + 10 + 120) == 0
    assert await service.store.sso_logins.remove_expired(service.clock() + 10 + 121) >= 1
    assert await rows(url, f"SELECT 1 FROM sso_logins WHERE {mine}") == []
