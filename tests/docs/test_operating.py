"""What docs/operating.md says that no setting names: limits of a connection, and the events of the audit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stamkund.rules.events import AuditEvent
from stamkund.server.process import options
from stamkund.server.protocol import MAX_HEADER_LINES, MAX_WAITING
from stamkund.server.proxies import MAX_HOPS
from stamkund.settings import Settings

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"


@pytest.mark.parametrize(
    "promise",
    [
        f"closed after {options(Settings())['timeout_keep_alive']} seconds",
        f"or {MAX_HEADER_LINES} lines gets 431",
        f"more than {MAX_WAITING} requests",
        f"last {MAX_HOPS} addresses",
        f"sign of life for {options(Settings())['timeout_worker_healthcheck']} seconds",
    ],
)
def test_operating_says_what_is_so(promise: str) -> None:
    assert promise in " ".join(OPERATING.read_text().split())


def test_operating_lists_the_events_of_the_audit() -> None:
    [table] = re.findall(r"\| Event \|.*\n\|[- |]*\n((?:\|.*\n)*)", OPERATING.read_text())
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == sorted(AuditEvent)
