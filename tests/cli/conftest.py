"""Fixtures for tests of the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stamkund.cli import app
from tests.support.installation_fixtures import (
    embedded,
    empty,
    empty_embedded,
    installation,
    prepared_postgres,
    prepared_sqlite,
)

__all__ = [
    "embedded",
    "empty",
    "empty_embedded",
    "installation",
    "prepared_postgres",
    "prepared_sqlite",
]

Run = Callable[..., Result]


@pytest.fixture
def run(fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an installation of this test's own, with the organisation `herald`."""
    monkeypatch.setenv("STAMKUND_DATABASE_URL", fresh_url)
    monkeypatch.setenv("STAMKUND_KEY_FILE", str(tmp_path / "stamkund.key"))
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str | Path) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    assert invoke("init", "--organisation", "herald").exit_code == 0
    return invoke
