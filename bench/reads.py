"""Reads: GET /accounts and GET /me against a bare function on the same server, and against others doing the same work.

Runs alternate (bare, ours, bare, ours …) and the medians are compared, because a shared machine drifts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from tests.support.postgres_server import PostgresServer

from bench import load, processes
from bench.beside import SECONDS, against_bare, alternating, line, rates
from bench.ours import Installation, installed, rate
from bench.peers import measure as peers
from bench.peers.common import client_token
from bench.peers.seed import seed as seed_peers
from bench.report import Line, Report

ACCOUNTS = 10_000
GOALS = {"sqlite": 0.5, "postgres": 0.35}


def run(report: Report, folder: Path, postgres: PostgresServer) -> None:
    for engine, url in (
        ("sqlite", f"sqlite:///{folder / 'reads.db'}"),
        ("postgres", postgres.create_database("reads")),
    ):
        installation = installed(url, folder, ACCOUNTS)
        _against_bare(report, engine, installation)
        _two_workers(report, engine, installation)
    _against_peers(report, folder, postgres)


def _against_bare(report: Report, engine: str, installation: Installation) -> None:
    with installation.server() as ours:
        for name, requests in (
            ("GET /accounts", installation.account_requests()),
            ("GET /me", installation.me_requests()),
        ):
            what = f"{name}, {engine}, 1 worker, of bare"
            against_bare(report, what, ours, requests, [load.request("/")], engine, GOALS[engine])


def _two_workers(report: Report, engine: str, installation: Installation) -> None:
    """Per core: requests for each second of the servers' CPU, because client and workers share the cores."""
    requests = installation.account_requests()
    with installation.server(1) as one, installation.server(2) as two:
        pairs = alternating(
            lambda: rate(one, requests, SECONDS, awake=False), lambda: rate(two, requests, SECONDS, awake=False)
        )
    ratio = median(a.server_cpu_us for a, _ in pairs) / median(b.server_cpu_us for _, b in pairs)
    report.add(
        Line(f"2 workers per second of CPU, {engine}, of 1 worker", ratio, 1.0, rates("1 worker", "2 workers", pairs))
    )


def _against_peers(report: Report, folder: Path, postgres: PostgresServer) -> None:
    url = postgres.create_database("peers")
    seed_peers(url, ACCOUNTS)
    peer_requests = peers.account_requests(ACCOUNTS, client_token())
    for engine, ours_url in (
        ("sqlite", f"sqlite:///{folder / 'beside.db'}"),
        ("postgres", postgres.create_database("beside")),
    ):
        installation = installed(ours_url, folder, ACCOUNTS)
        for peer, goal in (("fastapi_orm", 40.0), ("fastapi_asyncpg", 3.0)):
            with installation.server() as ours, _peer(peer, url) as theirs:
                pairs = alternating(
                    partial(rate, theirs, peer_requests, SECONDS, awake=False),
                    partial(rate, ours, installation.account_requests(), SECONDS, awake=False),
                    rounds=3,
                )
            report.add(line(f"GET /accounts on {engine}, times {peer} on postgres", pairs, goal))


@contextmanager
def _peer(name: str, url: str) -> Iterator[processes.Server]:
    port = processes.free_port()
    with processes.Server(
        peers.uvicorn_command(f"bench.peers.{name}:app", port), port, {"DATABASE_URL": url}
    ) as server:
        yield server
