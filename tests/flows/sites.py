"""Publishers' sites with the connector in them: real servers that people visit with a browser.

A site knows each visitor by a cookie of its own and stores what it learned of their session. It gets the status at
every page view, where a real one does so every six minutes.
"""

from __future__ import annotations

import asyncio
import html
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import uvicorn

from tests.support.connector import Connector
from tests.support.service import Publisher

SSO = "https://sso.example"
LANDING = "/landing.php"
_SCOPES = ("/external/me/w",)


@dataclass
class Visitor:
    """What a site keeps of one visitor. `status`: the last known status of the session."""

    sid: str = ""
    status: str = ""
    email: str = ""
    products: list[str] = field(default_factory=list)
    message: str = ""

    def log_out(self) -> None:
        self.email, self.products, self.status = "", [], ""


@dataclass(frozen=True)
class Response:
    status: int
    body: str = ""
    location: str = ""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    target: str
    query: dict[str, str]
    form: dict[str, str]


class WebSite:
    """The site itself. `name` is its origin, as browsers know it."""

    def __init__(self, name: str, connector: Connector) -> None:
        self.name = name
        self.connector = connector
        self.visitors: dict[str, Visitor] = {}
        self.questions = 0

    async def response(self, visitor: Visitor, request: Request) -> Response:
        if request.path == LANDING:
            return await self._landed(visitor, request.query["t"], request.query["r"])
        if request.method == "POST":
            return await self._submitted(visitor, request)
        if await self._must_identify(visitor):
            return Response(302, location=self.connector.identify(SSO, f"{self.name}{request.target}"))
        return Response(200, _page(visitor))

    async def _landed(self, visitor: Visitor, token: str, back: str) -> Response:
        claims = self.connector.read(token)
        visitor.sid, visitor.status = claims["sid"], claims["sts"]
        if claims["sts"] == "loggedin" and claims["at"]:
            await self._welcome(visitor, claims["at"])
        return Response(302, location=back)

    async def _must_identify(self, visitor: Visitor) -> bool:
        if not visitor.sid:
            return True
        self.questions += 1
        claims = await self.connector.status(visitor.sid, visitor.status)
        before, visitor.status = visitor.status, claims["sts"]
        if claims["err"] == "session_not_found" or claims["sts"] == "terminated":
            visitor.log_out()
            return True
        if claims["sts"] == "anon":
            is_logged_in = bool(visitor.email)
            visitor.email = ""
            return is_logged_in
        if before != "loggedin" and claims["at"]:
            await self._welcome(visitor, claims["at"])
        return not visitor.email

    async def _welcome(self, visitor: Visitor, ticket: str) -> None:
        response = await self.connector.exchange(ticket)
        assert response.status_code == 200, response.text
        me, products = await self.connector.reader(response.json()["access_token"])
        visitor.email, visitor.products = me["email"], products

    async def _submitted(self, visitor: Visitor, request: Request) -> Response:
        if request.path == "/logout":
            claims = await self.connector.log_out(visitor.sid)
            assert claims["sts"] == "terminated"
            visitor.log_out()
            return Response(302, location=f"{self.name}/")
        claims = await self.connector.authenticate(visitor.sid, request.form["email"], request.form["password"])
        visitor.message, visitor.sid = _message(claims), claims["sid"]
        if claims["err"] is None:
            visitor.status = claims["sts"]
            await self._welcome(visitor, claims["at"])
        return Response(302, location=f"{self.name}/")

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(self.connector, receive, send)
            return
        key = _cookie(scope) or secrets.token_hex(8)
        visitor = self.visitors.setdefault(key, Visitor())
        response = await self.response(visitor, await _request(scope, receive))
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"set-cookie", f"tpw_id={key}; Path=/".encode())]
        if response.location:
            headers.append((b"location", response.location.encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body.encode()})


def _message(claims: dict[str, Any]) -> str:
    """The message that the connector shows to readers: the same for an inactive account and a wrong password."""
    if claims["err"] == "account_frozen":
        return f"Frozen for {claims['frf']} seconds"
    if claims["err"]:
        return f"Wrong username or password, {claims['raa']} left"
    return ""


def _page(visitor: Visitor) -> str:
    who = html.escape(visitor.email or "Nobody")
    alert = f'<p role="alert">{html.escape(visitor.message)}</p>' if visitor.message else ""
    return (
        f"<!DOCTYPE html><html lang=en><h1>{who}</h1><p id=products>{' '.join(visitor.products)}</p>{alert}"
        '<form id=login action="/login" method="post"><input name="email"><input name="password"></form>'
        '<form id=logout action="/logout" method="post"></form></html>'
    )


def _cookie(scope: Mapping[str, Any]) -> str | None:
    sent = SimpleCookie(dict(scope["headers"]).get(b"cookie", b"").decode())
    return sent["tpw_id"].value if "tpw_id" in sent else None


async def _request(scope: Mapping[str, Any], receive: Any) -> Request:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    query_string = scope["query_string"].decode()
    target = scope["path"] + (f"?{query_string}" if query_string else "")
    query, form = (parse_qs(raw.decode(), keep_blank_values=True) for raw in (scope["query_string"], body))
    return Request(
        scope["method"], scope["path"], target, {n: v[0] for n, v in query.items()}, {n: v[0] for n, v in form.items()}
    )


async def _live(connector: Connector, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await connector.http.aclose()
    await send({"type": "lifespan.shutdown.complete"})


class Names(httpx.AsyncBaseTransport):
    """The names of the world's hosts, and where they really are; between them stand proxies that speak HTTPS."""

    def __init__(self) -> None:
        self.urls: dict[str, str] = {}
        self._http = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.scheme == "https"
        there = urlsplit(self.urls[request.url.host])
        request.headers["host"] = request.url.host
        request.url = request.url.copy_with(scheme="http", host=there.hostname, port=there.port)
        return await self._http.handle_async_request(request)

    async def aclose(self) -> None:
        """Each browser closes its transport; the others go on with theirs."""

    async def close(self) -> None:
        await self._http.aclose()


@asynccontextmanager
async def web_site(publisher: Publisher, host: str, names: Names) -> AsyncIterator[WebSite]:
    """A running site of an organisation, under a name of its own."""
    name = f"https://{host}"
    client, secret = await publisher.new_client(*_SCOPES, sso2=True, redirect_uris=[f"{name}{LANDING}"])
    service = publisher.service
    made = WebSite(name, Connector(service.url, publisher.id, client.id, secret, service.clock))
    async with running_app(made) as url:
        names.urls[host] = url
        yield made


@asynccontextmanager
async def running_app(app: Any) -> AsyncIterator[str]:
    """Runs an application in a server of its own, in a thread; gives its address."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", access_log=False, log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the site did not start"
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.to_thread(thread.join)
