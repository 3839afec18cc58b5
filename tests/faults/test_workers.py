"""Workers that end or hang are replaced, and the log says why; every line of it is JSON, whoever wrote it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import Any, cast

import msgspec
import pytest
import uvicorn
from structlog.testing import capture_logs
from uvicorn.config import STARTUP_FAILURE

from stamkund.server import supervisor
from tests.support.installation import HOST, Installation, ServerProcess
from tests.support.installation_fixtures import running
from tests.support.waiting import until


def lines(server: ServerProcess) -> list[dict[str, Any]]:
    """All lines of the log. Fails for one that is no JSON object with an event, a level and a time."""
    made = [msgspec.json.decode(line) for line in server.log.splitlines()]
    assert all({"event", "level", "at"} <= set(line) for line in made)
    return made


def replaced(server: ServerProcess) -> list[tuple[int, str]]:
    return [(line["process"], line["reason"]) for line in lines(server) if line["event"] == "worker replaced"]


async def test_a_worker_that_ends_is_replaced_with_the_reason(embedded: Installation) -> None:
    async with running(embedded, workers=2) as (server, _):
        killed, other = server.workers()
        os.kill(killed, signal.SIGKILL)
        await until(lambda: replaced(server) == [(killed, "ended by SIGKILL")])
        await until(lambda: [line["event"] for line in lines(server)].count("started") == 3)
        assert len(server.workers()) == 2 and other in server.workers() and killed not in server.workers()
        assert (await server.http.get("/health/ready")).status_code == 200
        assert await server.stop() == 0
        lines(server)


class FakeWorker:
    """A worker that gives no sign of life: it hangs, or ended with an exit status."""

    def __init__(self, exitcode: int | None) -> None:
        self.exitcode = exitcode
        self.pid = 4711
        self.is_killed = False

    def is_alive(self, timeout: float) -> bool:
        return False

    def kill(self) -> None:
        self.is_killed = True

    def join(self) -> None:
        self.exitcode = self.exitcode if self.exitcode is not None else -signal.SIGKILL

    def start(self) -> None: ...


@pytest.mark.parametrize(
    ("exitcode", "reason"),
    [
        (None, "no sign of life for 7 seconds"),
        (-signal.SIGSEGV, "ended by SIGSEGV"),
        (-99, "ended by signal 99"),
        (0, "ended with exit status 0"),
        (1, "ended with exit status 1"),
    ],
)
def test_the_reason_is_what_happened_before_it_was_killed(
    exitcode: int | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "Process", lambda *_: FakeWorker(None))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    watching = supervisor.Supervisor(uvicorn.Config("none", timeout_worker_healthcheck=7, log_config=None), [])
    worker = cast(Any, FakeWorker(exitcode))
    watching.processes = [worker]
    with capture_logs() as logs:
        watching.keep_subprocess_alive()
    assert [(line["event"], line["log_level"], line["reason"]) for line in logs] == [
        ("worker replaced", "error", reason)
    ]
    assert worker.is_killed and watching.processes[0] is not worker and not watching.has_failed


def test_workers_that_can_not_start_are_not_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    watching = supervisor.Supervisor(uvicorn.Config("none", log_config=None), [])
    watching.processes = [cast(Any, FakeWorker(STARTUP_FAILURE))]
    with capture_logs() as logs:
        watching.keep_subprocess_alive()
    assert [line["event"] for line in logs] == ["worker failed to start"]
    assert watching.has_failed and watching.should_exit.is_set()


async def test_what_is_no_request_has_a_line_like_any_other(embedded: Installation) -> None:
    async with running(embedded) as (server, _):
        for sent, status in ((b"garbage\r\n\r\n", 400), (b"GET /" + b"x" * 70_000, 431)):
            reader, writer = await asyncio.open_connection(HOST, server.port)
            writer.write(sent)
            response = await reader.read()
            writer.close()
            head, _, body = response.partition(b"\r\n\r\n")
            assert msgspec.json.decode(body)["code"] in ("bad_request", "headers_too_large")
            request_id = head.partition(b"x-request-id: ")[2].partition(b"\r\n")[0].decode()
            await until(lambda id_=request_id: any(line.get("id") == id_ for line in lines(server)))  # type: ignore[misc]
            [line] = [line for line in lines(server) if line.get("id") == request_id]
            assert (line["event"], line["status"], line["call"], line["client"]) == ("request", status, None, "")
        assert await server.stop() == 0


LIBRARIES = """
import logging, logging.config, threading, warnings
from stamkund import log
logging.config.dictConfig(log.LIBRARIES)
logging.getLogger("uvicorn.error").error("before there are settings")
log.configure("info")
log.take_over()
logging.getLogger("asyncio").error("Task was destroyed\\n%s", "PERSONAL")
logging.getLogger("asyncpg").warning("bad value %s", "PERSONAL")
logging.getLogger("uvicorn.error").error("address in use: %s", "127.0.0.1")
logging.getLogger("uvicorn.error").info("not for us")
warnings.warn("an old call")
try:
    raise ValueError("PERSONAL")
except ValueError:
    logging.getLogger("asyncio").exception("never retrieved")

def fail():
    raise KeyError("PERSONAL")

thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""


def test_what_libraries_log_is_json_without_what_they_worked_on() -> None:
    done = subprocess.run([sys.executable, "-c", LIBRARIES], check=False, capture_output=True, text=True)
    made = [msgspec.json.decode(line) for line in done.stderr.splitlines()]
    assert [(line["event"], line.get("library")) for line in made[:5]] == [
        ("before there are settings", "uvicorn.error"),
        ("Task was destroyed", "asyncio"),
        ("bad value %s", "asyncpg"),
        ("address in use: 127.0.0.1", "uvicorn.error"),
        (made[4]["event"], "py.warnings"),
    ]
    assert "an old call" in made[4]["event"]
    assert [line.get("error") for line in made[5:]] == ["builtins.ValueError", "builtins.KeyError", "builtins.KeyError"]
    assert "PERSONAL" not in done.stderr and done.stdout == ""
