"""Tokens, sids and secrets: how many random bits each has, and that they are the system's."""

from __future__ import annotations

import ast
import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

import stamkund
from stamkund.identity.sessions import new_sid
from stamkund.identity.tokens import new_token
from stamkund.identity.trusted_browsers import TrustedBrowsers
from stamkund.rules.organisation import new_secret
from stamkund.settings import Settings
from stamkund.vault import Vault
from tests.support.service import NOW

LEAST_BYTES = 16
"""128 bits, which OWASP asks for."""


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize(("make", "size"), [(new_token, 32), (new_sid, 24), (new_secret, 36)])
def test_secrets_are_random_bytes_of_the_system(
    make: Callable[[], str], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All bytes that it is made of: the text holds what the system made and nothing less."""
    assert size >= LEAST_BYTES
    assert len({make() for _ in range(1000)}) == 1000
    random = os.urandom(size)
    monkeypatch.setattr(secrets, "token_bytes", {size: random}.__getitem__)
    assert decoded(make()) == random


def test_so_is_the_id_of_a_trusted_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browsers = TrustedBrowsers(Vault.create(tmp_path / "a.key", NOW), Settings())
    random = os.urandom(LEAST_BYTES)
    monkeypatch.setattr(secrets, "token_bytes", {LEAST_BYTES: random}.__getitem__)
    [(_, cookie)] = browsers.cookies_for("herald", "ove@example.com", None, NOW)
    assert decoded(cookie.decode().partition("=")[2].partition(".")[0]) == random


def test_nothing_is_made_by_a_generator_that_can_be_predicted() -> None:
    files = list(Path(stamkund.__file__).parent.rglob("*.py"))
    names = {
        alias.name.partition(".")[0]
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in ([ast.alias(node.module or "")] if isinstance(node, ast.ImportFrom) else node.names)
    }
    assert "secrets" in names and "random" not in names
