"""What the rest of the house may do with sessions: `store.sessions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stamkund.rules.session import Session
from stamkund.store import look_ups, sessions
from stamkund.store.look_ups import SessionAsked
from stamkund.store.one_time import OneTime

if TYPE_CHECKING:
    from stamkund.store import Engine


class SessionStore:
    """The verbs of `sessions.py` on one engine. Every verb raises Unavailable when the database is out of reach."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def asked(self, client: str, sid: str) -> SessionAsked | None:
        """The hot path: a client, its organisation and, in the same statement, the organisation's session `sid`.

        None: there is no such client. A session that is over comes too: ask it with the moment of now.
        """
        found = look_ups.SESSION
        row = await self._engine.look_up(found.single, found.batch, (client, sid))
        return None if row is None else look_ups.session_asked(row)

    async def add(self, new: Session, cookie: bytes | None = None) -> None:
        """Keeps a new session; `cookie` is the hash of a browser's."""
        await self._engine.write(lambda: sessions.add(new, cookie))

    async def by_cookie(self, organisation: str, cookie: bytes, now: int) -> Session | None:
        return await self._engine.read(lambda: sessions.by_cookie(organisation, cookie, now))

    async def log_in(
        self,
        organisation: str,
        sid: str,
        account: int,
        now: int,
        expires: int,
        client: str,
        cookie: bytes | None = None,
    ) -> Session | None:
        """Lets a reader in, and where `cookie` is given changes it. None: no such session. Raises NotActive."""
        return await self._engine.write(
            lambda: sessions.log_in(organisation, sid, account, now, expires, client, cookie)
        )

    async def log_in_with_ticket(
        self, organisation: str, sid: str, ticket: bytes, client: str, now: int, expires: int
    ) -> tuple[Session, OneTime | None] | None:
        """Spends a ticket to let its reader in. None: no such session; no OneTime: no such ticket. Raises NotActive."""
        return await self._engine.write(
            lambda: sessions.log_in_with_ticket(organisation, sid, ticket, client, now, expires)
        )

    async def terminate(self, organisation: str, sid: str, now: int, client: str) -> Session | None:
        """Ends a session for all sites; answers it as it was, None where there is none."""
        return await self._engine.write(lambda: sessions.terminate(organisation, sid, now, client))

    async def reader_id(self, session: Session) -> str | None:
        """The id of the account that is logged in there; None where nobody is, or may be any more."""
        row = session.reader
        return None if row is None else await self._engine.read(lambda: sessions.reader_id(row))

    async def see(self, seen: Sequence[tuple[str, int, int]]) -> None:
        """Writes down that sessions (sid, moment, end) were seen, so that they live on."""
        await self._engine.write(lambda: sessions.see(seen))

    async def remove_expired(self, now: int, most: int = 500) -> int:
        return await self._engine.write(lambda: sessions.remove_expired(now, most))
