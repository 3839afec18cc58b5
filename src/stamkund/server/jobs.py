"""The background jobs of a server process: they work in small batches, never as part of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from stamkund import log
from stamkund.delivery.mail.delivery import MailDelivery
from stamkund.identity.decoys import REFRESH_SECONDS
from stamkund.rules.timestamps import DAY
from stamkund.store import Unavailable
from stamkund.wire.services import Services

BATCH = 500
_PAUSE_BETWEEN_BATCHES = 0.05
_SHARE_SECONDS = 1
_AUDIT_SECONDS = 1
EXTEND_SECONDS: float = 5
_MAX_UNKNOWN_COUNTS = 200_000
"""Counts of unknown e-mails that are kept (some 40 MB). They last longer than an hour or two only where somebody tries
very many e-mails; then those that expire first are removed early."""
_SESSION_GRACE_SECONDS = 600
"""Grace period before expired sessions are deleted: that one was used just before may not have been written yet."""

_LEAST_MAIL_DAYS = 3
"""Mails are tried for two days; until then they must not be removed."""

Remove = Callable[[int, int], Awaitable[int]]
"""Removes at most so many rows that have expired at a time; returns how many."""


async def clean_up_forever(services: Services) -> None:
    """Removes what has expired, forever: batch after batch while there is any, then a pause."""

    async def clean_up() -> None:
        removed = await remove_expired_tokens(services)
        await remove_other_expired_rows(services)
        if removed:
            log.get().info("expired tokens removed", count=removed)

    await _forever(services.settings.cleaning_seconds, "cleaning failed", clean_up)


async def remove_expired_tokens(services: Services) -> int:
    """Removes every token that has expired, with a pause between the batches; returns how many."""
    return await _in_batches(services, services.store.tokens.remove_expired)


async def remove_other_expired_rows(services: Services) -> int:
    """Removes what else has expired: lockouts, call counts, sessions, logins of sites, audit, outbox, mails …"""
    store, settings = services.store, services.settings

    def older(remove: Remove, days: int) -> Remove:
        return lambda now, at_most: remove(now - days * DAY, at_most)

    async def unknown_emails(_: int, at_most: int) -> int:
        return await store.login_attempts.remove_unknown(_MAX_UNKNOWN_COUNTS, at_most)

    async def old_sessions(now: int, at_most: int) -> int:
        return await store.sessions.remove_expired(now - _SESSION_GRACE_SECONDS, at_most)

    removes: tuple[Remove, ...] = (
        store.login_attempts.remove_expired_lockouts,
        store.call_counts.remove_expired,
        old_sessions,
        store.sso_logins.remove_expired,
        store.visitor_addresses.remove_expired,
        store.one_time_credentials.remove_expired,
        services.id_token_keys.remove_expired,
        older(store.audit.remove_older, settings.audit_days),
        older(store.login_attempts.remove_older, settings.login_attempt_days),
        older(store.outbox.remove_older, settings.outbox_days),
        store.mails.expire,
        older(store.mails.remove_older, max(settings.mail_days, _LEAST_MAIL_DAYS)),
        unknown_emails,
    )
    return sum([await _in_batches(services, remove) for remove in removes])


async def share_counts(services: Services) -> None:
    """Shares what is counted with other processes, forever, where there may be other processes."""

    async def share() -> None:
        for counted in (services.limits, services.failures, services.audit_budget):
            await counted.share(services.store)

    if services.settings.shares_counts:
        await _forever(_SHARE_SECONDS, "counts not shared", share)


async def write_audit(services: Services) -> None:
    """Writes the audit entries that wait, forever."""
    await _forever(_AUDIT_SECONDS, "audit entries not written", lambda: services.audit_queue.write(services.store))


async def refresh_decoys(services: Services) -> None:
    """Reads anew how the readers' passwords are hashed, forever."""
    await _forever(REFRESH_SECONDS, "decoys not refreshed", services.logins.decoys.refresh)


async def extend_sessions(services: Services) -> None:
    """Extends the sessions that were used, forever."""
    await _forever(EXTEND_SECONDS, "sessions not extended", services.sessions.write_used)


async def finish_mail(delivery: MailDelivery, job: asyncio.Task[None], seconds: float) -> None:
    """Stops the delivery of mails; one that is being sent has so long to be finished."""
    delivery.stop()
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(job), seconds)


async def _forever(seconds: float, failure: str, job: Callable[[], Awaitable[None]]) -> None:
    """Runs a job again and again, with a pause before each time; `failure` is the line that is logged when it fails."""
    logger = log.get()
    while True:
        await asyncio.sleep(seconds)
        try:
            await job()
        except Unavailable as error:
            logger.warning(failure, **log.where(error))
        except Exception as error:  # whatever it was, what the job bounds must not grow forever afterwards
            logger.error(failure, **log.where(error))


async def _in_batches(services: Services, remove: Remove) -> int:
    total = 0
    while True:
        removed = await remove(services.clock(), BATCH)
        total += removed
        if removed < BATCH:
            return total
        await asyncio.sleep(_PAUSE_BETWEEN_BATCHES)
