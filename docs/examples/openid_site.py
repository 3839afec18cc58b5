"""A site that logs readers in by OpenID Connect with Authlib (`pip install authlib httpx`).

    CLIENT_ID=… CLIENT_SECRET=… python docs/examples/openid_site.py

Its client needs http://localhost:8003/callback as a redirect URI and the scopes /openid, /openid/profile and
/openid/email. Any other OpenID Connect library does the same: it needs the issuer's address, id and secret.
"""

from __future__ import annotations

import html
import os
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client

ISSUER = os.environ.get("STAMKUND", "http://localhost:8000")
PORT = int(os.environ.get("PORT", "8003"))
CALLBACK = f"http://localhost:{PORT}/callback"

provider = httpx.get(f"{ISSUER}/.well-known/openid-configuration").raise_for_status().json()
pending: dict[str, str] = {}
"""The PKCE verifier of each login that has not come back yet, by its state."""


def client() -> OAuth2Client:
    return OAuth2Client(
        os.environ["CLIENT_ID"],
        os.environ["CLIENT_SECRET"],
        scope="openid profile email",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )


class OpenIdSite(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/callback":
            self.handle_callback()
            return
        verifier = generate_token(48)
        login_url, state = client().create_authorization_url(provider["authorization_endpoint"], code_verifier=verifier)
        pending[state] = verifier
        self.respond(303, "", ("Location", login_url), ("Set-Cookie", f"state={state}; HttpOnly; SameSite=Lax; Path=/"))

    def handle_callback(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("state")
        verifier = pending.pop(query.get("state", ""), None)
        if verifier is None or cookie is None or cookie.value != query["state"] or query["iss"] != provider["issuer"]:
            self.respond(400, "This login did not begin here")  # forged, mixed up, or too old
            return
        if "error" in query:
            self.respond(400, html.escape(query["error_description"]))
            return
        with client() as http:
            http.fetch_token(provider["token_endpoint"], code=query["code"], code_verifier=verifier)
            reader = http.get(provider["userinfo_endpoint"]).json()
        self.respond(200, f"<p>Hello {html.escape(reader['name'])}, {html.escape(reader['email'])}</p>")

    def respond(self, status: int, page: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", "text/html; charset=utf-8"), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page.encode())


if __name__ == "__main__":
    print(f"http://localhost:{PORT}/", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), OpenIdSite).serve_forever()
