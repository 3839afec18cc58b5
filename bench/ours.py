"""Stamkund itself under measurement: a seeded installation, its server, and the requests to put to it."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from bench import load, processes, seed
from bench.accounts import USER_PRODUCTS
from stamkund.settings import Settings

API = "/external/api/v1"
STAMKUND = [sys.executable, "-m", "stamkund"]


@dataclass(frozen=True)
class Installation:
    """A seeded database with its key file."""

    settings: Settings
    seeded: seed.Seeded

    @property
    def environment(self) -> dict[str, str]:
        return {
            "STAMKUND_DATABASE_URL": self.settings.database_url,
            "STAMKUND_KEY_FILE": self.settings.key_file,
            # Counted as ever, but never reached: one client makes more calls here than the default allows in a minute.
            "STAMKUND_LIMIT_PER_CLIENT": "1000000000",
        }

    def server(self, workers: int = 1, environment: Mapping[str, str] = MappingProxyType({})) -> processes.Server:
        """The real command, on a free port, with more in its environment."""
        port = processes.free_port()
        command = [*STAMKUND, "serve", "--port", str(port), "--workers", str(workers)]
        return processes.Server(command, port, {**self.environment, **environment})

    def account_requests(self, count: int = 5_000) -> list[bytes]:
        """Look-ups by e-mail, in a random but repeatable order."""
        headers = {"authorization": f"Bearer {self.seeded.system_token}"}
        emails = self.seeded.emails[:count]
        return [load.request(f"{API}/accounts?email={quote(e)}", headers=headers) for e in emails]

    def me_requests(self) -> list[bytes]:
        tokens = list(self.seeded.reader_tokens)
        random.Random(3).shuffle(tokens)
        return [load.request(f"{API}/me", headers={"authorization": f"Bearer {token}"}) for token in tokens]


def installed(
    url: str, folder: Path, accounts: int, *, tokens: int = 1_000, user_products: int = USER_PRODUCTS
) -> Installation:
    """An installation with `accounts` accounts in an empty database, and tokens for `tokens` of them."""
    settings = Settings(database_url=url, key_file=str(folder / f"{accounts}-{time.monotonic_ns()}.key"))
    now = int(time.time())
    return Installation(settings, seed.seed(settings, accounts, now, tokens=tokens, user_products=user_products))


def rate(server: processes.Server, requests: Sequence[bytes], seconds: float, *, awake: bool) -> Rate:
    """One run against a server that is up, after a warm-up of its own."""
    plan = load.Plan(processes.HOST, server.port, seconds=seconds, warmup=0.0, awake=awake)
    load.run_in_process(replace(plan, seconds=0.7), requests)
    with server.measured() as spent:
        result = load.run_in_process(plan, requests)
    return Rate(result.requests_per_second, spent.cpu_seconds / max(result.count, 1) * 1e6, result.mean_body_bytes)


@dataclass(frozen=True)
class Rate:
    """What one run gave. `body_bytes`: of a response, on average; 0 where the client does not count them."""

    per_second: float
    server_cpu_us: float
    body_bytes: float = 0.0
