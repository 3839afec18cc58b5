"""Verbs about sessions: found by the browser's cookie or by the sid that sites know.

An expired session counts as none, whether it was removed yet or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.session import LOGGED_IN, TERMINATED, Session
from stamkund.store.documents import client_of, organisation_of
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.verbs import events
from stamkund.store.verbs.account_status import NotActive, account_summary, active_account
from stamkund.store.verbs.lookups import CLIENT_COLUMNS, NUMBERED, Query, text
from stamkund.store.verbs.one_time_credentials import TICKET, OneTimeCredential, spend
from stamkund.store.work import Execute, ExecuteMany, Row, Sql, Work, delete_batch, first, for_update

_COLUMN_NAMES = Session.__struct_fields__
"""The columns of a session, in the order in which `_session_of` takes them."""
_JOINED_COLUMNS = ", ".join(f"s.{column}" for column in _COLUMN_NAMES)
_COLUMNS = ", ".join(_COLUMN_NAMES)
_OF_CLIENT = Query(
    Sql(
        f"SELECT {CLIENT_COLUMNS}, {_JOINED_COLUMNS} FROM clients c "
        "JOIN organisations o ON o.id = c.organisation "
        "LEFT JOIN sessions s ON s.organisation = c.organisation AND s.sid = $2 WHERE c.id = $1"
    ),
    Sql(
        f"SELECT {CLIENT_COLUMNS}, {_JOINED_COLUMNS}, k.place "
        f"FROM unnest($1::text[], $2::text[]) {NUMBERED} (client, sid, place) "
        "JOIN clients c ON c.id = k.client JOIN organisations o ON o.id = c.organisation "
        "LEFT JOIN sessions s ON s.organisation = c.organisation AND s.sid = k.sid"
    ),
)
_ADD = Sql(f"INSERT INTO sessions ({_COLUMNS}, cookie) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
_BY_COOKIE = Sql(f"SELECT {_COLUMNS} FROM sessions WHERE organisation = $1 AND cookie = $2")
_LOCK = for_update(f"SELECT {_COLUMNS} FROM sessions WHERE organisation = $1 AND sid = $2")
_LOG_IN = Sql(
    "UPDATE sessions SET status = $3, account = $4, authenticated = $5, seen = $5, expires = $6 "
    "WHERE organisation = $1 AND sid = $2"
)
_CHANGE_COOKIE = Sql("UPDATE sessions SET cookie = $3 WHERE organisation = $1 AND sid = $2")
_TERMINATE = Sql("UPDATE sessions SET status = $3, cookie = NULL WHERE organisation = $1 AND sid = $2")
_EXTEND = Sql("UPDATE sessions SET seen = $3, expires = $4 WHERE organisation = $1 AND sid = $2 AND expires < $4")
_REMOVE_EXPIRED = delete_batch("sessions", "organisation, sid", "expires <= $1", "expires")


class SessionLookup(msgspec.Struct):
    """A client and a session of its organisation, None where there is no such session."""

    client: Client
    organisation: Organisation
    session: Session | None


class SessionVerbs(Verbs):
    async def of_client(self, client: str, sid: str) -> SessionLookup | None:
        """The hot path: a client, its organisation and, in the same statement, the organisation's session `sid`.

        None: there is no such client. An expired session is returned too: compare `expires` with the present time.
        """
        row = await self._engine.look_up(_OF_CLIENT.single, _OF_CLIENT.batch, (client, sid))
        return None if row is None else _session_lookup(row)

    @writes
    def add(self, session: Session, cookie: bytes | None = None) -> Work[None]:
        """Stores a new session; `cookie` is the digest of a browser's."""
        yield Execute(_ADD, (*(getattr(session, column) for column in _COLUMN_NAMES), cookie))

    @reads
    def by_cookie(self, organisation: str, cookie: bytes, now: int) -> Work[Session | None]:
        """The session of a browser with this organisation."""
        return _unexpired(first((yield Execute(_BY_COOKIE, (organisation, cookie)))), now)

    @writes
    def log_in(
        self,
        organisation: str,
        sid: str,
        account: int,
        now: int,
        expires: int,
        client: str,
        cookie: bytes | None = None,
    ) -> Work[Session | None]:
        """Logs a reader whose password was checked in to a session; None where there is no such session any more.

        `cookie`: the digest of the browser's new cookie, where there is a browser: the old one must open nothing.
        Raises NotActive.
        """
        session = _unexpired(first((yield Execute(_LOCK, (organisation, sid)))), now)
        if session is None or session.status == TERMINATED:
            return None
        return (yield from _log_in(session, account, now, expires, client, cookie))

    @writes
    def log_in_with_ticket(
        self, organisation: str, sid: str, ticket: bytes, client: str, now: int, expires: int
    ) -> Work[tuple[Session, OneTimeCredential | None] | None]:
        """Spends a client's ticket to log its reader in to a session.

        None: no such session; without a credential: no such ticket. Raises NotActive.
        """
        session = _unexpired(first((yield Execute(_LOCK, (organisation, sid)))), now)
        if session is None or session.status == TERMINATED or not session.visible_to(client):
            return None
        credential = yield from spend(organisation, ticket, TICKET, client, now)
        if credential is None:
            return session, None
        return (yield from _log_in(session, credential.account, now, expires, client, None)), credential

    @writes
    def terminate(self, organisation: str, sid: str, now: int, client: str) -> Work[Session | None]:
        """Ends a session for all sites; returns it as it was, None where there is none. Repeating it does nothing."""
        session = _unexpired(first((yield Execute(_LOCK, (organisation, sid)))), now)
        if session is None or session.status == TERMINATED:
            return session
        yield Execute(_TERMINATE, (organisation, sid, TERMINATED))
        account = None
        if session.logged_in_account is not None:
            summary = yield from account_summary(session.logged_in_account)
            account = None if summary is None else summary.id
        yield from events.record(AuditEntry(organisation, now, AuditEvent.LOGGED_OUT, client, account))
        return session

    async def account_id(self, session: Session) -> str | None:
        """The id of the account that is logged in; None where none is, or where it may not be any more."""
        row = session.logged_in_account
        return None if row is None else await self._account_id(row)

    @reads
    def _account_id(self, row: int) -> Work[str | None]:
        try:
            return (yield from active_account(row)).id
        except NotActive:
            return None

    @writes
    def extend(self, used: Sequence[tuple[str, str, int, int]]) -> Work[None]:
        """Extends sessions that were used: organisation, sid, when, and when they expire now."""
        yield ExecuteMany(_EXTEND, used)

    @writes
    def remove_expired(self, now: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` sessions that have expired; returns how many."""
        return len((yield Execute(_REMOVE_EXPIRED, (now, at_most))))


def _log_in(session: Session, account: int, now: int, expires: int, client: str, cookie: bytes | None) -> Work[Session]:
    summary = yield from active_account(account)
    key = (session.organisation, session.sid)
    yield Execute(_LOG_IN, (*key, LOGGED_IN, account, now, expires))
    if cookie is not None:
        yield Execute(_CHANGE_COOKIE, (*key, cookie))
    yield from events.record(AuditEntry(session.organisation, now, AuditEvent.LOGGED_IN, client, summary.id))
    session.status, session.account, session.authenticated = LOGGED_IN, account, now
    session.seen, session.expires = now, expires
    return session


def _unexpired(row: Row | None, now: int) -> Session | None:
    session = None if row is None else _session_of(row)
    return session if session is not None and now < session.expires else None


def _session_lookup(row: Row) -> SessionLookup:
    client, organisation, *columns = row  # the session's, and in a batch `place`
    session = None if columns[0] is None else _session_of(columns)
    return SessionLookup(client_of(client), organisation_of(organisation), session)


def _session_of(columns: Iterable[Any]) -> Session:
    """The session of a row that begins with `_COLUMN_NAMES`."""
    sid, organisation, status, account, client, created, authenticated, seen, expires, *_ = columns
    return Session(
        sid=text(sid),
        organisation=text(organisation),
        status=text(status),
        account=account,
        client=None if client is None else text(client),
        created=created,
        authenticated=authenticated,
        seen=seen,
        expires=expires,
    )
