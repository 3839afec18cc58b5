"""Passwords: activations beside what Argon2id alone allows, and look-ups while passwords are hashed."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

from tests.support.postgres_server import PostgresServer
from tests.support.service import replacement

from bench import argon2_alone, in_flight, load, processes
from bench.accounts import ORGANISATION
from bench.ours import API, Installation, installed
from bench.report import Line, Report
from stamkund.rules.customer import Customer
from stamkund.rules.ids import new_id
from stamkund.settings import Settings
from stamkund.store.open import open_installation

ROUNDS = 3
SECONDS = 6.0
LOOK_UPS_PER_SECOND = 1_000


def run(report: Report, folder: Path, postgres: PostgresServer) -> None:
    for engine, url in (
        ("sqlite", f"sqlite:///{folder / 'passwords.db'}"),
        ("postgres", postgres.create_database("passwords")),
    ):
        installation = installed(url, folder, 10_000)
        requests = iter(_activations(installation, 6_000))
        with installation.server() as server:
            send = partial(in_flight.responses_per_second, server, requests, 201)
            beside_argon2(report, f"activations, {engine}", send)
            look_ups_beside(report, f"p99 of look-ups while activating, {engine}", server, installation, send)


def beside_argon2(report: Report, what: str, send: Callable[[float], float]) -> None:
    """How many responses a second `send` gets (for so many seconds), beside what Argon2id alone allows."""
    defaults = Settings()
    pairs = []
    for _ in range(ROUNDS):
        alone = argon2_alone.measure(
            defaults.argon2_memory_kib, defaults.argon2_passes, defaults.argon2_lanes, seconds=SECONDS
        )
        pairs.append((alone.hashes_per_second, send(SECONDS)))
    alone_rate, ours = median(a for a, _ in pairs), median(b for _, b in pairs)
    note = f"alone {alone_rate:.1f}/s; ours {ours:.1f}/s"
    report.add(Line(f"{what}, of Argon2id alone on all cores", ours / alone_rate, 0.8, note))


def look_ups_beside(
    report: Report,
    name: str,
    server: processes.Server,
    installation: Installation,
    send: Callable[[float, threading.Event], float],
    goal: float = 3.0,
) -> None:
    """The p99 of look-ups at a steady pace while `send` keeps something slow going on, and without."""
    lookups = installation.account_requests()
    plan = load.Plan(processes.HOST, server.port, seconds=SECONDS, warmup=0.5, pace=LOOK_UPS_PER_SECOND)

    def paced() -> float:
        return load.run_in_process(plan, lookups).p99

    triples = []
    for _ in range(ROUNDS):
        quiet = paced()
        with ThreadPoolExecutor(1) as pool:
            stop = threading.Event()
            slow = pool.submit(send, SECONDS * 3, stop)
            busy = paced()
            stop.set()
            triples.append((quiet, busy, slow.result()))
    quiet, busy, meanwhile = (median(values) for values in zip(*triples, strict=True))
    note = f"{LOOK_UPS_PER_SECOND}/s of look-ups: {quiet:.2f} ms alone, {busy:.2f} ms beside {meanwhile:.1f}/s"
    report.add(Line(f"{name}, times p99 without", busy / quiet, goal, note, most=True))


def _activations(installation: Installation, count: int) -> list[bytes]:
    """Requests that each activate a candidate of its own."""
    now = int(time.time())
    made = [_customer(n, now) for n in range(count)]

    async def put() -> None:
        prepared = await open_installation(installation.settings, lambda: now)
        for first in range(0, count, 1_000):
            changes = [replacement(customer) for customer in made[first : first + 1_000]]
            await prepared.store.customers.put(ORGANISATION, changes, now)
        await prepared.close()

    asyncio.run(put())
    headers = {"authorization": f"Bearer {installation.seeded.system_token}", "content-type": "application/json"}
    return [
        load.request(f"{API}/account/activate_candidate", method="POST", headers=headers, body=_body(n, customer))
        for n, customer in enumerate(made)
    ]


def _customer(number: int, now: int) -> Customer:
    return Customer(new_id(now), f"b{number}", now, now, first_name="Kalle", last_name="Ankarström")


def _body(number: int, customer: Customer) -> bytes:
    email = f"activated{number}@example.com"
    return json.dumps({"account_candidate_id": customer.id, "email": email, "password": f"secret {number}"}).encode()
