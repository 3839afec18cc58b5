"""Statements for each call of the API, the token's included: the documented reads of an account are one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.service import Publisher
from tests.support.statements import Statements, cost, listened_service

pytestmark = pytest.mark.both_engines

API = "/external/api/v1"


@pytest.fixture
async def counted(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Publisher, Statements]]:
    async with listened_service(fresh_url, tmp_path, monkeypatch) as (service, statements):
        yield await service.publisher(), statements


async def _cost(publisher: Publisher, statements: Statements, path: str, token: str, **headers: str) -> int:
    sent = {"authorization": f"Bearer {token}", **headers}
    return await cost(publisher.service, statements, publisher.service.http.get(f"{API}{path}", headers=sent))


async def test_statements_of_each_read(counted: tuple[Publisher, Statements]) -> None:
    publisher, statements = counted
    account_id = await publisher.activated("a@example.com", "1")
    await publisher.customer("2", social_security_number="800610-8230")
    token, reader = await publisher.token(), await publisher.reader_token("a@example.com")
    for path, expected in (
        (f"/accounts?id={account_id}", 1),
        ("/accounts?email=a%40example.com", 1),
        ("/accounts?social_security_number=620817-9256", 2),  # its hash includes the organisation
        ("/accounts?external_id_key=a&external_id_value=b", 1),
        ("/accounts/candidate?customer_number=2", 4),
        ("/accounts/candidate?customer_number=3", 2),
        ("/accounts/candidate?social_security_number=800610-8230&zip_code=43921", 4),
    ):
        assert await _cost(publisher, statements, path, token) == expected, path
    assert await _cost(publisher, statements, "/me", reader) == 1


async def test_statements_of_an_update(counted: tuple[Publisher, Statements]) -> None:
    """The token; the account's lock, its document, the audit entry and the event; one more for a key."""
    publisher, statements = counted
    account_id = await publisher.activated("a@example.com", "1")
    headers, http = {"authorization": f"Bearer {await publisher.token()}"}, publisher.service.http
    for change, expected in (({"first_name": "Kalle"}, 5), ({"first_name": "Kalle"}, 2), ({"alias": "Kalle"}, 6)):
        body = {"id": account_id, **change}
        update = http.put(f"{API}/accounts", json=body, headers=headers)
        assert await cost(publisher.service, statements, update) == expected, change


async def test_introspection_returns_the_token_and_the_requesting_client(
    counted: tuple[Publisher, Statements],
) -> None:
    publisher, statements = counted
    service, token = publisher.service, await publisher.token()
    form = {"client_id": publisher.client.id, "client_secret": publisher.secret}
    for introspected, secret in ((token, publisher.secret), ("unknown", publisher.secret), (token, "wrong")):
        sent = {**form, "client_secret": secret, "token": introspected}
        assert await cost(service, statements, service.http.post("/oauth2/introspect", data=sent)) == 1


async def test_an_unknown_token_costs_one_lookup(
    counted: tuple[Publisher, Statements],
) -> None:
    publisher, statements = counted
    for path in ("/me", "/accounts?id=x", "/accounts/candidate?customer_number=1", "/nothing"):
        assert await _cost(publisher, statements, path, "a b") == 0
        assert await _cost(publisher, statements, path, "unknown") == (0 if path == "/nothing" else 1)


async def test_an_origin_costs_a_statement_only_without_client(
    counted: tuple[Publisher, Statements],
) -> None:
    publisher, statements = counted
    token = await publisher.token()
    path, origin = "/accounts?email=a%40example.com", "https://herald.example"
    assert await _cost(publisher, statements, path, token, origin=origin) == 1
    assert await _cost(publisher, statements, path, "unknown", origin=origin) == 2
