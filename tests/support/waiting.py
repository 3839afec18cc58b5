"""Waiting for what happens in the background, or in another process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

_PATIENCE_SECONDS = 600
_LOOK_SECONDS = 0.02


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Looks until a condition holds; fails when it does not within ten minutes, however slow the machine."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not await _result(holds()):  # noqa: ASYNC110 - no event tells when it does
            await asyncio.sleep(_LOOK_SECONDS)


async def _result(condition: bool | Awaitable[bool]) -> bool:
    return condition if isinstance(condition, bool) else await condition
