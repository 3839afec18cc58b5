"""Start: how soon the first response comes, and how much memory a worker keeps for itself."""

from __future__ import annotations

import http.client
import time
from pathlib import Path
from statistics import median

import psutil
from tests.support.postgres_server import PostgresServer

from bench import processes
from bench.ours import Installation, installed, rate
from bench.report import Line, Report

MIB = 2**20


def run(report: Report, folder: Path, postgres: PostgresServer) -> None:
    for engine, url in (
        ("sqlite", f"sqlite:///{folder / 'start.db'}"),
        ("postgres", postgres.create_database("start")),
    ):
        installation = installed(url, folder, 10_000)
        seconds = median(_seconds_to_first_response(installation) for _ in range(5))
        report.add(Line(f"seconds from start to first response, {engine}", seconds, 1.0, most=True))
        with installation.server() as server:
            rate(server, installation.account_requests(20_000), 5.0, awake=False)
            private = max(_private(process) for process in _family(server.pid)) / MIB
        report.add(Line(f"MiB of private memory of a worker after load, {engine}", private, 100, most=True))


def _seconds_to_first_response(installation: Installation) -> float:
    started = time.perf_counter()
    with installation.server() as server:
        connection = http.client.HTTPConnection(processes.HOST, server.port, timeout=5)
        connection.request("GET", "/health/ready")
        assert connection.getresponse().status == 200
        return time.perf_counter() - started


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _private(process: psutil.Process) -> int:
    return int(process.memory_full_info().uss)
