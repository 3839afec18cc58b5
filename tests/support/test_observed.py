"""The record of responses that the whole suite is held to: nothing that a test sees goes by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stamkund.clock import system_clock
from stamkund.endpoints import declared_endpoints
from stamkund.reference.openapi import document
from stamkund.settings import Settings
from tests.support import observed, raw
from tests.support.in_process import application_of, client_of
from tests.support.service import RunningService

DOCUMENT = document(declared_endpoints())


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[observed.Observation, str]:
    """What this test alone sees; the suite's own record is left alone."""
    own: dict[observed.Observation, str] = {}
    monkeypatch.setattr(observed, "responses", own)
    return own


async def test_a_real_server_is_recorded(service: RunningService, seen: dict[observed.Observation, str]) -> None:
    await service.http.get("/external/api/v1/me/")
    await raw.send(service, raw.get(b"/login/index?oid=nowhere"))
    await service.http.get("/no/such/path")
    await service.http.delete("/external/api/v1/me")
    # Requests of earlier tests may still be handled by the server, which they share.
    assert set(seen) >= {("GET", "/external/api/v1/me", 401), ("GET", "/login/index", 400)}
    assert not [status for _, _, status in seen if status in (404, 405)]
    assert "test_a_real_server_is_recorded" in seen["GET", "/login/index", 400]


async def test_an_application_in_process_is_recorded(tmp_path: Path, seen: dict[observed.Observation, str]) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'a.db'}", key_file=str(tmp_path / "a.key"))
    async with application_of(settings, system_clock) as application, client_of(application, "http://test") as http:
        await http.get("/health/live")
    assert set(seen) == {("GET", "/health/live", 200)}


def test_the_log_of_a_server_process_is_recorded(seen: dict[observed.Observation, str]) -> None:
    observed.record_log(
        '{"id":"1","client":"","call":"POST /login","status":418,"ms":1.0,"event":"request","level":"info"}\n'
        '{"id":"2","client":"","call":null,"status":404,"ms":1.0,"event":"request","level":"info"}\n'
        '{"event":"started"}\nnot JSON "event":"request"\n{"id":"3","event":"request","sta'
    )
    assert set(seen) == {("POST", "/login", 418)}


def test_a_status_that_is_not_documented_is_named_with_its_test() -> None:
    responses: dict[observed.Observation, str] = {("GET", "/health/live", 200): "a", ("GET", "/health/live", 418): "b"}
    [line] = observed.undocumented(DOCUMENT, responses)
    assert line == "GET /health/live responded with 418, which openapi.json does not list; first seen in b"
