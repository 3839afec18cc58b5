"""The limits of a connection that docs/operating.md promises and no setting names."""

from __future__ import annotations

from pathlib import Path

import pytest

from stamkund.server.process import configuration
from stamkund.server.protocol import MAX_HEADER_LINES, MAX_WAITING
from stamkund.server.proxies import MAX_HOPS
from stamkund.settings import Settings

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"


@pytest.mark.parametrize(
    "promise",
    [
        f"closed after {configuration(Settings()).timeout_keep_alive} seconds",
        f"or {MAX_HEADER_LINES} lines gets 431",
        f"more than {MAX_WAITING} requests",
        f"last {MAX_HOPS} addresses",
        f"sign of life for {configuration(Settings()).timeout_worker_healthcheck} seconds",
    ],
)
def test_operating_says_what_is_so(promise: str) -> None:
    assert promise in " ".join(OPERATING.read_text().split())
