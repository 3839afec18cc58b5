"""The browser that the other tests rely on: where it comes from, and what it does with our cookies."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.async_api import Browser, async_playwright

from tests.support import chromium as support
from tests.support.chromium import VARIABLE, ChromiumUnavailable, Executable, executable

COOKIE = "__Host-kept=1; Path=/; Secure; HttpOnly; SameSite=Lax"


class Echo(BaseHTTPRequestHandler):
    """Sets a cookie, and shows the cookies that came."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Set-Cookie", COOKIE)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(self.headers.get("Cookie", "none").encode())

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_secure_cookies_live_on_the_machine_itself(chromium: Browser, port: int, host: str) -> None:
    """Chromium trusts both names of the machine as if they were https, `Secure` and `__Host-` included."""
    context = await chromium.new_context()
    page = await context.new_page()
    bodies = []
    for _ in range(2):
        await page.goto(f"http://{host}:{port}/")
        bodies.append(await page.inner_text("body"))
    assert bodies == ["none", "__Host-kept=1"]
    await context.close()


async def test_no_other_host_can_be_reached(chromium: Browser) -> None:
    page = await chromium.new_page()
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        await page.goto("https://herald.example/")
    await page.close()


@pytest.mark.skipif(not support.fits(), reason="the package's Chromium is for Linux on x86-64")
async def test_the_libraries_that_come_along_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(support, "_lacks_libraries", lambda _: True)
    program = executable()
    assert "LD_LIBRARY_PATH" in program.environment
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program.path, args=["--no-sandbox"], env=dict(program.environment)
        )
        page = await browser.new_page()
        await page.set_content("<h1>Välkommen</h1>")
        assert await page.inner_text("h1") == "Välkommen"
        await browser.close()


def test_another_one_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "browser"
    monkeypatch.setenv(VARIABLE, str(program))
    with pytest.raises(ChromiumUnavailable, match=f"{VARIABLE} names .*browser, which is no program"):
        executable()
    program.touch(0o755)
    assert executable() == Executable(program)


def test_elsewhere_it_is_the_machines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    monkeypatch.setattr(support, "_APPLICATIONS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ChromiumUnavailable, match=f"install Chromium or Google Chrome .* {VARIABLE}"):
        executable()
    (tmp_path / "google-chrome").touch(0o755)
    assert executable() == Executable(Path(str(shutil.which("google-chrome"))))
