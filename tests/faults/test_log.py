"""The log of a real server: refusals have a line, and times are those of UTC."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.support.installation import ACCOUNTS, ME, ORGANISATION, Caller, Installation, ServerProcess
from tests.support.installation_fixtures import running
from tests.support.waiting import until


def lines(server: ServerProcess) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in server.log.splitlines() if line.startswith("{")]


def requests(server: ServerProcess, path: str) -> list[tuple[int, str]]:
    """Status and client of the requests for a path."""
    return [(one["status"], one["client"]) for one in lines(server) if one.get("call") == f"GET {path}"]


async def test_a_call_that_is_refused_has_a_line_with_its_client(embedded: Installation) -> None:
    """Without token, with an unknown one, with one that lacks the identity, and with one that lacks the scope."""
    async with running(embedded) as (server, caller):
        client = await asyncio.to_thread(embedded.new_client, ORGANISATION, "/external/title/r")
        weak = await Caller(server, client)()
        statuses = [
            (await server.http.get(ME)).status_code,
            (await caller.get(ME, token="unknown")).status_code,
            (await caller.get(ME)).status_code,
            (await weak.get(ACCOUNTS, email="ove@example.com")).status_code,
        ]
        assert statuses == [401, 401, 403, 403]
        await until(lambda: len(requests(server, ME)) + len(requests(server, ACCOUNTS)) == 4)
        assert requests(server, ME) == [(401, ""), (401, ""), (403, caller.client.id)]
        assert requests(server, ACCOUNTS) == [(403, weak.client.id)]


async def test_times_are_those_of_utc_wherever_the_machine_is(
    embedded: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of requests, of logins and of what the server itself does; in the audit they are seconds since 1970."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    begun = datetime.now(UTC) - timedelta(seconds=1)  # requests are written down by the second
    async with running(embedded) as (server, caller):
        await caller.login("nobody@example.com")
        assert await server.stop() == 0
        written = lines(server)
    assert {"started", "request", "login attempt", "stopped"} <= {line["event"] for line in written}
    for line in written:
        at = datetime.fromisoformat(line["at"])
        assert at.utcoffset() == timedelta(0) and begun <= at <= datetime.now(UTC), line
