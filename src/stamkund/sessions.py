"""Sessions as doors use them: new ones, the browser's cookie, and keeping them alive.

A browser has one session with each organisation, by a cookie that holds 256 random bits; the database knows its hash
only. The sid, which sites are told, is another random value, so no site can pretend to be the browser. The `__Host-`
prefix makes browsers take the cookie from this host alone and over HTTPS alone (or from localhost), so nobody can plant
one from a neighbouring host; and the cookie changes when somebody logs in, so one from before opens nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping

from stamkund.rules.session import ANONYMOUS, TERMINATED, Session
from stamkund.settings import Settings
from stamkund.store import Store

DAY = 86_400
_SEEN_EVERY = DAY
"""A session's life is prolonged when it was not for so long: a write a day, not one a question."""


def cookie_name(organisation: str) -> str:
    return f"__Host-stamkund-{organisation}"


def cookie_hash(value: str) -> bytes:
    """What a cookie is kept and found by."""
    return hashlib.sha256(value.encode(errors="replace")).digest()


def new_cookie() -> str:
    return secrets.token_urlsafe(32)


def cookies(headers: Mapping[bytes, bytes]) -> Mapping[str, str]:
    """The cookies of a request, of a repeated one the first.

    Split by hand: the standard library drops every cookie that comes after one which it can't read, and what others on
    the same domain set (JSON, for one) is not ours to choose.
    """
    found: dict[str, str] = {}
    for part in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        name, given, value = part.strip().partition("=")
        if given:
            found.setdefault(name, value)
    return found


def set_cookie(name: str, value: str, seconds: int) -> tuple[bytes, bytes]:
    """The header that sets one of our cookies; 0 seconds takes it away."""
    cookie = f"{name}={value}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Lax"
    return b"set-cookie", cookie.encode("ascii")


class Sessions:
    """What doors use to find, begin and keep sessions."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._seconds = settings.session_days * DAY
        self._seen: dict[str, tuple[str, int, int]] = {}

    def ends(self, now: int) -> int:
        """When a session is over that is seen now."""
        return now + self._seconds

    def cookie(self, organisation: str, value: str) -> tuple[bytes, bytes]:
        """The header that gives a browser its session."""
        return set_cookie(cookie_name(organisation), value, self._seconds)

    def no_cookie(self, organisation: str) -> tuple[bytes, bytes]:
        """The header that takes a browser's session away."""
        return set_cookie(cookie_name(organisation), "", 0)

    async def of_browser(self, organisation: str, headers: Mapping[bytes, bytes], now: int) -> Session | None:
        """The session that a browser's cookie stands for; None: there is none, or it was ended. Raises Unavailable."""
        value = cookies(headers).get(cookie_name(organisation))
        if not value:
            return None
        found = await self._store.sessions.by_cookie(organisation, cookie_hash(value), now)
        if found is None or found.status == TERMINATED:
            return None
        self.see(found, now)
        return found

    async def begin(self, organisation: str, now: int, client: str | None = None) -> tuple[Session, str | None]:
        """A new anonymous session, kept; with its cookie, unless it is an app's (`client`). Raises Unavailable."""
        new = Session(secrets.token_urlsafe(24), organisation, ANONYMOUS, None, client, now, None, now, self.ends(now))
        value = None if client else new_cookie()
        await self._store.sessions.add(new, None if value is None else cookie_hash(value))
        return new, value

    def see(self, session: Session, now: int) -> None:
        """Remembers that a session was seen; `write_seen` writes it down. Nothing is written on the way of a read."""
        if now - session.seen >= _SEEN_EVERY:
            self._seen[session.sid] = (session.sid, now, self.ends(now))

    async def write_seen(self) -> None:
        """Prolongs the sessions that were seen. Raises Unavailable; what was seen is kept for the next time."""
        seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            await self._store.sessions.see(sorted(seen.values()))
        except BaseException:
            self._seen = {**seen, **self._seen}
            raise
