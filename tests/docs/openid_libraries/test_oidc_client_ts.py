"""oidc-client-ts in a real Chromium, with the code of docs/openid-libraries.md."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from tests.docs.openid_libraries.conftest import EMAIL, PASSWORD, Login
from tests.docs.openid_libraries.page import section
from tests.support import node as nodejs
from tests.support.node import Node
from tests.support.window import window

LIBRARY = "oidc-client-ts/dist/browser/oidc-client-ts.min.js"
HTML = b"""<!DOCTYPE html><html lang="en"><head><title>...</title><link rel="icon" href="data:,">
<script src="/library.js"></script><script src="/login.js"></script></head><body><script>
reader().then(user => { document.title = user ? user.profile.name : "Nobody"; }, error => { document.title = error; });
</script></body></html>"""


@contextmanager
def static_site(folder: Path) -> Iterator[int]:
    """A site of files alone: its port."""
    files = {"/library.js": nodejs.packages() / LIBRARY, "/login.js": folder / "login.js"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = files.get(self.path)
            body = HTML if file is None else file.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if file is None else "text/javascript")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@asynccontextmanager
async def logged_in(
    login: Login, chromium: Browser, host: str = "localhost", **flags: bool
) -> AsyncIterator[tuple[Page, str]]:
    """A window in which a reader has logged in to the site, and the site's address.

    The server is at 127.0.0.1, which to a browser is another site than localhost.
    """
    with static_site(login.folder) as port:
        address = f"http://{host}:{port}"
        client = await login.site(section("oidc-client-ts"), address)
        await login.service.store.clients.change(client.id, lambda c: msgspec.structs.replace(c, **flags))
        async with window(chromium, login.folder) as reader_window:
            page = reader_window.page
            await page.goto(f"{address}/")
            await expect(page).to_have_title("Nobody")
            await log_in(page)
            await expect(page).to_have_title("Ove Ovesson")
            yield page, address


async def log_in(page: Page) -> None:
    await page.evaluate("() => { logIn(); }")
    await page.locator("input[type=email]").fill(EMAIL)
    await page.locator("input[type=password]").fill(PASSWORD)
    await page.locator("button").click()


async def user(page: Page) -> dict[str, Any]:
    state: dict[str, Any] = await page.evaluate("async () => ({...await users.getUser()})")
    return state


async def test_a_reader_logs_in_and_out(login: Login, chromium: Browser, node: Node) -> None:
    async with logged_in(login, chromium) as (page, address):
        before = await user(page)
        claims = before["profile"]
        assert {name: claims[name] for name in login.claims} == login.claims
        await page.evaluate("async () => { await users.signinSilent(); }")
        after = await user(page)
        assert after["access_token"] != before["access_token"] and after["refresh_token"] != before["refresh_token"]
        await page.evaluate("() => { logOut(); }")
        await expect(page).to_have_title("Nobody")
        assert page.url.startswith(f"{address}/")
        headers = {"authorization": f"Bearer {after['access_token']}"}
        assert (await login.service.http.get("/userinfo", headers=headers)).status_code == 401, "it was revoked"
        await log_in(page)  # the page asks for the password again
        await expect(page).to_have_title("Ove Ovesson")


SILENT = "async () => { try { await users.signinSilent(); return ''; } catch (error) { return error.error; } }"


@pytest.mark.parametrize(("host", "error"), [("127.0.0.1", ""), ("localhost", "login_required")])
async def test_a_frame_renews_on_the_same_site_alone(
    login: Login, chromium: Browser, node: Node, host: str, error: str
) -> None:
    """Without a refresh token, in a browser that is logged in."""
    async with logged_in(login, chromium, host, offline_access=False) as (page, _):
        before = await user(page)
        assert before["refresh_token"] is None
        assert await page.evaluate(SILENT) == error
        assert ((await user(page))["access_token"] != before["access_token"]) == (error == "")
