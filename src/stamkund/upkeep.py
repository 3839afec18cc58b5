"""What runs in the background of a server, in small batches, never on a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from stamkund import log
from stamkund.store import Unavailable
from stamkund.wire.context import Services

BATCH = 500
_BREATH = 0.05
_SHARE_SECONDS = 1


async def remove_expired_tokens(services: Services) -> None:
    """Removes tokens that are over, for ever: batch after batch while there are any, then a pause."""
    logger = log.get()
    while True:
        await asyncio.sleep(services.settings.cleaning_seconds)
        try:
            removed = await remove_all_expired(services)
            await remove_old_counts(services)
        except Unavailable as error:
            logger.warning("cleaning postponed", **log.where(error))
        except Exception as error:  # whatever it was, the table must not grow for ever after
            logger.error("cleaning failed", **log.where(error))
        else:
            if removed:
                logger.info("expired tokens removed", count=removed)


async def remove_all_expired(services: Services) -> int:
    """Removes every token that is over now, with a breath between the batches; answers how many."""
    return await _in_batches(services, services.store.remove_expired_tokens)


async def remove_old_counts(services: Services) -> int:
    """Removes counts that are over: of failed logins, and of calls."""
    removed = await _in_batches(services, services.store.remove_stale_attempts)
    return removed + await _in_batches(services, services.store.remove_counts)


async def share_counts(services: Services) -> None:
    """Tells other processes how often calls were made here, for ever, where there may be other processes."""
    while services.limits.shared:
        await asyncio.sleep(_SHARE_SECONDS)
        try:
            await services.limits.share(services.store)
        except Unavailable as error:
            log.get().warning("counts not shared", **log.where(error))


async def _in_batches(services: Services, remove: Callable[[int, int], Awaitable[int]]) -> int:
    total = 0
    while True:
        removed = await remove(services.clock(), BATCH)
        total += removed
        if removed < BATCH:
            return total
        await asyncio.sleep(_BREATH)
