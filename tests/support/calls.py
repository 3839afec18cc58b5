"""How the guards call: every route with a request that would pass, made from the route's own declaration.

Nothing here names a call, so a new one gets the same requests as soon as it is declared.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx

from stamkund.endpoints import declared_endpoints
from stamkund.reference import schemas
from stamkund.rules import scopes
from stamkund.rules.organisation import Client
from stamkund.wire.endpoint import Endpoint
from tests.support.service import Publisher, RunningService

PRIVATE = [e for e in declared_endpoints() if not e.public]
WITH_IDENTITY = [e for e in PRIVATE if e.identity]
WITH_JSON = [e for e in declared_endpoints() if e.body == "json"]
WITH_QUERY = [e for e in declared_endpoints() if e.body is None and not e.free_query]
"""A free query is its handler's own, and so are its tests."""

REQUEST_ID = re.compile(r"[A-Za-z0-9._~:+/=-]{1,128}")
READER = "reader@example.com"


def label(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.paths[0]}"


def example_body(endpoint: Endpoint) -> dict[str, Any]:
    """A JSON body that is right in every parameter."""
    return {p.name: schemas.example(p.type) for p in endpoint.parameter_set.parameters}


async def send(
    service: RunningService,
    endpoint: Endpoint,
    token: str | None = None,
    *,
    path: str | None = None,
    query: str | None = None,
    content: bytes | AsyncIterator[bytes] | None = None,
    headers: dict[str, Any] | None = None,
    method: str | None = None,
) -> httpx.Response:
    """Sends the declared example, but for what is named."""
    sent: dict[str, Any] = {"authorization": f"Bearer {token}"} if token else {}
    if endpoint.body is not None:
        sent["content-type"] = "application/json" if endpoint.body == "json" else "application/x-www-form-urlencoded"
    sent = {name: value for name, value in {**sent, **(headers or {})}.items() if value is not None}
    query_string = endpoint.about.example.query if query is None else query
    body = endpoint.about.example.body.encode() if content is None else content
    return await service.http.request(
        method or endpoint.method,
        (path or endpoint.paths[0]) + (f"?{query_string}" if query_string else ""),
        content=body if endpoint.body is not None else None,
        headers=sent,
    )


async def send_json(service: RunningService, endpoint: Endpoint, token: str, body: Any) -> httpx.Response:
    return await send(service, endpoint, token, content=json.dumps(body).encode())


def error_body(response: httpx.Response) -> dict[str, str]:
    """The error body, after everything that holds for every error was looked at."""
    body: dict[str, str] = response.json()
    assert list(body) in (["code", "message"], ["code", "field", "message"]), body
    assert all(isinstance(value, str) and value for value in body.values()), body
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert REQUEST_ID.fullmatch(response.headers["x-request-id"])
    return body


def assert_refused(response: httpx.Response, status: int, code: str, field: str | None = None) -> dict[str, str]:
    """The error body of a refusal that must be this one."""
    body = error_body(response)
    assert (response.status_code, body["code"], body.get("field")) == (status, code, field), response.text
    return body


@dataclass
class Callers:
    """The tokens of one publisher: one that may do everything, with and without an identity."""

    publisher: Publisher
    client: Client
    secret: str
    anybody: str
    reader: str

    def able(self, endpoint: Endpoint) -> str:
        """A token that may make this call. A public call looks at none."""
        return self.reader if endpoint.identity else self.anybody

    async def refresh_token(self) -> str:
        response = await self._password_grant()
        return str(response.json()["refresh_token"])

    async def without(self, scope: str | None, *, identity: bool) -> str:
        """A token with every scope but one."""
        others = [s for s in self.client.scopes if s != scope]
        if identity:
            response = await self._password_grant(scope=" ".join(others))
            return str(response.json()["access_token"])
        return await self.publisher.token(*others, client=self.client, secret=self.secret)

    async def _password_grant(self, **more: str) -> httpx.Response:
        response = await self.publisher.grant(
            "password", username=READER, password="Df7Vdd8!!vnM", client=self.client, secret=self.secret, **more
        )
        assert response.status_code == 200, response.text
        return response


async def callers_of(publisher: Publisher) -> Callers:
    """A client with every scope there is, and a reader."""
    await publisher.activated(READER, "900001", social_security_number=None)
    all_scopes = dict.fromkeys([*scopes.ALL, *(e.scope for e in PRIVATE if e.scope)])
    client, secret = await publisher.new_client(*all_scopes)
    anybody = await publisher.token(client=client, secret=secret)
    made = Callers(publisher, client, secret, anybody, "")
    made.reader = await made.without(None, identity=True)
    return made
