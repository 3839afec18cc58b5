"""Growth: the rates of reads with more accounts, and with more user products on each, beside ten thousand with two.

All installations of an engine are up at once. A round measures each of them in turn; the medians of the rounds are
compared. Requests go to 10,000 different accounts, and each is read once before anything is counted: so what is
measured is a newspaper whose active readers' accounts are in some cache, among many more that are not read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.support.postgres_server import PostgresServer

from bench import load, processes
from bench.accounts import USER_PRODUCTS
from bench.ours import Installation, installed, rate
from bench.report import BASE_SIZE, Line, Report
from bench.results import Cell
from bench.seed import KEYS
from bench.site_calls import active_products_requests, prepare_site

ROUNDS = 3
SECONDS = 2.0
GOAL = 0.9
ENGINES = ("sqlite", "postgres")
BYTES_OF_AN_ACCOUNT = {"sqlite": 2_400, "postgres": 2_900}
"""On the disk, with its identifiers and two user products; measured, and rounded up."""
BYTES_BESIDE = 12 << 30
"""Space for the installations with many user products, and for PostgreSQL's log of what was written."""


@dataclass(frozen=True)
class Size:
    """How much an installation holds."""

    accounts: int
    user_products: int = USER_PRODUCTS


BASE = Size(*BASE_SIZE)
MILLION, FIVE_MILLION = Size(1_000_000), Size(5_000_000)
SIZES = (BASE, Size(10_000, 1), Size(10_000, 20), Size(10_000, 200), Size(100_000), MILLION, FIVE_MILLION)
NAMES = {MILLION: "a million", FIVE_MILLION: "five million"}
"""The sizes whose rates have a goal."""


def run(report: Report, folder: Path, postgres: PostgresServer) -> None:
    for engine in ENGINES:
        sizes = affordable(SIZES, engine, shutil.disk_usage(folder).free)
        if len(sizes) < len(SIZES):
            left_out = ", ".join(f"{size.accounts:,}" for size in SIZES if size not in sizes)
            print(f"not enough free space in {folder}: without {left_out} accounts on {engine}")
        with installations(engine, sizes, folder, postgres) as prepared:
            measure(report, engine, prepared)


def affordable(sizes: Sequence[Size], engine: str, free: int) -> list[Size]:
    """The sizes that fit into so many free bytes together, the smallest first."""
    fitting: list[Size] = []
    needed = BYTES_BESIDE
    for size in sorted(sizes, key=lambda size: size.accounts):
        needed += size.accounts * BYTES_OF_AN_ACCOUNT[engine]
        if needed <= free:
            fitting.append(size)
    return fitting


@contextmanager
def installations(
    engine: str, sizes: Sequence[Size], folder: Path, postgres: PostgresServer
) -> Iterator[dict[Size, Installation]]:
    """An installation of each size, gone when the block ends."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        names = {size: f"growth_{size.accounts}_{size.user_products}" for size in sizes}
        try:
            prepared = {size: _prepared(engine, size, Path(place), name, postgres) for size, name in names.items()}
            os.sync()  # what was loaded is written now and not while something is measured
            yield prepared
        finally:
            if engine == "postgres":
                for name in names.values():
                    postgres.drop_database(name)


def _prepared(engine: str, size: Size, place: Path, name: str, postgres: PostgresServer) -> Installation:
    started = time.perf_counter()
    url = f"sqlite:///{place / f'{name}.db'}" if engine == "sqlite" else postgres.create_database(name)
    installation = installed(url, place, size.accounts, tokens=KEYS, user_products=size.user_products)
    prepare_site(installation, size.user_products)
    seconds = time.perf_counter() - started
    what = f"{size.accounts:,} accounts with {size.user_products} user products"
    print(f"{engine}: {what} loaded in {seconds:.0f} s", flush=True)
    return installation


def measure(report: Report, engine: str, prepared: Mapping[Size, Installation]) -> None:
    """Adds a cell for each size and call, and the lines that have goals."""
    with ExitStack() as stack:
        servers = {size: stack.enter_context(one.server()) for size, one in prepared.items()}
        for call in ("GET /accounts", "GET /me", "GET /me/active_products"):
            requests = {size: _requests(call, one) for size, one in prepared.items()}
            rates = _rates(servers, requests, awake=engine == "sqlite")
            for size, per_second in rates.items():
                ratio = per_second / rates[BASE]
                report.add_cell(Cell(engine, call, size.accounts, size.user_products, ratio, per_second))
                if size in NAMES:
                    name = f"{call}, {engine}, {NAMES[size]} accounts, of ten thousand"
                    report.add(Line(name, ratio, GOAL, f"{rates[BASE]:,.0f}/s; {per_second:,.0f}/s"))


def _requests(call: str, installation: Installation) -> list[bytes]:
    if call == "GET /accounts":
        return installation.account_requests(KEYS)
    return installation.me_requests() if call == "GET /me" else active_products_requests(installation)


def _rates(
    servers: Mapping[Size, processes.Server], requests: Mapping[Size, list[bytes]], *, awake: bool
) -> dict[Size, float]:
    """Responses per second of each server: the medians of some rounds."""
    for size, server in servers.items():
        _read_all_once(server, requests[size])
    rounds = [_round(servers, requests, awake=awake) for _ in range(ROUNDS)]
    return {size: median(one[size] for one in rounds) for size in servers}


def _round(
    servers: Mapping[Size, processes.Server], requests: Mapping[Size, list[bytes]], *, awake: bool
) -> dict[Size, float]:
    return {size: rate(one, requests[size], SECONDS, awake=awake).per_second for size, one in servers.items()}


def _read_all_once(server: processes.Server, requests: list[bytes]) -> None:
    plan = load.Plan(processes.HOST, server.port, seconds=1.0, warmup=0.0)
    left = len(requests)
    while left > 0:
        left -= load.run_in_process(plan, requests[-left:]).count
