"""Logins: how many a second beside Argon2id alone, look-ups meanwhile, and a site's calls right after a login."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import argon2
import msgspec
from tests.support.postgres_server import PostgresServer

from bench import in_flight, load, processes
from bench.beside import alternating, bare, line
from bench.ours import API, Installation, installed, rate
from bench.passwords import beside_argon2, look_ups_beside
from bench.report import Report
from bench.seed import ORGANISATION
from stamkund.identity.sessions import Sessions
from stamkund.rules.catalogue import Catalogue
from stamkund.rules.organisation import Client
from stamkund.store.open import open_installation
from stamkund.store.work import BulkInsert, Work

ASKING_SECONDS = 3.0
READERS = 10_000
SESSIONS = 1_000
PASSWORD = "a password"
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
GOALS = {"sqlite": 0.4, "postgres": 0.3}


def run(report: Report, folder: Path, postgres: PostgresServer) -> None:
    for engine, url in (
        ("sqlite", f"sqlite:///{folder / 'logins.db'}"),
        ("postgres", postgres.create_database("logins")),
    ):
        installation = installed(url, folder, READERS)
        sids = asyncio.run(_prepared(installation))
        with installation.server() as server:
            for name, requests in _calls_after_login(installation, sids):
                _against_bare(report, f"{name}, {engine}, of bare", server, requests, engine)
            logins = itertools.cycle(_logins(installation))
            send = partial(in_flight.responses_per_second, server, logins, 200)
            beside_argon2(report, f"logins, {engine}", send)
            look_ups_beside(report, f"p99 of look-ups while logging in, {engine}", server, installation, send)


# A site's calls --------------------------------------------------------------------------------------------


def _calls_after_login(installation: Installation, sids: list[str]) -> Iterator[tuple[str, list[bytes]]]:
    seeded = installation.seeded
    yield "POST /sessionstatus", [_status(installation, sid) for sid in sids]
    client = {"client_id": seeded.client_id, "client_secret": seeded.client_secret}
    yield (
        "POST /oauth2/introspect",
        [_post("/oauth2/introspect", FORM, urlencode({**client, "token": t})) for t in seeded.reader_tokens],
    )
    yield (
        "GET /me/active_products",
        [
            load.request(f"{API}/me/active_products", headers={"authorization": f"Bearer {token}"})
            for token in seeded.reader_tokens
        ],
    )


def _against_bare(report: Report, name: str, server: processes.Server, requests: list[bytes], engine: str) -> None:
    awake = engine == "sqlite"  # PostgreSQL needs the core that a client which never sleeps would keep
    size = round(rate(server, requests, 0.5, awake=awake).body_bytes)
    with bare(size) as nothing:
        pairs = alternating(
            lambda: rate(nothing, requests, ASKING_SECONDS, awake=awake),
            lambda: rate(server, requests, ASKING_SECONDS, awake=awake),
        )
    report.add(line(name, pairs, GOALS[engine]))


def _status(installation: Installation, sid: str) -> bytes:
    """What a site sends every six minutes for each of its readers; here it holds for as long as the run."""
    now = int(time.time())
    claims: dict[str, str | int] = {"cid": installation.seeded.client_id, "iss": ORGANISATION, "sid": sid}
    claims |= {"ipa": "192.0.2.1", "uas": "Mozilla/5.0", "lks": "loggedin", "aud": "pw-sso"}
    claims |= {"nbf": now, "exp": now + 86_400, "iat": now}
    return _post("/sessionstatus", JSON, json.dumps({"t": _signed(claims, installation.seeded.client_secret)}))


def _signed(claims: dict[str, str | int], secret: str) -> str:
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"}).encode(), json.dumps(claims).encode()]
    signed_part = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = hmac.new(secret.encode(), signed_part, hashlib.sha256).digest()
    return (signed_part + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def _post(path: str, headers: dict[str, str], body: str) -> bytes:
    return load.request(path, method="POST", headers=headers, body=body.encode())


# Logins ----------------------------------------------------------------------------------------------------


def _logins(installation: Installation) -> list[bytes]:
    seeded = installation.seeded
    client = {"client_id": seeded.client_id, "client_secret": seeded.client_secret, "grant_type": "password"}
    numbers = random.Random(5).sample(range(READERS), READERS)
    emails = (f"{ORGANISATION}^user{n}@example.com" for n in numbers)
    return [
        _post("/api/authorization/access_token", FORM, urlencode({**client, "username": e, "password": PASSWORD}))
        for e in emails
    ]


async def _prepared(installation: Installation) -> list[str]:
    """Gives every reader the same password, sells something, logs some readers in; returns their sids."""
    now = int(time.time())
    prepared = await open_installation(installation.settings, lambda: now)
    store = prepared.store
    try:
        stored_hash = argon2.PasswordHasher(2, 19_456, 1).hash(PASSWORD)
        await store.engine.write(lambda: _passwords(stored_hash))
        await store.clients.change(installation.seeded.client_id, _for_sso2)
        await store.catalogues.replace(ORGANISATION, _catalogue(), now)
        sessions = Sessions(store, installation.settings)
        sids = []
        for account in range(1, SESSIONS + 1):
            session, _ = await sessions.begin(ORGANISATION, now)
            await store.sessions.log_in(ORGANISATION, session.sid, account, now, sessions.expiry(now), "bench")
            sids.append(session.sid)
        return sids
    finally:
        await prepared.close()


def _passwords(stored_hash: str) -> Work[None]:
    yield BulkInsert("passwords", ("account", "hash"), [(row, stored_hash) for row in range(1, READERS + 1)])


def _for_sso2(client: Client) -> Client:
    return msgspec.structs.replace(client, sso2=True, redirect_uris=["https://site.example.com/landing"])


def _catalogue() -> Catalogue:
    packages = [{"code": f"package_{n}", "title": "TITLE_CODE", "products": [f"web_{n}", "paper"]} for n in range(2)]
    return msgspec.convert({"packages": packages}, Catalogue, strict=False)
