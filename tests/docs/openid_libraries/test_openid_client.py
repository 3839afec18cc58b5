"""openid-client in a Node.js site, with the code of docs/openid-libraries.md."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tests.docs.openid_libraries.conftest import LibrarySite, Login, known_reader, process
from tests.docs.openid_libraries.page import section
from tests.support import node as nodejs
from tests.support.browser import Browser
from tests.support.node import Node
from tests.support.shell_lines import free_port

PROGRAM = Path(__file__).with_name("openid_client_site.mjs")


@asynccontextmanager
async def node_site(login: Login) -> AsyncIterator[LibrarySite]:
    """With what the page says to add where the server is reached without TLS."""
    port = free_port()
    client = await login.site(section("openid-client"), f"http://localhost:{port}")
    file = login.folder / "login.mjs"
    text, checks = file.read_text(), "execute: [openid.enableNonRepudiationChecks]"
    assert checks in text
    file.write_text(text.replace(checks, checks.replace("[", "[openid.allowInsecureRequests, ")))
    (login.folder / "node_modules").symlink_to(nodejs.packages())
    with process(nodejs.binary(), PROGRAM, login.folder, port=port) as address:
        async with Browser(login.service, hosts=[address]) as browser:
            yield LibrarySite(address, browser, client)


async def test_a_reader_logs_in_and_out(login: Login, node: Node) -> None:
    async with node_site(login) as site:
        page = await site.log_in()
        assert known_reader(page) == login.claims
        renewed = json.loads((await site.browser.get(f"{site.address}/refresh")).text)
        assert renewed["before"] != renewed["after"] and renewed["email"] == login.claims["email"]
        await site.home()
        page = await site.browser.submit()
        assert page.url == f"{site.address}/" and known_reader(page) is None
        assert [form.id for form in (await site.begin()).forms] == ["login"], "the session with Stamkund has ended too"


async def test_the_library_insists_on_the_issuer(login: Login, node: Node) -> None:
    """So the page is right that a client of this library can't go without."""
    async with node_site(login) as site:
        flag = {"issuer_in_redirects": False}
        await login.service.store.clients.change(site.client.id, lambda c: msgspec.structs.replace(c, **flag))
        page = await site.log_in()
        assert page.status == 500 and "OAUTH_INVALID_RESPONSE" in page.text and '"iss"' in page.text
