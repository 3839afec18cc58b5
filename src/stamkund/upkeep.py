"""What runs in the background of a server, in small batches, never on a request."""

from __future__ import annotations

import asyncio

from stamkund import log
from stamkund.store import Unavailable
from stamkund.wire.context import Services

BATCH = 500
_BREATH = 0.05


async def remove_expired_tokens(services: Services) -> None:
    """Removes tokens that are over, for ever: batch after batch while there are any, then a pause."""
    logger = log.get()
    while True:
        await asyncio.sleep(services.settings.cleaning_seconds)
        try:
            removed = await remove_all_expired(services)
        except Unavailable as error:
            logger.warning("cleaning postponed", **log.where(error))
        except Exception as error:  # whatever it was, the table must not grow for ever after
            logger.error("cleaning failed", **log.where(error))
        else:
            if removed:
                logger.info("expired tokens removed", count=removed)


async def remove_all_expired(services: Services) -> int:
    """Removes every token that is over now, with a breath between the batches; answers how many."""
    total = 0
    while True:
        removed = await services.store.remove_expired_tokens(services.clock(), BATCH)
        total += removed
        if removed < BATCH:
            return total
        await asyncio.sleep(_BREATH)
