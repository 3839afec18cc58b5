"""Scale: the rate with a million accounts beside the rate with ten thousand."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from tests.support.postgres_server import PostgresServer

from bench.ours import installed, rate
from bench.report import Line, Report

SMALL, LARGE = 10_000, 1_000_000
ROUNDS = 3
SECONDS = 3.0
KEYS = 20_000


def run(report: Report, folder: Path, postgres: PostgresServer) -> None:
    for engine in ("sqlite", "postgres"):
        awake = engine == "sqlite"
        urls = [
            f"sqlite:///{folder / f'{n}.db'}" if engine == "sqlite" else postgres.create_database(f"scale_{n}")
            for n in (SMALL, LARGE)
        ]
        small, large = (installed(url, folder, n) for url, n in zip(urls, (SMALL, LARGE), strict=True))
        with small.server() as few, large.server() as many:
            pairs = [
                (
                    rate(few, small.account_requests(KEYS), SECONDS, awake=awake),
                    rate(many, large.account_requests(KEYS), SECONDS, awake=awake),
                )
                for _ in range(ROUNDS)
            ]
        few_rate, many_rate = (median(p[i].per_second for p in pairs) for i in (0, 1))
        report.add(
            Line(
                f"GET /accounts, {engine}, a million accounts, of ten thousand",
                many_rate / few_rate,
                0.9,
                f"{few_rate:,.0f}/s; {many_rate:,.0f}/s",
            )
        )
