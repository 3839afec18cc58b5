"""Two servers beside each other: runs alternate and the medians are compared, because a shared machine drifts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from bench import processes
from bench.ours import Rate
from bench.peers import measure as peers
from bench.report import Line

ROUNDS = 3

Pairs = list[tuple[Rate, Rate]]


def alternating(first: Callable[[], Rate], second: Callable[[], Rate], rounds: int = ROUNDS) -> Pairs:
    return [(first(), second()) for _ in range(rounds)]


def line(name: str, pairs: Pairs, goal: float) -> Line:
    ratio = median(b.per_second for _, b in pairs) / median(a.per_second for a, _ in pairs)
    return Line(name, ratio, goal, rates("beside", "ours", pairs))


def rates(first: str, second: str, pairs: Pairs) -> str:
    texts = []
    for name, rates in ((first, [a for a, _ in pairs]), (second, [b for _, b in pairs])):
        per_second = sorted(r.per_second for r in rates)
        texts.append(
            f"{name} {median(per_second):,.0f}/s ({per_second[0]:,.0f}–{per_second[-1]:,.0f}), "
            f"{median(r.server_cpu_us for r in rates):.0f} µs CPU"
        )
    return "; ".join(texts)


@contextmanager
def bare(size: int) -> Iterator[processes.Server]:
    port = processes.free_port()
    command = peers.uvicorn_command("bench.peers.bare:app", port)
    with processes.Server(command, port, {"BARE_BODY_BYTES": str(size)}) as server:
        yield server
