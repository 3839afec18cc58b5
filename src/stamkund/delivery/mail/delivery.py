"""The job that delivers mails. Any number of workers run it on one database, and each mail is one worker's alone.

A worker claims a few mails that are due, sends one after the other and records each at once. A claim has no end by the
clock, which may jump: its owner gives a sign of life every `_BEAT_SECONDS`, and another worker frees it when it has
seen no new one for `_DEAD_SECONDS` of its own. A worker that could not give one for nearly as long stops before the
next mail.

So a mail is sent twice only where the server, the process or the database fails between the server's acceptance and our
record of it. Then it has the same Message-ID.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import msgspec

from stamkund import log
from stamkund.clock import Clock
from stamkund.delivery.mail.message import Message, UnusableAddress
from stamkund.delivery.mail.sender import Attempt, Fate, MailSender
from stamkund.delivery.mail.writing import MailOwner, owner_of, write
from stamkund.rules.mail import LONGEST_RETRY_SECONDS
from stamkund.settings import Settings
from stamkund.store import Claim, ClaimedMail, Store, Unavailable
from stamkund.vault import CannotOpen

_POLL_SECONDS = 1.0
_TIDY_SECONDS = 15.0
_BATCH = 20
_BATCH_SECONDS = 30.0
"""After so long a batch is ended, so that others get what it has not come to."""
_REST_SECONDS = 0.02
"""After each mail, so that requests never wait for more than one: 2,000 a minute are enough for a worker."""
_BEAT_SECONDS = 15.0
_SILENT_SECONDS = 45.0
"""How long its owner may fail to give one before it ends a batch, so that it has ended before others free the rest."""
_DEAD_SECONDS = 75.0
_PAUSE_SECONDS = 5.0
"""After a failure of the server: before the next mail is tried."""

_UNUSABLE = Attempt(Fate.REFUSED, "mail can't be sent to this address")
_SEALED = Attempt(Fate.FAILED, "it can't be opened with the key file")
_UNWRITTEN = Attempt(Fate.FAILED, "it could not be written; the log has more")
_NO_OWNER = Attempt(Fate.REFUSED, "there is no such organisation")


class MailDelivery:
    """Delivers the mails of an installation through one sender, in one process."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, sender: MailSender) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._sender = sender
        self._stopping = asyncio.Event()
        self._seen: dict[Claim, float] = {}
        self._tidied: float | None = None
        self._unrecorded: list[Callable[[], Awaitable[None]]] = []
        self._alive = 0.0

    async def run(self) -> None:
        """Delivers until it is stopped. A mail that is being sent then is finished."""
        while not self._stopping.is_set():
            pause = _POLL_SECONDS
            try:
                pause = await self.turn()
            except Unavailable as error:
                self._seen.clear()  # while nothing could be seen, owners could give no sign of life
                log.get().warning("mails not delivered", **log.where(error))
            except Exception as error:  # whatever it was: mails that wait must not wait for ever
                log.get().error("mails not delivered", **log.where(error))
            if pause:
                await self._wait(pause)
        with suppress(Unavailable):
            await self._record_rest()
        await self._sender.close()

    def stop(self) -> None:
        """Ends `run` after the mail that is being sent."""
        self._stopping.set()

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def turn(self) -> float:
        """Delivers a batch; returns how long to wait before the next one."""
        await self._record_rest()
        if self._tidied is None or time.monotonic() - self._tidied >= _TIDY_SECONDS:
            await self.tidy()
            self._tidied = time.monotonic()
        if not await self._store.mails.any_due(self._clock()):
            await self._sender.close()
            return _POLL_SECONDS
        return await self._deliver_batch()

    async def _deliver_batch(self) -> float:
        claim = os.urandom(8).hex()
        mails = await self._store.mails.claim(claim, self._clock(), _BATCH)
        started = self._alive = time.monotonic()
        beats = asyncio.create_task(self._give_signs_of_life(claim))
        owners: dict[str, MailOwner | None] = {}
        begun, server_failed = 0, False
        try:
            for mail in mails:
                if not self._may_go_on(started) or server_failed:
                    break
                begun += 1
                server_failed = await self._deliver(mail, claim, owners)
                await asyncio.sleep(_REST_SECONDS)
        finally:
            beats.cancel()
            await asyncio.gather(beats, return_exceptions=True)
            if begun < len(mails):  # what was begun and not recorded may have been accepted: it stays claimed
                with suppress(Unavailable):  # then these are freed when nobody gives a sign of life for them
                    await self._store.mails.release([mail.row for mail in mails[begun:]], claim)
        if server_failed:
            return _PAUSE_SECONDS
        return 0 if mails else _POLL_SECONDS

    def _may_go_on(self, started: float) -> bool:
        now = time.monotonic()
        return not self._stopping.is_set() and now - started < _BATCH_SECONDS and now - self._alive < _SILENT_SECONDS

    async def _give_signs_of_life(self, claim: str) -> None:
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            began = time.monotonic()
            with suppress(Unavailable):
                await self._store.mails.keep_claim(claim)
                self._alive = began

    async def _deliver(self, mail: ClaimedMail, claim: str, owners: dict[str, MailOwner | None]) -> bool:
        """Tries one mail and records what became of it; returns whether the server failed."""
        if mail.organisation not in owners:
            owners[mail.organisation] = await owner_of(self._store, mail.organisation)
        prepared = self._message(mail, owners[mail.organisation])
        attempt = prepared if isinstance(prepared, Attempt) else await self._sender.send(prepared)
        if attempt.fate is not Fate.ACCEPTED:
            log.get().warning(
                "mail not delivered",
                mail=mail.id,
                purpose=mail.purpose,
                organisation=mail.organisation,
                fate=attempt.fate.value,
                reason=attempt.reason,
                attempt=mail.attempts + 1,
            )
        self._unrecorded.append(self._record(mail, claim, attempt))
        await self._record_rest()
        return attempt.fate is Fate.SERVER_FAILED

    def _message(self, mail: ClaimedMail, owner: MailOwner | None) -> Message | Attempt:
        """The message of a mail, or why there is none."""
        if owner is None:
            return _NO_OWNER
        try:
            content = self._store.documents.mail(mail.organisation, mail.id, mail.content)
            return write(owner, self._settings, mail.id, mail.at, mail.language, content)
        except UnusableAddress:
            return _UNUSABLE
        except (CannotOpen, msgspec.DecodeError):
            return _SEALED
        except Exception as error:  # whatever it is: the mails behind this one must not wait for it
            log.get().error("mail not written", mail=mail.id, purpose=mail.purpose, **log.where(error))
            return _UNWRITTEN

    def _record(self, mail: ClaimedMail, claim: str, attempt: Attempt) -> Callable[[], Awaitable[None]]:
        mails, now = self._store.mails, self._clock()
        if attempt.fate is Fate.ACCEPTED:
            return partial(mails.record_sent, mail.row, claim, now)
        if attempt.fate is Fate.REFUSED:
            return partial(mails.record_dead, mail.row, claim, now, attempt.reason)
        return partial(mails.record_failed, mail.row, claim, mail.attempts + 1, now, attempt.reason)

    async def _record_rest(self) -> None:
        """Records what could not be recorded before. Raises Unavailable, and then it is tried again."""
        while self._unrecorded:
            try:
                await self._unrecorded[0]()
            except Unavailable:
                raise
            except Exception as error:  # the mail stays claimed, and is sent again when the claim is freed
                log.get().error("fate of a mail not recorded", **log.where(error))
            del self._unrecorded[0]

    async def tidy(self) -> None:
        """Frees what dead workers had claimed, and makes mails due that a wrong clock would have wait for too long."""
        await self._free_dead_claims()
        now = self._clock()
        await self._store.mails.bring_forward(now, now + LONGEST_RETRY_SECONDS + 1)

    async def _free_dead_claims(self) -> None:
        now = time.monotonic()
        claims = await self._store.mails.claims()
        self._seen = {claim: self._seen.get(claim, now) for claim in claims}
        dead = [claim for claim, since in self._seen.items() if now - since >= _DEAD_SECONDS]
        if dead:
            await self._store.mails.free(dead)
            log.get().warning("claims of a dead worker freed", count=len(dead))
