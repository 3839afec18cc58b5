"""What a site asks right after a login: session status, introspection, active products."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from bench import load
from bench.accounts import ORGANISATION, USER_PRODUCTS
from bench.ours import API, Installation
from stamkund.identity.sessions import Sessions
from stamkund.rules.catalogue import Catalogue
from stamkund.rules.organisation import Client
from stamkund.store.open import open_installation

SESSIONS = 1_000
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


def post(path: str, headers: dict[str, str], body: str) -> bytes:
    return load.request(path, method="POST", headers=headers, body=body.encode())


def session_status_requests(installation: Installation, sids: Sequence[str]) -> list[bytes]:
    """What a site sends every six minutes for each of its readers, valid for ten minutes, the longest allowed."""
    return [_status(installation, sid) for sid in sids]


def introspection_requests(installation: Installation) -> list[bytes]:
    seeded = installation.seeded
    client = {"client_id": seeded.client_id, "client_secret": seeded.client_secret}
    return [post("/oauth2/introspect", FORM, urlencode({**client, "token": t})) for t in seeded.reader_tokens]


def active_products_requests(installation: Installation) -> list[bytes]:
    tokens = installation.seeded.reader_tokens
    return [load.request(f"{API}/me/active_products", headers={"authorization": f"Bearer {t}"}) for t in tokens]


def _status(installation: Installation, sid: str) -> bytes:
    now = int(time.time())
    claims: dict[str, str | int] = {"cid": installation.seeded.client_id, "iss": ORGANISATION, "sid": sid}
    claims |= {"ipa": "192.0.2.1", "uas": "Mozilla/5.0", "lks": "loggedin", "aud": "pw-sso"}
    claims |= {"nbf": now, "exp": now + 600, "iat": now}
    return post("/sessionstatus", JSON, json.dumps({"t": _signed(claims, installation.seeded.client_secret)}))


def _signed(claims: dict[str, str | int], secret: str) -> str:
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"}).encode(), json.dumps(claims).encode()]
    signed_part = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = hmac.new(secret.encode(), signed_part, hashlib.sha256).digest()
    return (signed_part + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def prepare_site(installation: Installation, packages: int = USER_PRODUCTS) -> list[str]:
    """Makes the client one of SSO2, sells packages and logs some readers in; returns the sids of their sessions."""
    return asyncio.run(_prepare(installation, packages))


async def _prepare(installation: Installation, packages: int) -> list[str]:
    now = int(time.time())
    prepared = await open_installation(installation.settings, lambda: now)
    store = prepared.store
    try:
        await store.clients.change(installation.seeded.client_id, _for_sso2)
        await store.catalogues.replace(ORGANISATION, _catalogue(packages), now)
        sessions = Sessions(store, installation.settings)
        sids = []
        for account in range(1, SESSIONS + 1):
            session, _ = await sessions.begin(ORGANISATION, now)
            await store.sessions.log_in(
                ORGANISATION, session.sid, account, now, sessions.lifetime.expiry(now, now), "bench"
            )
            sids.append(session.sid)
        return sids
    finally:
        await prepared.close()


def _for_sso2(client: Client) -> Client:
    return msgspec.structs.replace(client, sso2=True, redirect_uris=["https://site.example.com/landing"])


def _catalogue(count: int) -> Catalogue:
    """The packages of the accounts' user products."""
    packages = [
        {"code": f"package_{n}", "title": "TITLE_CODE", "products": [f"web_{n}", "paper"]} for n in range(count)
    ]
    return msgspec.convert({"packages": packages}, Catalogue, strict=False)
