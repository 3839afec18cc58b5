"""What docs/openid-libraries.md says of itself: its commands can be run, its table names what was tried."""

from __future__ import annotations

import importlib.metadata
import json
import re

from tests.docs.openid_libraries.conftest import Login
from tests.docs.openid_libraries.page import PAGE, section, titles
from tests.support import node as nodejs

ROWS = re.findall(r"^\| \[([^]]+)\]\(#([^)]+)\) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
LIBRARIES = [row[0] for row in ROWS]
IN_TESTS = {library: version.split(",")[0] for library, _, version, how in ROWS if "in the project's tests" in how}


def test_every_library_has_a_row_and_a_section() -> None:
    assert titles() == ["What holds for all", *LIBRARIES]
    for library, anchor, *_ in ROWS:
        assert anchor == re.sub(r"[^\w -]", "", library.lower()).replace(" ", "-")


async def test_every_client_can_be_made(login: Login) -> None:
    for library in LIBRARIES:
        made = await login.site(section(library), "https://site.example.com")
        stored = await login.service.store.clients.get(made.id)
        assert stored is not None and {"/openid", "/openid/profile", "/openid/email"} <= set(stored[0].scopes), library
        assert stored[0].redirect_uris and stored[0].public == (made.secret == "")


def test_the_versions_are_those_of_the_tests() -> None:
    packages = json.loads((nodejs.FOLDER / "package.json").read_text())["dependencies"]
    assert len(IN_TESTS) >= 4
    for library, version in IN_TESTS.items():
        assert version == (packages.get(library) or importlib.metadata.version(library)), library
