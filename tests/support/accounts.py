"""Accounts that tests create and update by the API."""

from __future__ import annotations

from typing import Any

import httpx

from stamkund.rules.mail import MailContent
from stamkund.store.work import Execute, Row, Sql, Work
from tests.support.service import Publisher

API = "/external/api"
ACCOUNTS, ACCOUNTS_2 = f"{API}/v1/accounts", f"{API}/v2/accounts"
ME, ME_3 = f"{API}/v1/me", f"{API}/v3/me"
PASSWORD = "Df7Vdd8!!vnM"
KALLE = "kalle.anka@example.com"


async def create(publisher: Publisher, email: str = KALLE, path: str = ACCOUNTS_2, **fields: Any) -> httpx.Response:
    return await publisher.post(path, {"email": email, "password": PASSWORD, **fields})


async def created(publisher: Publisher, email: str = KALLE, path: str = ACCOUNTS_2, **fields: Any) -> str:
    """The id of a new account."""
    response = await create(publisher, email, path, **fields)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def update(publisher: Publisher, account_id: str, path: str = ACCOUNTS_2, **fields: Any) -> httpx.Response:
    return await publisher.put(path, {"id": account_id, **fields})


async def item(publisher: Publisher, **key: str) -> dict[str, Any]:
    """The account as `/accounts` shows it."""
    response = await publisher.get(ACCOUNTS, **key)
    assert response.status_code == 200, response.text
    account: dict[str, Any] = response.json()["item"]
    return account


async def own_item(publisher: Publisher, token: str, path: str = ME_3) -> dict[str, Any]:
    """The account as `/me` shows it."""
    response = await publisher.service.http.get(path, headers={"authorization": f"Bearer {token}"})
    assert response.status_code == 200, response.text
    account: dict[str, Any] = response.json()["item"]
    return account


async def outbox(publisher: Publisher) -> list[tuple[str, str]]:
    """The events that wait for other systems, with the account of each."""
    events = await publisher.service.store.engine.read(lambda: _events(publisher.id))
    return [(row["event"], row["account"]) for row in events]


async def mails(publisher: Publisher) -> list[MailContent]:
    """The mails that wait for readers, opened."""
    rows = await publisher.service.store.engine.read(lambda: _mails(publisher.id))
    documents = publisher.service.store.documents
    return [documents.mail(publisher.id, row["id"], row["content"]) for row in rows]


_MAILS = Sql("SELECT id, content FROM mails WHERE organisation = $1 ORDER BY row")


def _mails(organisation: str) -> Work[list[Row]]:
    return (yield Execute(_MAILS, (organisation,)))


_OUTBOX = Sql("SELECT event, account FROM outbox WHERE organisation = $1 ORDER BY row")


def _events(organisation: str) -> Work[list[Row]]:
    return (yield Execute(_OUTBOX, (organisation,)))
