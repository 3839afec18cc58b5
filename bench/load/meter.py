"""The tally of a run."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from bench.load.plan import Result


class Meter:
    """What the connections share: the requests to send and the tally of what came back."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self.requests: Iterator[bytes] = itertools.cycle(requests)
        self.latencies: list[float] = []
        self.body_bytes = 0
        self.errors: Counter[int] = Counter()
        self.sending = True
        self.failure: str | None = None
        self.count_from = 0.0
        self.cpu_from = 0.0
        self.changed = asyncio.Event()
        self.failed = asyncio.Event()

    def start_counting(self, sent_from: float = 0.0) -> None:
        """Forget the warm-up; from here on only requests sent since `sent_from` count."""
        self.latencies.clear()
        self.body_bytes = 0
        self.count_from = sent_from
        self.cpu_from = time.process_time()

    def fail(self, reason: str) -> None:
        self.failure = self.failure or reason
        self.sending = False
        self.changed.set()
        self.failed.set()

    def result(self, seconds: float, cpu_seconds: float) -> Result:
        ordered = sorted(self.latencies)
        count = len(ordered)

        def at(share: float) -> float:
            return ordered[min(count - 1, int(count * share))] * 1000 if count else 0.0

        return Result(
            requests_per_second=count / seconds,
            p50=at(0.5),
            p99=at(0.99),
            max_ms=at(1.0),
            count=count,
            errors=dict(self.errors),
            client_cpu_seconds=cpu_seconds,
            mean_body_bytes=self.body_bytes / count if count else 0.0,
            seconds=seconds,
        )
