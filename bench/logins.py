"""Logins: how many a second beside Argon2id alone, look-ups meanwhile, and a site's calls right after a login."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import argon2
from tests.support.postgres_server import PostgresServer

from bench import in_flight
from bench.accounts import ORGANISATION, email
from bench.beside import against_bare
from bench.ours import Installation, installed
from bench.passwords import beside_argon2, look_ups_beside
from bench.report import Report
from bench.site_calls import (
    FORM,
    active_products_requests,
    introspection_requests,
    post,
    prepare_site,
    session_status_requests,
)
from stamkund.store.open import open_installation
from stamkund.store.work import BulkInsert, Work

READERS = 10_000
PASSWORD = "a password"
GOALS = {"sqlite": 0.6, "postgres": 0.4}


def run(report: Report, folder: Path, postgres: PostgresServer) -> None:
    for engine, url in (
        ("sqlite", f"sqlite:///{folder / 'logins.db'}"),
        ("postgres", postgres.create_database("logins")),
    ):
        installation = installed(url, folder, READERS)
        asyncio.run(_give_passwords(installation))
        sids = prepare_site(installation)
        with installation.server() as server:
            for name, requests in (
                ("POST /sessionstatus", session_status_requests(installation, sids)),
                ("POST /oauth2/introspect", introspection_requests(installation)),
                ("GET /me/active_products", active_products_requests(installation)),
            ):
                against_bare(report, f"{name}, {engine}, of bare", server, requests, requests, engine, GOALS[engine])
            logins = itertools.cycle(_logins(installation))
            send = partial(in_flight.responses_per_second, server, logins, 200)
            beside_argon2(report, f"logins, {engine}", send)
            look_ups_beside(report, f"p99 of look-ups while logging in, {engine}", server, installation, send)


def _logins(installation: Installation) -> list[bytes]:
    seeded = installation.seeded
    client = {"client_id": seeded.client_id, "client_secret": seeded.client_secret, "grant_type": "password"}
    numbers = random.Random(5).sample(range(READERS), READERS)
    emails = (f"{ORGANISATION}^{email(n)}" for n in numbers)
    return [
        post("/api/authorization/access_token", FORM, urlencode({**client, "username": e, "password": PASSWORD}))
        for e in emails
    ]


async def _give_passwords(installation: Installation) -> None:
    """Gives every reader the same password."""
    now = int(time.time())
    prepared = await open_installation(installation.settings, lambda: now)
    try:
        stored_hash = argon2.PasswordHasher(2, 19_456, 1).hash(PASSWORD)
        await prepared.store.engine.write(lambda: _passwords(stored_hash))
    finally:
        await prepared.close()


def _passwords(stored_hash: str) -> Work[None]:
    yield BulkInsert("passwords", ("account", "hash"), [(row, stored_hash) for row in range(1, READERS + 1)])
