"""What sites in the field run: the WordPress connector as it is now (SSO2), and as it was in 2021 (password grant).

Written from what is publicly known of that code: what it sends and in which encoding, with which leeway it reads, and
which fields it looks at. It knows nothing of ours, so it makes its tokens itself, as PHP does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

LEEWAY_SECONDS = 120
TOKEN_PATH = "/api/authorization/access_token"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Läsare/1.0"
FORM = "application/x-www-form-urlencoded"
_count = itertools.count()


class NotDecoded(Exception):
    """A response's token is not one that the connector takes: its code `jwt_decode_failed`."""


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def php_json(value: Any) -> str:
    """`json_encode`: no blanks, ASCII alone, and slashes escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def signed(claims: dict[str, Any], secret: str, header: dict[str, Any] | None = None) -> str:
    """A token as firebase/php-jwt makes it."""
    head = php_json(header or {"typ": "JWT", "alg": "HS256"})
    text = f"{encoded(head.encode())}.{encoded(php_json(claims).encode())}"
    return f"{text}.{encoded(hmac.digest(secret.encode(), text.encode(), hashlib.sha256))}"


def decoded(token: str, secret: str, now: int) -> dict[str, Any]:
    """What a token says, read as firebase/php-jwt reads it with `JWT::$leeway = 120`."""
    try:
        text, signature = token.rsplit(".", 1)
        header, payload = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in text.split("."))
    except (ValueError, binascii.Error) as error:
        raise NotDecoded("form") from error
    if header["alg"] != "HS256":
        raise NotDecoded("algorithm")
    if not hmac.compare_digest(encoded(hmac.digest(secret.encode(), text.encode(), hashlib.sha256)), signature):
        raise NotDecoded("signature")
    if max(payload.get("nbf", 0), payload.get("iat", 0)) > now + LEEWAY_SECONDS:
        raise NotDecoded("before valid")
    if now - LEEWAY_SECONDS >= payload["exp"]:
        raise NotDecoded("expired")
    claims: dict[str, Any] = payload
    return claims


@dataclass
class Connector:
    """The connector as it is now, set up for one site: a client with the flag SSO2 and the scope `/external/me/w`."""

    url: str
    organisation: str
    client: str
    secret: str
    clock: Callable[[], int]
    ticket_scope: str = "/external/me/w"

    def __post_init__(self) -> None:
        self.http = httpx.AsyncClient(base_url=self.url, timeout=30)

    def token(self, seconds: int = 10, **claims: Any) -> str:
        now = self.clock()
        times = {"aud": "pw-sso", "nbf": now, "exp": now + seconds, "iat": now}
        return signed({"cid": self.client, "iss": self.organisation, **claims, **times}, self.secret)

    def identify(self, host: str, return_url: str) -> str:
        """Where a browser is sent that the site doesn't know. The address that it wanted is not encoded."""
        return f"{host}/identify?t={self.token(60)}&r={return_url}"

    async def status(self, sid: str, last_known: str | None) -> dict[str, Any]:
        return await self.call("sessionstatus", sid=sid, lks=last_known)

    async def authenticate(self, sid: str, email: str, password: str, **visitor: Any) -> dict[str, Any]:
        """Each a second of its own, as it were, although the clock of tests stands still."""
        return await self.call("authenticate", sid=sid, usr=email, pwd=password, n=next(_count), **visitor)

    async def authenticate_with_ticket(self, sid: str, ticket: str, **visitor: Any) -> dict[str, Any]:
        return await self.call("authenticatewithticket", sid=sid, at=ticket, n=next(_count), **visitor)

    async def log_out(self, sid: str) -> dict[str, Any]:
        return await self.call("logout", sid=sid)

    async def create_session(self) -> dict[str, Any]:
        """What an app's server requests instead of identifying a browser. Its documented sample holds for a day."""
        app = {"apn": "News", "apv": "1.0", "osn": "iOS", "osv": "17.0"}
        return await self.call("createsession", 86_400, **app)

    async def call(self, operation: str, seconds: int = 10, **claims: Any) -> dict[str, Any]:
        """The claims of the response. The visitor is described in each request."""
        sent = self.token(seconds, **{"ipa": "192.0.2.7", "uas": AGENT, **claims})
        response = await self.send(operation, sent)
        assert response.status_code == 200, response.text
        return self.read(response.json()["t"])

    def read(self, token: str) -> dict[str, Any]:
        """The claims of a token that was meant for this site. Raises NotDecoded."""
        return decoded(token, self.secret, self.clock())

    async def send(self, operation: str, token: str) -> httpx.Response:
        return await self.http.post(
            f"/{operation}", content=php_json({"t": token}), headers={"content-type": "application/json"}
        )

    async def exchange(self, ticket: str) -> httpx.Response:
        """The token endpoint's response to a ticket. The fields are pasted together, not encoded."""
        return await self._token("ticket", f"scope={self.ticket_scope}&ticket={ticket}")

    async def reader(self, access_token: str) -> tuple[dict[str, Any], list[str]]:
        """Who is logged in, and what they may read."""
        headers = {"authorization": f"Bearer {access_token}", "accept": "application/json"}
        me = await self.http.get("/external/api/v1/me", headers=headers)
        products = await self.http.get("/external/api/v1/me/active_products", headers=headers)
        assert (me.status_code, products.status_code) == (200, 200), (me.text, products.text)
        return me.json()["item"], products.json()["item"]["active_products"]

    async def _token(self, grant: str, more: str) -> httpx.Response:
        body = f"client_id={self.client}&client_secret={self.secret}&grant_type={grant}&{more}"
        headers = {"content-type": FORM, "accept": "application/json"}
        return await self.http.post(TOKEN_PATH, content=body.encode(), headers=headers)


class Connector2021(Connector):
    """The connector of 2021: the site's own form, the password grant, and the first refresh token for ever after."""

    async def attempts(self, email: str) -> dict[str, Any]:
        """Before each login: whether the account is frozen, and until when."""
        response = await self.http.get(
            "/external/api/v1/accounts/get_authentication_attempts", params={"email": email}, headers=await self._own()
        )
        assert response.status_code == 200, response.text
        item: dict[str, Any] = response.json()["item"]
        return item

    async def log_in(self, email: str, password: str) -> httpx.Response:
        username = f"{self.organisation}^{email}"
        scope = "/external/me/w /external/me/r"
        return await self._token("password", f"username={username}&password={password}&scope={scope}")

    async def report(self, email: str, successful: bool) -> None:
        """Sent after each login; the response is not looked at."""
        body = {"email": email, "login_successful": successful, "user_agent": AGENT, "persist": False}
        headers = {"content-type": "application/json", **await self._own()}
        path = "/external/api/v1/accounts/create_authentication_attempt"
        await self.http.post(path, content=php_json(body), headers=headers)

    async def refresh(self, refresh_token: str) -> dict[str, Any]:
        """Only `access_token` and `expires_in` are read, so a next refresh token would be lost."""
        response = await self._token("refresh_token", f"refresh_token={refresh_token}")
        assert response.status_code == 200, response.text
        body = response.json()
        return {"access_token": body["access_token"], "expires_in": body["expires_in"]}

    async def _own(self) -> dict[str, str]:
        response = await self._token("none", "scope=/external/account/r /external/account/w")
        assert response.status_code == 200, response.text
        return {"authorization": f"Bearer {response.json()['access_token']}"}
