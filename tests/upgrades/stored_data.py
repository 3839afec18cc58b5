"""Data of earlier schemas as files, one folder for each: how they are made and how they get into a database.

`python -m tests.upgrades.stored_data` makes the calls below with the present code and writes the folder of the newest
schema.
Each folder has schema and rows as SQL for each engine, the key file, and the calls with their responses then.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import msgspec

from stamkund.identity.passwords import Passwords
from stamkund.identity.sessions import cookie_name
from stamkund.rules.account import ExternalId
from stamkund.rules.customer import Subscription
from stamkund.rules.mail import Mail, PasswordReset
from stamkund.rules.organisation import Organisation, Permission
from stamkund.store import migrations
from tests.support.browser import Browser
from tests.support.connector import Connector
from tests.support.service import NOW, SCOPES, Publisher, RunningService

FOLDER = Path(__file__).parent
DAY = 86_400
PASSWORD = "Df7Vdd8!!vnM"
BACK = "https://north.example.com/landing"
PERMISSION = Permission("5ba4a64509c04c5ab4000001", "News", "sms")
_NUMBERED = ("accounts", "customers", "audit", "outbox", "login_attempts", "mails")


def folders() -> list[Path]:
    return sorted(path.parent for path in FOLDER.glob("*/calls.json"))


def schema(number: int, engine: str) -> str:
    """The statements of all steps up to `number`, as the code has them now."""
    steps = [m for m in migrations.MIGRATIONS if m.number <= number]
    return "".join(f"{getattr(s, engine)};\n" for m in steps for s in m.statements)


def calls(folder: Path) -> dict[str, Any]:
    """The calls of a folder with their responses, and the credentials to repeat them with."""
    stored: dict[str, Any] = json.loads((folder / "calls.json").read_text())
    return stored


async def load(folder: Path, url: str, key_file: Path) -> None:
    """Puts the stored data into the empty database at `url`, and its key file in place."""
    shutil.copy(folder / "key.json", key_file)
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            database.executescript((folder / "sqlite.sql").read_text())
        return
    connection = await asyncpg.connect(url)
    await connection.execute((folder / "postgres.sql").read_text())
    await connection.close()


# Keeping the newest schema ---------------------------------------------------------------------------------


async def write_newest() -> Path:
    """Makes the calls and writes the folder of the newest schema."""
    folder = FOLDER / f"{migrations.LATEST:04}"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        database, key_file = Path(temporary) / "stored.db", Path(temporary) / "stored.key"
        async with RunningService(f"sqlite:///{database}", key_file) as service:
            calls = await _make_calls(service)
        shutil.copy(key_file, folder / "key.json")
        connection = sqlite3.connect(database)
        for engine in ("sqlite", "postgres"):
            (folder / f"{engine}.sql").write_text(_dump(connection, engine))
        connection.close()
    (folder / "calls.json").write_text(json.dumps(calls, indent=1, ensure_ascii=False) + "\n")
    return folder


async def _make_calls(service: RunningService) -> dict[str, Any]:
    """Two organisations with accounts, candidates, tokens, failed logins and a customer with an imported password."""
    north = await _organisation(service, "north", marketing_permissions=[PERMISSION])
    south = await _organisation(service, "south", timezone="America/New_York", person_number_check="checksum")
    account_id = await _kalle(north)
    await south.activated("kalle@example.com", "12345", social_security_number=None)
    candidate = await north.customer("20001", social_security_number="123499-0000", subscriptions=[])
    passwords = Passwords(service.settings)
    brought = await passwords.hash(PASSWORD)
    passwords.close()
    await north.customer("20002", email="new@example.com", password_hash=brought, social_security_number=None)
    reset = PasswordReset("https://north.example.com/reset?code=1", NOW + DAY, "Kalle")
    await service.store.mails.add(Mail("north", account_id, "kalle@example.com", reset, "fi"), NOW)
    await service.store.mail_templates.replace("north", {"test.sv.txt": "Subject: Hej\n\nHej"}, "operator", NOW)
    reader = (await north.grant("password", username="kalle@example.com", password=PASSWORD)).json()
    for email in ("new@example.com", "unknown@example.com"):
        await north.grant("password", username=email, password="wrong")
    tokens = {"north": await north.token(), "south": await south.token(), "reader": reader["access_token"]}
    requests = [
        ("north", f"accounts?id={account_id}"),
        ("north", "accounts?email=kalle%40example.com"),
        ("north", "accounts?social_security_number=800610-8230"),
        ("north", "accounts?customer_number=12345"),
        ("north", "accounts?external_id_key=crm&external_id_value=K-1"),
        ("north", "accounts?alias=Kalle123"),
        ("north", "accounts?tulo_customer_number=00001"),
        ("north", "accounts?email=nobody%40example.com"),
        ("north", "accounts/candidate?social_security_number=123499-0000"),
        ("north", "accounts/candidate?customer_number=20002&zip_code=43921"),
        ("north", "accounts/candidate?customer_number=12345"),
        ("south", "accounts?email=kalle%40example.com"),
        ("south", f"accounts?id={account_id}"),
        ("reader", "me"),
    ]
    return {
        "now": NOW,
        "login": await _logged_in(service, north),
        "client": {"client_id": north.client.id, "client_secret": north.secret},
        "tokens": tokens,
        "refresh_token": reader["refresh_token"],
        "candidate": candidate.id,
        "calls": [{"token": t, "path": p, **await _response(service, tokens[t], p)} for t, p in requests],
    }


async def _logged_in(service: RunningService, north: Publisher) -> dict[str, str]:
    """A site, a browser whose reader is logged in, an ID token, a ticket that was not used yet, and branding."""
    site, secret = await north.new_client(
        "/external/me/w",
        "/openid",
        sso2=True,
        rotate_refresh_tokens=True,
        redirect_uris=[BACK],
        logout_uris=[BACK],
        origins=["https://n.example"],
    )
    await service.store.branding.change("north", lambda branding: msgspec.structs.replace(branding, colour="#8a1538"))
    connector = Connector(service.url, "north", site.id, secret, service.clock)
    async with Browser(service) as browser:
        await browser.get("/login", oid="north")
        await browser.submit(email="kalle@example.com", password=PASSWORD)
        authorized = await browser.get(f"/oauth2/auth?client_id={site.id}&response_type=code&redirect_uri={BACK}")
        code = parse_qs(urlsplit(authorized.location or "").query)["code"][0]
        issued = await north.grant("authorization_code", site, secret, code=code, redirect_uri=BACK)
        identified = (await browser.get(connector.identify("", BACK))).location or ""
        claims = connector.read(parse_qs(urlsplit(identified).query)["t"][0])
        await connector.authenticate(claims["sid"], "kalle@example.com", PASSWORD)  # another browser, as it seems
        cookie = browser.cookie(cookie_name("north"))
    await connector.http.aclose()
    made = {"client_id": site.id, "client_secret": secret, "cookie": cookie or "", "sid": claims["sid"]}
    return {**made, "ticket": claims["at"], "code": code, "id_token": issued.json()["id_token"]}


async def _organisation(service: RunningService, name: str, **settings: Any) -> Publisher:
    publisher = Publisher(service, Organisation(name, name.title(), **settings))
    await service.store.organisations.change(name, lambda _: publisher.organisation)
    publisher.client, publisher.secret = await publisher.new_client(*SCOPES)
    return publisher


async def _kalle(north: Publisher) -> str:
    """The account of the documents, with every key it can have."""
    subscriptions = [
        Subscription("585a4768edce2c5e6f000003", "paper", "NORTH", NOW - 30 * DAY, NOW + 30 * DAY, "1", "limited"),
        Subscription("585a4768edce2c5e6f000004", "web", None, NOW, None, None, None, "cancelled", "kayak", NOW),
    ]
    made = await north.customer(
        "12345",
        social_security_number="800610-8230",
        identity_mapping=[ExternalId("crm", "K-1")],
        subscriptions=subscriptions,
    )
    body = {
        "account_candidate_id": made.id,
        "email": "Kalle@example.com",
        "password": PASSWORD,
        "alias": "Kalle123",
        "account_origin": "ADEPRIMO",
        "birth_date": "1980-06-10",
        "marketing_permissions": PERMISSION.id,
    }
    response = await north.post("/external/api/v1/account/activate_candidate", body)
    return str(response.json()["id"])


async def _response(service: RunningService, token: str, path: str) -> dict[str, Any]:
    response = await service.http.get(f"/external/api/v1/{path}", headers={"authorization": f"Bearer {token}"})
    return {"status": response.status_code, "answer": response.json()}


def _dump(connection: sqlite3.Connection, engine: str) -> str:
    """Schema and rows as one script."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").fetchall()
    inserts = [line for (table,) in tables for line in _inserts(connection, table, engine)]
    if engine == "postgres":
        inserts += [f"SELECT setval(pg_get_serial_sequence('{t}', 'row'), 1000);\n" for t in _NUMBERED]
    began = "CREATE TABLE migrations (number bigint PRIMARY KEY, name text NOT NULL, applied bigint NOT NULL);\n"
    return began + schema(migrations.LATEST, engine) + "".join(inserts)


def _inserts(connection: sqlite3.Connection, table: str, engine: str) -> Iterator[str]:
    cursor = connection.execute(f"SELECT * FROM {table}")
    columns = ", ".join(column[0] for column in cursor.description)
    for row in cursor.fetchall():
        yield f"INSERT INTO {table} ({columns}) VALUES ({', '.join(_literal(v, engine) for v in row)});\n"


def _literal(value: Any, engine: str) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'" if engine == "sqlite" else f"'\\x{value.hex()}'"
    return "'{}'".format(value.replace("'", "''")) if isinstance(value, str) else str(value)


if __name__ == "__main__":
    print(f"written to {asyncio.run(write_newest())}")
