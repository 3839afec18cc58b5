"""What runs in the background of a server, in small batches, never on a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from stamkund import log
from stamkund.store import Unavailable
from stamkund.wire.services import Services

BATCH = 500
_BREATH = 0.05
_SHARE_SECONDS = 1
_SEEN_SECONDS = 5
_SEEN_AT_LAST = 600
"""For how long a session that is over is left alone: that it was seen just before may not have been written yet."""
_DAY = 86_400

Remove = Callable[[int, int], Awaitable[int]]
"""Removes at most so many of what is over at a moment; answers how many."""


async def clean_up_forever(services: Services) -> None:
    """Removes what is over, for ever: batch after batch while there is any, then a pause."""
    logger = log.get()
    while True:
        await asyncio.sleep(services.settings.cleaning_seconds)
        try:
            removed = await remove_all_expired(services)
            await remove_the_rest(services)
        except Unavailable as error:
            logger.warning("cleaning postponed", **log.where(error))
        except Exception as error:  # whatever it was, the tables must not grow for ever after
            logger.error("cleaning failed", **log.where(error))
        else:
            if removed:
                logger.info("expired tokens removed", count=removed)


async def remove_all_expired(services: Services) -> int:
    """Removes every token that is over now, with a breath between the batches; answers how many."""
    return await _in_batches(services, services.store.tokens.remove_expired)


async def remove_the_rest(services: Services) -> int:
    """Removes whatever else is over: counts of failed logins and of calls, sessions, codes, tickets, old signing keys
    and old audit."""
    store, kept = services.store, services.settings.audit_days * _DAY

    async def old_audit(now: int, most: int) -> int:
        return await store.audit.remove_older(now - kept, most)

    async def old_sessions(now: int, most: int) -> int:
        return await store.sessions.remove_expired(now - _SEEN_AT_LAST, most)

    removes: tuple[Remove, ...] = (
        store.login_attempts.remove_expired_lockouts,
        store.call_counts.remove_expired,
        old_sessions,
        store.one_time_credentials.remove_expired,
        services.id_token_keys.remove_expired,
        old_audit,
    )
    return sum([await _in_batches(services, remove) for remove in removes])


async def share_counts(services: Services) -> None:
    """Tells other processes how often calls were made here, for ever, where there may be other processes."""
    while services.limits.shared:
        await asyncio.sleep(_SHARE_SECONDS)
        try:
            await services.limits.share(services.store)
        except Unavailable as error:
            log.get().warning("counts not shared", **log.where(error))


async def extend_sessions(services: Services) -> None:
    """Writes down which sessions were seen, for ever."""
    while True:
        await asyncio.sleep(_SEEN_SECONDS)
        try:
            await services.sessions.write_used()
        except Unavailable as error:
            log.get().warning("sessions not prolonged", **log.where(error))


async def _in_batches(services: Services, remove: Remove) -> int:
    total = 0
    while True:
        removed = await remove(services.clock(), BATCH)
        total += removed
        if removed < BATCH:
            return total
        await asyncio.sleep(_BREATH)
