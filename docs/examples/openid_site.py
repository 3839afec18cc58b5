"""A site that logs readers in by OpenID Connect with Authlib (`pip install authlib httpx`).

    CLIENT_ID=… CLIENT_SECRET=… python docs/examples/openid_site.py

Its client must have http://localhost:8003/callback as a redirect URI and the scopes /openid, /openid/profile and
/openid/email. Any other OpenID Connect library does the same: it wants the issuer's address, id and secret.
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
BACK = f"http://localhost:{PORT}/callback"

known = httpx.get(f"{ISSUER}/.well-known/openid-configuration").raise_for_status().json()
under_way: dict[str, str] = {}
"""The PKCE verifier of each login that has begun, by its state."""


def client() -> OAuth2Client:
    return OAuth2Client(
        os.environ["CLIENT_ID"],
        os.environ["CLIENT_SECRET"],
        scope="openid profile email",
        redirect_uri=BACK,
        code_challenge_method="S256",
    )


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/callback":
            self.come_back()
            return
        verifier = generate_token(48)
        where, state = client().create_authorization_url(known["authorization_endpoint"], code_verifier=verifier)
        under_way[state] = verifier
        self.answer(303, "", ("Location", where), ("Set-Cookie", f"state={state}; HttpOnly; SameSite=Lax; Path=/"))

    def come_back(self) -> None:
        said = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        begun = SimpleCookie(self.headers.get("Cookie", "")).get("state")
        verifier = under_way.pop(said.get("state", ""), None)
        if verifier is None or begun is None or begun.value != said["state"] or said["iss"] != known["issuer"]:
            self.answer(400, "This login was not begun here")  # forged, mixed up, or too old
            return
        if "error" in said:
            self.answer(400, html.escape(said["error_description"]))
            return
        with client() as http:
            http.fetch_token(known["token_endpoint"], code=said["code"], code_verifier=verifier)
            reader = http.get(known["userinfo_endpoint"]).json()
        self.answer(200, f"<p>Hello {html.escape(reader['name'])}, {html.escape(reader['email'])}</p>")

    def answer(self, status: int, page: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", "text/html; charset=utf-8"), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page.encode())


if __name__ == "__main__":
    print(f"http://localhost:{PORT}/", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), Site).serve_forever()
