"""Statements for each single sign-on call: session status needs one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.endpoints.sso2.conftest import EMAIL, PASSWORD, SsoSite, site_of
from tests.support.service import RunningService
from tests.support.statements import Statements, listened

pytestmark = pytest.mark.both_engines


@pytest.fixture
async def counted(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[SsoSite, Statements]]:
    """A site at an application of its own, whose statements are listened to."""
    statements = listened(monkeypatch)
    # Without limits, or their counts would be shared somewhere in between.
    async with RunningService(fresh_url, tmp_path / "a.key", limit_per_client=0, limit_per_identifier=0) as service:
        site = await site_of(await service.publisher())
        await site.publisher.activated(EMAIL)
        yield site, statements
        await site.connector.http.aclose()


async def cost(site: SsoSite, statements: Statements, call: str, **claims: Any) -> int:
    http = site.publisher.service.http
    await http.get("/health/live")  # earlier statements have been counted by now
    statements.take()
    await site.connector.call(call, **claims)
    await http.get("/health/live")
    return len(statements.take())


async def test_a_question_about_a_session_is_one_statement(counted: tuple[SsoSite, Statements]) -> None:
    site, statements = counted
    visited = await site.logged_in()
    anonymous, app = (await site.identified()).sid, (await site.connector.create_session())["sid"]
    assert await cost(site, statements, "sessionstatus", sid=visited.sid, lks="loggedin") == 1
    for sid in (anonymous, app, "unknown", ""):
        assert await cost(site, statements, "sessionstatus", sid=sid, lks="anon") == 1
    assert await cost(site, statements, "sessionstatus", sid=visited.sid, lks="anon") == 2  # a ticket is made
    for call in ("authenticate", "authenticatewithticket", "logout"):
        assert await cost(site, statements, call, sid="unknown", usr=EMAIL, pwd=PASSWORD, at="x") == 1


async def test_a_session_that_is_polled_all_day_is_not_written(counted: tuple[SsoSite, Statements]) -> None:
    site, statements = counted
    visited, clock = await site.logged_in(), site.publisher.service.clock
    with clock.at(clock() + 86_400 - 1):
        for _ in range(3):
            assert await cost(site, statements, "sessionstatus", sid=visited.sid, lks="loggedin") == 1


async def test_rubbish_costs_nothing_and_an_unknown_client_one_lookup(counted: tuple[SsoSite, Statements]) -> None:
    site, statements = counted
    now, connector = site.publisher.service.clock(), site.connector
    right = connector.token(sid="x")
    connector.secret = "wrong"
    forged = connector.token(sid="x")
    for token, expected in (("x", 0), ("a.b.c", 0), (forged, 1), (right, 1)):
        await site.publisher.service.http.get("/health/live")
        statements.take()
        await connector.send("sessionstatus", token)
        await site.publisher.service.http.get("/health/live")
        assert len(statements.take()) == expected, now
