"""A running Stamkund with one reader, and sites of others' libraries as docs/openid-libraries.md sets them up."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from stamkund.cli import app
from stamkund.clock import system_clock
from stamkund.settings import PREFIX
from tests.docs.openid_libraries.page import Section
from tests.support.browser import Browser, Page
from tests.support.chromium import chromium
from tests.support.installation import ClientSecret
from tests.support.node import node
from tests.support.service import Publisher, RunningService

__all__ = ["chromium", "node"]

EMAIL, PASSWORD = "ove.ovesson@example.com", "Df7Vdd8!!vnM"


@dataclass
class Login:
    """Stamkund for a site: a publisher, and a reader who can log in."""

    publisher: Publisher
    reader: str
    folder: Path

    @property
    def service(self) -> RunningService:
        return self.publisher.service

    @property
    def url(self) -> str:
        return self.service.url

    @property
    def claims(self) -> dict[str, str]:
        """What a site should know of the reader."""
        return {"sub": self.reader, "email": EMAIL, "given_name": "Ove", "family_name": "Ovesson"}

    async def site(self, library: Section, address: str) -> ClientSecret:
        """Makes the library's client by its command, and writes its files."""
        options = library.options(address)
        made = await asyncio.to_thread(self._run, *options, "--organisation", self.publisher.id, "--json")
        client = ClientSecret(made["client_id"], made.get("client_secret", ""))
        library.write(self.folder, self.url, address, client)
        return client

    def _run(self, *arguments: str) -> dict[str, str]:
        settings = self.service.settings
        names = ("database_url", "key_file", "public_url")
        environment = {PREFIX + name.upper(): str(getattr(settings, name)) for name in names}
        done = CliRunner().invoke(app, list(arguments), env=environment)
        assert done.exit_code == 0, done.output
        return msgspec.json.decode(done.output, type=dict[str, str])


@pytest.fixture
async def login(fresh_url: str, tmp_path: Path) -> AsyncIterator[Login]:
    """At the machine's own time, because libraries look at their own clocks."""
    service = RunningService(fresh_url, tmp_path / "stamkund.key")
    service.clock.now = system_clock()
    folder = tmp_path / "site"
    folder.mkdir()
    async with service as running:
        publisher = await running.publisher()
        yield Login(publisher, await publisher.activated(EMAIL), folder)


@dataclass
class LibrarySite:
    """A site that runs, and a reader's browser."""

    address: str
    browser: Browser
    client: ClientSecret

    async def home(self) -> dict[str, str] | None:
        """Whom the site knows in this browser."""
        return known_reader(await self.browser.get(f"{self.address}/"))

    async def begin(self) -> Page:
        """Sends the form of a home page that knows nobody."""
        assert await self.home() is None
        return await self.browser.submit()

    async def log_in(self) -> Page:
        page = await self.begin()
        assert [form.id for form in page.forms] == ["login"], page.text
        return await self.browser.submit(email=EMAIL, password=PASSWORD)


def known_reader(page: Page) -> dict[str, str] | None:
    match = re.match(r"<pre>(.*?)</pre>", page.text)
    assert match is not None, page.text
    reader: dict[str, str] | None = json.loads(match[1])
    return reader


@contextmanager
def process(*command: str | Path, port: int) -> Iterator[str]:
    """A site as a process of its own, which prints a line when it listens; its address."""
    running = subprocess.Popen([*command, str(port)], stdout=subprocess.PIPE, text=True, env=_environment())
    assert running.stdout is not None
    try:
        assert running.stdout.readline() == "listening\n", "the site did not start"
        yield f"http://localhost:{port}"
    finally:
        running.kill()
        running.stdout.close()
        running.wait()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("NODE_OPTIONS", "NODE_PATH")}
