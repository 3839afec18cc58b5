"""Two servers beside each other: runs alternate and the medians are compared, because a shared machine drifts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from bench import processes, wrk
from bench.ours import Rate, rate
from bench.peers import measure as peers
from bench.report import Line, Report

ROUNDS = 3
SECONDS = 3

Pairs = list[tuple[Rate, Rate]]


def alternating(first: Callable[[], Rate], second: Callable[[], Rate], rounds: int = ROUNDS) -> Pairs:
    return [(first(), second()) for _ in range(rounds)]


def line(name: str, pairs: Pairs, goal: float) -> Line:
    ratio = median(b.per_second for _, b in pairs) / median(a.per_second for a, _ in pairs)
    return Line(name, ratio, goal, rates("beside", "ours", pairs))


def rates(first: str, second: str, pairs: Pairs) -> str:
    texts = []
    for name, side in ((first, [a for a, _ in pairs]), (second, [b for _, b in pairs])):
        per_second = sorted(one.per_second for one in side)
        texts.append(
            f"{name} {median(per_second):,.0f}/s ({per_second[0]:,.0f}–{per_second[-1]:,.0f}), "
            f"{median(one.server_cpu_us for one in side):.0f} µs CPU"
        )
    return "; ".join(texts)


def against_bare(
    report: Report,
    name: str,
    server: processes.Server,
    requests: Sequence[bytes],
    bare_requests: Sequence[bytes],
    engine: str,
    goal: float,
) -> None:
    """Our server beside the bare one, which sends as many bytes: a line by our own client, one by wrk if there is one.

    `bare_requests`: what the bare one is sent.
    """
    awake = engine == "sqlite"  # PostgreSQL needs the core that a client which never sleeps would keep
    size = round(rate(server, requests, 0.5, awake=awake).body_bytes)
    with bare(size) as nothing:
        pairs = alternating(
            lambda: rate(nothing, bare_requests, SECONDS, awake=awake),
            lambda: rate(server, requests, SECONDS, awake=awake),
        )
        report.add(line(name, pairs, goal))
        if wrk.version() is not None:
            pairs = alternating(
                lambda: wrk.rate(nothing, bare_requests, SECONDS), lambda: wrk.rate(server, requests, SECONDS)
            )
            report.add(line(f"{name}, by wrk", pairs, goal))


@contextmanager
def bare(size: int) -> Iterator[processes.Server]:
    port = processes.free_port()
    command = peers.uvicorn_command("bench.peers.bare:app", port)
    with processes.Server(command, port, {"BARE_BODY_BYTES": str(size)}) as server:
        yield server
