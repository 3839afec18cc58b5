"""What gets a made-up request past the first checks: tokens, a client's secret, SSO2 tokens with a right signature."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

from stamkund.rules import scopes
from tests.support.connector import signed
from tests.support.installation import ORGANISATION, PASSWORD, TOKEN, Caller, Installation, ServerProcess

EMAIL = "ove.ovesson@example.com"
LANDING = "https://herald.example/landing"


@dataclass(frozen=True)
class Credentials:
    """A client with every scope and SSO2, and a reader's access token."""

    client: str
    secret: str
    token: str

    def add_to(self, request: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
        """The request with credentials in all places where its operation takes them.

        `request`: arguments of `httpx.Client.request`. `claims`: of an SSO2 token, over those that it must have.
        """
        request["headers"] = {**request.get("headers", {}), "authorization": f"Bearer {self.token}"}
        form = request.get("data")
        if isinstance(form, dict) and ({"client_id", "client_secret", "grant_type", "token"} & set(form)):
            form |= {"client_id": self.client, "client_secret": self.secret}
            del request["headers"]["authorization"]
        for place in (request.get("params"), request.get("json")):
            if isinstance(place, dict) and "t" in place:
                place["t"] = self.sso_token(claims)
        if "client_id" in request.get("params", {}):
            request["params"]["client_id"] = self.client
        return request

    def sso_token(self, claims: dict[str, Any]) -> str:
        """A token as a site signs it, whatever its claims are."""
        now = int(time.time())
        required = {"cid": self.client, "iss": ORGANISATION, "aud": "pw-sso"}
        return signed({**required, "iat": now, "nbf": now, "exp": now + 60, **claims}, self.secret)


async def credentials_of(server: ServerProcess, installation: Installation) -> Credentials:
    """Makes the client and the reader on a running server."""
    options = [word for scope in scopes.ALL for word in ("--scope", scope)]
    made = installation.do(
        *("client", "create", "--organisation", ORGANISATION, "--name", "Fuzz", "--sso2", "--offline-access", "--json"),
        *("--redirect-uri", LANDING, "--logout-uri", LANDING, *options),
    ).json()
    assert installation.client is not None
    caller = await Caller(server, installation.client)()
    (candidate,) = await installation.candidates(1)
    await caller.activate(candidate, EMAIL)
    form = {"client_id": made["client_id"], "client_secret": made["client_secret"], "grant_type": "password"}
    response: httpx.Response = await server.http.post(TOKEN, data={**form, "username": EMAIL, "password": PASSWORD})
    return Credentials(made["client_id"], made["client_secret"], response.json()["access_token"])
