"""Statements for each single sign-on call: session status needs one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.endpoints.sso2.conftest import EMAIL, PASSWORD, SsoSite, site_of
from tests.support.statements import Statements, cost, listened_service

pytestmark = pytest.mark.both_engines


@pytest.fixture
async def counted(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[SsoSite, Statements]]:
    async with listened_service(fresh_url, tmp_path, monkeypatch) as (service, statements):
        site = await site_of(await service.publisher())
        await site.publisher.activated(EMAIL)
        yield site, statements
        await site.connector.http.aclose()


async def _cost(site: SsoSite, statements: Statements, call: str, **claims: Any) -> int:
    return await cost(site.publisher.service, statements, site.connector.call(call, **claims))


async def test_a_question_about_a_session_is_one_statement(counted: tuple[SsoSite, Statements]) -> None:
    site, statements = counted
    visited = await site.logged_in()
    anonymous, app = (await site.identified()).sid, (await site.connector.create_session())["sid"]
    assert await _cost(site, statements, "sessionstatus", sid=visited.sid, lks="loggedin") == 1
    for sid in (anonymous, app, "unknown", ""):
        assert await _cost(site, statements, "sessionstatus", sid=sid, lks="anon") == 1
    assert await _cost(site, statements, "sessionstatus", sid=visited.sid, lks="anon") == 2  # a ticket is made
    await site.connector.log_out(app)
    for sid in ("unknown", app):
        assert await _cost(site, statements, "logout", sid=sid) == 1 if sid == "unknown" else 2
    for call in ("authenticate", "authenticatewithticket"):  # claiming the request, and its response
        assert await _cost(site, statements, call, sid=app, usr=EMAIL, pwd=PASSWORD, at="x") == 3


async def test_a_session_that_is_polled_all_day_is_not_written(counted: tuple[SsoSite, Statements]) -> None:
    site, statements = counted
    visited, clock = await site.logged_in(), site.publisher.service.clock
    with clock.at(clock() + 86_400 - 1):
        for _ in range(3):
            assert await _cost(site, statements, "sessionstatus", sid=visited.sid, lks="loggedin") == 1


async def test_rubbish_costs_nothing_and_an_unknown_client_one_lookup(counted: tuple[SsoSite, Statements]) -> None:
    site, statements = counted
    now, connector = site.publisher.service.clock(), site.connector
    right = connector.token(sid="x")
    connector.secret = "wrong"
    forged = connector.token(sid="x")
    for token, expected in (("x", 0), ("a.b.c", 0), (forged, 1), (right, 1)):
        sending = connector.send("sessionstatus", token)
        assert await cost(site.publisher.service, statements, sending) == expected, now
