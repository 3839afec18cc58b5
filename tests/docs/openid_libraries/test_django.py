"""Three Python libraries, each in a Django site of its own, with the settings of docs/openid-libraries.md."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests.docs.openid_libraries.conftest import LibrarySite, Login, known_reader, process
from tests.docs.openid_libraries.page import section
from tests.support.browser import Browser
from tests.support.shell_lines import free_port

PROGRAM = Path(__file__).with_name("django_site.py")
LIBRARIES = ("Authlib", "mozilla-django-oidc", "social-auth-core")
REFRESHING = ("Authlib", "social-auth-core")


@asynccontextmanager
async def django_site(login: Login, library: str, **changes: str) -> AsyncIterator[LibrarySite]:
    """`changes`: other values for settings of the page."""
    port = free_port()
    client = await login.site(section(library), f"http://localhost:{port}")
    for name, value in changes.items():
        file = login.folder / "settings.py"
        assert f"{name} = " in file.read_text()
        file.write_text(file.read_text() + f"{name} = {value}\n")
    with process(sys.executable, PROGRAM, login.folder, port=port) as address:
        async with Browser(login.service, hosts=[address]) as browser:
            yield LibrarySite(address, browser, client)


@pytest.mark.parametrize("library", LIBRARIES)
async def test_a_reader_logs_in_and_out(login: Login, library: str) -> None:
    async with django_site(login, library) as site:
        page = await site.log_in()
        assert known_reader(page) == login.claims
        assert any("code_challenge_method=S256" in address for address in page.history)
        if library in REFRESHING:
            renewed = json.loads((await site.browser.get(f"{site.address}/refresh")).text)
            assert renewed["before"] != renewed["after"] and renewed["email"] == login.claims["email"]
        await site.home()
        page = await site.browser.submit()
        assert page.url.startswith(f"{site.address}/") and known_reader(page) is None
        page = await site.begin()
        assert [form.id for form in page.forms] == ["login"], "the session with Stamkund has ended too"


@pytest.mark.parametrize("library", ["mozilla-django-oidc", "social-auth-core"])
async def test_the_library_verifies_the_id_token(login: Login, library: str) -> None:
    """One that is signed with another algorithm than the settings say logs nobody in."""
    async with django_site(login, library) as site:
        change = {"id_token_signed_response_alg": "ES256"}
        await login.service.store.clients.change(site.client.id, lambda c: msgspec.structs.replace(c, **change))
        await site.log_in()
        assert await site.home() is None


async def test_mozilla_django_oidc_looks_again_whether_the_reader_is_logged_in(login: Login) -> None:
    library = "mozilla-django-oidc"
    async with django_site(login, library, OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS="1") as site:
        await site.log_in()
        await asyncio.sleep(1.1)
        page = await site.browser.get(f"{site.address}/")
        assert known_reader(page) == login.claims
        assert any("prompt=none" in address for address in page.history)
        await site.browser.get("/logout", oid=login.publisher.id)
        await site.browser.submit()
        await asyncio.sleep(1.1)
        assert await site.home() is None
