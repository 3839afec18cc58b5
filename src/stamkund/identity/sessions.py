"""Sessions: new ones, the browser's cookie, and extending them when they are used.

A browser has one session with each organisation, by a cookie that holds 256 random bits; the database has its digest
only. The sid, which sites know, is another random value, so no site can pretend to be the browser. The `__Host-`
prefix makes browsers accept the cookie from this host alone and over HTTPS alone (or from localhost), so nobody can
plant one from a neighbouring host; and the cookie changes when somebody logs in, so one from before opens nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from stamkund.identity.cookies import cookies, set_cookie
from stamkund.identity.tokens import new_token, token_digest
from stamkund.rules.session import ANONYMOUS, TERMINATED, Lifetime, Session, Visitor
from stamkund.rules.timestamps import DAY
from stamkund.settings import Settings
from stamkund.store import SessionUse, Store

ANONYMOUS_SECONDS = 3600
"""How long a browser's session lives after a visit, until a site asks about it or a reader logs in.

Anybody can have any number of them."""
APP_SECONDS = DAY
"""The same of an app's: whoever sees the request that begins one can send it again for a day."""
_EXTEND_AFTER_SECONDS = DAY
"""A session is extended when that makes it last so much longer: at most one write per session per day."""


def new_sid() -> str:
    return secrets.token_urlsafe(24)


def cookie_name(organisation: str) -> str:
    return f"__Host-stamkund-{organisation}"


def cookie_digest(value: str) -> bytes:
    """What a session is found by."""
    return token_digest(value.encode(errors="replace"))


_BATCH = 500
"""Sessions that are extended in one transaction: after an outage they may be many."""


class Sessions:
    """Finds, begins and extends sessions."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self.lifetime = Lifetime(settings.session_days * DAY, settings.session_max_days * DAY)
        self._used: dict[tuple[str, str], tuple[int, int]] = {}

    def cookie(self, organisation: str, value: str) -> tuple[bytes, bytes]:
        """The header that gives a browser its session."""
        return set_cookie(cookie_name(organisation), value, self.lifetime.idle_seconds)

    def no_cookie(self, organisation: str) -> tuple[bytes, bytes]:
        """The header that takes a browser's session away."""
        return set_cookie(cookie_name(organisation), "", 0)

    async def of_browser(self, organisation: str, headers: Mapping[bytes, bytes], now: int) -> Session | None:
        """The session of a browser's cookie, marked as used; None for none or an ended one. Raises Unavailable.

        Without a reader it lives on for an hour.
        """
        value = cookies(headers).get(cookie_name(organisation))
        if not value:
            return None
        session = await self._store.sessions.by_cookie(organisation, cookie_digest(value), now)
        if session is None or session.status == TERMINATED:
            return None
        if session.status == ANONYMOUS:  # whoever keeps its cookie can send it any number of times
            self._mark_used(session, now, min(self.lifetime.expiry(now, session.begun), now + ANONYMOUS_SECONDS))
        else:
            self.mark_used(session, now)
        return session

    async def begin(
        self, organisation: str, now: int, client: str | None = None, visitor: Visitor | None = None
    ) -> tuple[Session, str | None]:
        """A new anonymous session, stored; with its cookie, unless it is an app's (`client`). Raises Unavailable.

        `visitor`: the browser.
        """
        unused_seconds = APP_SECONDS if client else ANONYMOUS_SECONDS
        session = Session(
            sid=new_sid(),
            organisation=organisation,
            status=ANONYMOUS,
            account=None,
            client=client,
            created=now,
            authenticated=None,
            seen=now,
            expires=min(self.lifetime.expiry(now, now), now + unused_seconds),
            visitor=visitor,
        )
        cookie = None if client else new_token()
        await self._store.sessions.add(session, None if cookie is None else cookie_digest(cookie))
        return session, cookie

    def mark_used(self, session: Session | SessionUse, now: int) -> None:
        """Remembers that a session was used by a site; `write_used` stores it. Nothing is written on a read path."""
        self._mark_used(session, now, self.lifetime.expiry(now, session.begun))

    def _mark_used(self, session: Session | SessionUse, now: int, expires: int) -> None:
        if session.expires > now and expires - session.expires >= min(_EXTEND_AFTER_SECONDS, (expires - now) // 2):
            self._used[session.organisation, session.sid] = now, expires

    async def write_used(self) -> None:
        """Extends the sessions that were used, in batches. Raises Unavailable; what is left waits for the next time."""
        waiting = sorted((*key, *times) for key, times in self._used.items())
        self._used = {}
        try:
            while waiting:
                await self._store.sessions.extend(waiting[:_BATCH])
                del waiting[:_BATCH]
        except BaseException:
            self._used = {(owner, sid): (used, expires) for owner, sid, used, expires in waiting} | self._used
            raise
