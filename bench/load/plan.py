"""What a run is to do, and what it measured."""

from __future__ import annotations

from dataclasses import dataclass

LOST = 0
"""The "status" under which a lost connection or a request without response is counted."""


@dataclass(frozen=True)
class Result:
    """What one run measured; latencies are in milliseconds."""

    requests_per_second: float
    p50: float
    p99: float
    max_ms: float
    count: int
    errors: dict[int, int]
    client_cpu_seconds: float
    mean_body_bytes: float
    seconds: float

    @property
    def client_cpu_share(self) -> float:
        """How much of one core the generator used: near 1.0 it was the bottleneck itself."""
        return self.client_cpu_seconds / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Plan:
    """What a run is to do. `seconds` are counted, after those of the `warmup`.

    Without `pace` every connection sends as soon as it has its response. With it, `pace` requests a second fall due
    evenly, whether or not the server keeps up, and a latency counts from when the request was due: a slow server cannot
    hide its slowness by slowing the client down too. `awake`: the client never sleeps.
    """

    host: str
    port: int
    connections: int = 64
    seconds: float = 5.0
    warmup: float = 1.0
    pace: float | None = None
    awake: bool = False


class LoadError(Exception):
    """The run met responses that it did not expect, so its speed means nothing."""

    def __init__(self, reason: str, result: Result) -> None:
        super().__init__(reason, result)
        self.reason = reason
        self.result = result

    def __str__(self) -> str:
        return f"{self.reason}: {self.result}"


def request(
    path: str, *, method: str = "GET", headers: dict[str, str] | None = None, body: bytes | None = None
) -> bytes:
    """Build one ready-made request."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", "accept: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")
