"""`python -m tests.fuzz`: fuzzes a server of its own, prints what came, and exits with 1 where something is wrong."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.fuzz.credentials import credentials_of
from tests.fuzz.malformed import HANG, send_malformed
from tests.support import observed
from tests.support.installation import Installation, ServerProcess


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="requests that are made up from openapi.json")
    parser.add_argument("--malformed", type=int, default=5_000, help="malformed requests")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30), help="to run it again")
    parser.add_argument("--database-url", help="an empty PostgreSQL database; not given: an SQLite file")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    sys.exit(asyncio.run(_fuzz(options)))


async def _fuzz(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="stamkund-fuzz-") as folder:
        database_url = options.database_url or f"sqlite:///{folder}/stamkund.db"
        unlimited = {"limit_per_client": 0, "limit_per_identifier": 0, "log_level": "error"}
        installation = Installation(Path(folder), database_url, unlimited)
        installation.prepare()
        log = Path(folder) / "server.log"
        log.touch()
        server = ServerProcess(installation)
        try:
            await server.start(errors=log)
            wrong = await _malformed(server, options.malformed, options.seed)
            wrong |= await _generated(server, installation, options.requests, options.seed)
        finally:
            await server.close()
            print(log.read_text()[-10_000:], end="")  # nothing, but for faults of ours
        return wrong


async def _malformed(server: ServerProcess, count: int, seed: int) -> int:
    started = time.monotonic()
    outcomes = await send_malformed(server.url, count, seed)
    print(f"{count} malformed requests in {time.monotonic() - started:.0f} s: {dict(sorted(outcomes.items()))}")
    return int(any(outcome == HANG or outcome.startswith("5") for outcome in outcomes))


async def _generated(server: ServerProcess, installation: Installation, count: int, seed: int) -> int:
    if not count:
        return 0
    from tests.fuzz.generated import Generated  # needs schemathesis, which `make fuzz` installs

    credentials = await credentials_of(server, installation)
    document = (await server.http.get("/openapi.json")).json()
    started = time.monotonic()
    with httpx.Client(base_url=server.url, timeout=60) as http:
        generated = Generated(http, credentials, count, seed)
        await asyncio.to_thread(generated.run, document)
    total = generated.outcomes.total()
    print(f"{total} requests in {time.monotonic() - started:.0f} s, {len(generated.faults)} kinds of 5xx")
    for (operation, status), times in sorted(generated.outcomes.items()):
        print(f"  {operation}  {status}  {times}")
    for (operation, status), request in generated.faults.items():
        print(f"FAULT {operation} {status}: {request}")
    for line in observed.undocumented(document, _observations(generated.outcomes)):
        print(f"FAULT {line}")
    return int(bool(generated.faults))


def _observations(outcomes: dict[tuple[str, int], int]) -> dict[observed.Observation, str]:
    """What was seen, as the record of the suite has it."""
    pairs = ((operation.partition(" "), status) for operation, status in outcomes)
    return {(method.upper(), path, status): "the fuzz" for (method, _, path), status in pairs if status != 405}


if __name__ == "__main__":
    main()
