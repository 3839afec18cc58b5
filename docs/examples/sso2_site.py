"""A site that uses single sign-on (SSO2), with nothing but Python's standard library.

    CLIENT_ID=… CLIENT_SECRET=… ORGANISATION=demo python docs/examples/sso2_site.py

Its client must be created for SSO2, with http://localhost:8001/landing as its first redirect URI and the scope
/external/me/w. Start a second one (other client, PORT=8002) to see that a login on one site is a login on the other.
It keeps its visitors in memory and gets the session's status on every page: a real site keeps them in its own
session store and gets the status every six minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import os
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API = os.environ.get("STAMKUND", "http://localhost:8000")
SSO = os.environ.get("STAMKUND_SSO", API)
CLIENT_ID, CLIENT_SECRET = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
ORGANISATION, PORT = os.environ["ORGANISATION"], int(os.environ.get("PORT", "8001"))
HERE = f"http://localhost:{PORT}"
LEEWAY = 120
COOKIE = f"site{PORT}"  # browsers separate cookies by host, not by port

visitors: dict[str, dict] = {}
"""By the value of this site's own cookie: the session's sid and status, and the reader; empty until it has landed."""


def signed(**claims: str) -> str:
    """A request to SSO2: a JWT (HS256) with the client's secret, valid for a minute."""
    now = int(time.time())
    claims |= {"cid": CLIENT_ID, "iss": ORGANISATION, "aud": "pw-sso", "iat": now, "nbf": now, "exp": now + 60}
    text = ".".join(_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{text}.{_base64(_mac(text))}"


def verified(token: str) -> dict:
    """The claims of a response. Raises ValueError unless it is valid and meant for this client."""
    text, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_base64(_mac(text)), signature):
        raise ValueError("wrong signature")
    claims = json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))
    if not claims["nbf"] - LEEWAY <= time.time() <= claims["exp"] + LEEWAY or claims["aud"] != CLIENT_ID:
        raise ValueError("expired, not yet valid, or for another client")
    return claims


def call_sso(call: str, visitor: dict, request: BaseHTTPRequestHandler, **claims: str) -> dict:
    """Makes a call about the visitor's session (`sessionstatus`, `authenticate`, `logout`); returns its claims."""
    session = {"sid": visitor["sid"], "ipa": request.client_address[0], "uas": request.headers.get("User-Agent", "")}
    body = json.dumps({"t": signed(**session, **claims)}).encode()
    return verified(fetch(f"{SSO}/{call}", body, {"Content-Type": "application/json"})["t"])


def fetch(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> dict:
    with urllib.request.urlopen(urllib.request.Request(url, body, headers or {})) as response:
        return json.load(response)


def update(visitor: dict, claims: dict) -> None:
    """Updates a visitor from a response's claims. A ticket (`at`) is exchanged for a token, and that for the reader."""
    visitor["sid"], visitor["sts"] = claims["sid"], claims["sts"]  # after a login the sid may be another one
    if claims["sts"] != "loggedin":
        visitor["reader"] = None
    if claims["at"]:
        form = {"grant_type": "ticket", "ticket": claims["at"], "scope": "/external/me/w"}
        form |= {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = fetch(f"{API}/api/authorization/access_token", urllib.parse.urlencode(form).encode())
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        visitor["reader"] = fetch(f"{API}/external/api/v1/me", None, bearer)["item"]
        visitor["products"] = fetch(f"{API}/external/api/v1/me/active_products", None, bearer)["item"]


class Sso2Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path, query = urllib.parse.urlsplit(self.path).path, urllib.parse.urlsplit(self.path).query
        if path == "/landing":
            self.land(dict(urllib.parse.parse_qsl(query)))
            return
        visitor = visitors.get(self.cookie())
        if not visitor:  # unknown: SSO2 identifies the browser, and sends it back to /landing
            self.identify()
            return
        claims = call_sso("sessionstatus", visitor, self, lks=visitor["sts"])
        if claims["sts"] == "terminated" or claims["err"] == "session_not_found":
            del visitors[self.cookie()]
            self.redirect("/")
            return
        update(visitor, claims)
        self.show(visitor)

    def do_POST(self) -> None:
        visitor = visitors.get(self.cookie())
        if not visitor:
            self.redirect("/")
            return
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.path == "/logout":
            call_sso("logout", visitor, self)
            self.redirect("/")
            return
        claims = call_sso("authenticate", visitor, self, usr=form["email"], pwd=form["password"])
        visitor["error"] = claims["err"] and f"{claims['err']} {claims.get('raa', claims.get('frf', ''))}"
        update(visitor, claims)
        self.redirect("/")

    def identify(self) -> None:
        """Sends the browser to be identified, with a cookie that it must bring along when it lands.

        Else anybody could land a visitor in a session of their own, by a link: whatever the visitor does then, such as
        logging in, would happen in it. So the address to return to holds a hash of the cookie.
        """
        cookie = secrets.token_urlsafe()
        visitors[cookie] = {}
        self.redirect(f"{SSO}/identify?t={signed()}&r={HERE}/{state_of(cookie)}", cookie)

    def land(self, parameters: dict[str, str]) -> None:
        before = self.cookie()
        if visitors.get(before) != {} or parameters.get("r") != f"{HERE}/{state_of(before)}":
            self.redirect("/")  # not the browser that was sent to be identified, or it has landed already
            return
        claims = verified(parameters["t"])
        visitor = {"sid": claims["sid"], "reader": None, "error": None}
        update(visitor, claims)
        del visitors[before]
        cookie = secrets.token_urlsafe()
        visitors[cookie] = visitor
        self.redirect("/", cookie)

    def show(self, visitor: dict) -> None:
        reader = visitor["reader"]
        if reader:
            name, products = html.escape(f"{reader['first_name']}"), ", ".join(visitor["products"]["active_products"])
            page = f"<p>Hello {name}, you may read: {html.escape(products)}</p>"
            page += "<form method=post action=/logout><button>Log out</button></form>"
        else:
            page = f"<p>{html.escape(visitor['error'] or 'Nobody is logged in')}</p><form method=post action=/login>"
            page += "<input name=email><input name=password type=password><button>Log in</button></form>"
        self.respond(200, page)

    def cookie(self) -> str:
        morsel = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        return morsel.value if morsel else ""

    def redirect(self, location: str, cookie: str | None = None) -> None:
        attributes = f"{COOKIE}={cookie}; HttpOnly; SameSite=Lax; Path=/"
        self.respond(303, "", ("Location", location), *([("Set-Cookie", attributes)] if cookie else []))

    def respond(self, status: int, page: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", "text/html; charset=utf-8"), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page.encode())


def state_of(cookie: str) -> str:
    """What ties a landing to the browser that was sent away: part of the address to return to."""
    return f"?state={_base64(_mac(cookie))}"


def _mac(text: str) -> bytes:
    return hmac.new(CLIENT_SECRET.encode(), text.encode(), hashlib.sha256).digest()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Sso2Site)
    print(f"{HERE}/", flush=True)  # once it listens
    server.serve_forever()
