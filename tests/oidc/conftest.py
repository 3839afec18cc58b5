"""Fixtures for OpenID Connect: a Stamkund of the real time, because clients of others look at their own clocks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stamkund.clock import system_clock
from tests.support.node import node
from tests.support.stage import Stage

__all__ = ["node"]


@pytest.fixture
async def timely(fresh_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """An application of its own, at the machine's own time."""
    stage = Stage(fresh_url, tmp_path / "stamkund.key")
    stage.clock.now = system_clock()
    async with stage as running:
        yield running
