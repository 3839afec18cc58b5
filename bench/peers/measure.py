"""Run a peer under uvicorn and put load on it."""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from urllib.parse import quote

from bench import load, processes
from bench.peers import common
from bench.peers.seed import seed

DISTINCT_REQUESTS = 5_000


@dataclass(frozen=True)
class PeerResult:
    """One peer's speed; the database server's own CPU is not in the server's figures."""

    peer: str
    load: load.Result
    server_cpu_ms_per_request: float
    server_private_mib: float


def uvicorn_command(app: str, port: int, *extra: str) -> list[str]:
    """Return the command all peers run under: one worker, uvloop, httptools, no access log."""
    command = [sys.executable, "-m", "uvicorn", app, "--host", processes.HOST, "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--workers", "1", "--log-level", "warning"]
    return [*command, "--no-access-log", *extra]


def account_requests(accounts: int, token: str, count: int = DISTINCT_REQUESTS) -> list[bytes]:
    """Return look-ups of accounts by e-mail in a random but repeatable order."""
    pick = random.Random(1)
    headers = {"authorization": f"Bearer {token}"}
    numbers = (pick.randrange(accounts) for _ in range(count))
    paths = (f"{common.PREFIX}/accounts?email={quote(common.email(number))}" for number in numbers)
    return [load.request(path, headers=headers) for path in paths]


def me_requests() -> list[bytes]:
    """Return one request for each seeded token with an identity."""
    tokens = map(common.identity_token, range(common.IDENTITY_TOKENS))
    headers = ({"authorization": f"Bearer {token}"} for token in tokens)
    return [load.request(f"{common.PREFIX}/me", headers=header) for header in headers]


def measure(
    peer: str, requests: Sequence[bytes], *, url: str = "", connections: int = 64, seconds: float = 5.0
) -> PeerResult:
    """Start `peer` (a module in this folder), warm it up, and measure one run against it."""
    port = processes.free_port()
    command = uvicorn_command(f"bench.peers.{peer}:app", port)
    env = {"DATABASE_URL": url} if url else {}
    with processes.Server(command, port, env) as server:
        # The warm-up is a run of its own, so that the server's CPU is that of the counted requests.
        plan = load.Plan(processes.HOST, port, connections, seconds, warmup=0.0)
        load.run_in_process(replace(plan, seconds=1.0), requests)
        with server.measured() as spent:
            result = load.run_in_process(plan, requests)
    return PeerResult(
        peer=peer,
        load=result,
        server_cpu_ms_per_request=spent.cpu_seconds / max(result.count, 1) * 1000,
        server_private_mib=spent.private_bytes_after / 2**20,
    )


def main() -> None:
    """Seed the databases given and measure every peer that can run on them."""
    parser = argparse.ArgumentParser(description="Measure the peers")
    parser.add_argument("--url", action="append", default=[], help="postgresql://… or sqlite:///path")
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--me", action="store_true", help="request /me instead of /accounts")
    options = parser.parse_args()
    by_email = account_requests(options.accounts, common.client_token())
    requests = me_requests() if options.me else by_email
    _show("", measure("bare", [load.request("/")], seconds=options.seconds))
    for url in options.url:
        seed(url, options.accounts)
        for peer in ("fastapi_orm", "fastapi_asyncpg") if url.startswith("postgres") else ("fastapi_orm",):
            _show(url, measure(peer, requests, url=url, seconds=options.seconds))


def _show(url: str, result: PeerResult) -> None:
    share = result.load.client_cpu_share
    print(json.dumps({"engine": url.split(":", maxsplit=1)[0], **asdict(result), "client_cpu_share": share}))


if __name__ == "__main__":
    main()
