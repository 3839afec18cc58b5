"""Verbs about sessions: found by the browser's cookie or by the sid that sites know.

A session that is over is as good as none, whether it was removed yet or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from stamkund.rules.session import LOGGED_IN, TERMINATED, Session
from stamkund.store import one_time
from stamkund.store.one_time import OneTime
from stamkund.store.readers import NotActive, reader
from stamkund.store.work import Ask, Each, Row, Sql, Work, one

COLUMNS = "sid, organisation, status, account, client, created, authenticated, seen, expires"
_ADD = Sql(
    f"INSERT INTO sessions ({COLUMNS}, cookie) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"  # noqa: S608
)
_BY_COOKIE = Sql(f"SELECT {COLUMNS} FROM sessions WHERE cookie = $1")  # noqa: S608
_BY_SID = Sql(f"SELECT {COLUMNS} FROM sessions WHERE sid = $1")  # noqa: S608
_LOCK = Sql(f"{_BY_SID.postgres} FOR UPDATE", sqlite=_BY_SID.sqlite)
_LOG_IN = Sql(
    "UPDATE sessions SET status = $2, account = $3, authenticated = $4, seen = $4, expires = $5 WHERE sid = $1"
)
_CHANGE_COOKIE = Sql("UPDATE sessions SET cookie = $2 WHERE sid = $1")
_TERMINATE = Sql("UPDATE sessions SET status = $2, cookie = NULL WHERE sid = $1")
_SEE = Sql("UPDATE sessions SET seen = $2, expires = $3 WHERE sid = $1 AND expires < $3")
_AUDIT = Sql("INSERT INTO audit (organisation, at, event, client, account, detail) VALUES ($1, $2, $3, $4, $5, $6)")
_REMOVE_EXPIRED = Sql(
    "DELETE FROM sessions WHERE sid IN (SELECT sid FROM sessions WHERE expires <= $1 ORDER BY expires LIMIT $2 "
    "FOR UPDATE SKIP LOCKED) RETURNING 1",
    sqlite="DELETE FROM sessions WHERE sid IN (SELECT sid FROM sessions WHERE expires <= ?1 ORDER BY expires LIMIT ?2) "
    "RETURNING 1",
)


def add(new: Session, cookie: bytes | None) -> Work[None]:
    """Keeps a new session; `cookie` is the hash of a browser's."""
    values = (new.sid, new.organisation, new.status, new.account, new.client, new.created, new.authenticated)
    yield Ask(_ADD, (*values, new.seen, new.expires, cookie))


def by_cookie(organisation: str, cookie: bytes, now: int) -> Work[Session | None]:
    """The session of a browser with this organisation."""
    return _held(one((yield Ask(_BY_COOKIE, (cookie,)))), organisation, now)


def log_in(
    organisation: str, sid: str, account: int, now: int, expires: int, client: str, cookie: bytes | None
) -> Work[Session | None]:
    """Lets the reader whose password was checked into a session; None where there is no such session any more.

    `cookie`: the hash of the new cookie, where a browser is answered: the one from before the login must open nothing.
    Raises NotActive.
    """
    found = _held(one((yield Ask(_LOCK, (sid,)))), organisation, now)
    if found is None or found.status == TERMINATED:
        return None
    known = yield from reader(account)
    yield Ask(_LOG_IN, (sid, LOGGED_IN, account, now, expires))
    if cookie is not None:
        yield Ask(_CHANGE_COOKIE, (sid, cookie))
    yield Ask(_AUDIT, (organisation, now, "logged_in", client, known.id, None))
    found.status, found.account, found.authenticated, found.seen, found.expires = LOGGED_IN, account, now, now, expires
    return found


def log_in_with_ticket(
    organisation: str, sid: str, ticket: bytes, client: str, now: int, expires: int
) -> Work[tuple[Session, OneTime | None] | None]:
    """Spends a client's ticket to let its reader into a session. None: no such session; no OneTime: no such ticket.

    Raises NotActive.
    """
    found = _held(one((yield Ask(_LOCK, (sid,)))), organisation, now)
    if found is None or found.status == TERMINATED or not found.belongs_to(client):
        return None
    spent = yield from one_time.take(ticket, one_time.TICKET, client, now)
    if spent is None or spent.replayed:
        return found, None
    changed = yield from log_in(organisation, sid, spent.account, now, expires, client, None)
    assert changed is not None
    return changed, spent


def terminate(organisation: str, sid: str, now: int, client: str) -> Work[Session | None]:
    """Ends a session for all sites; answers it as it was, None where there is none. Ending it again does nothing."""
    found = _held(one((yield Ask(_LOCK, (sid,)))), organisation, now)
    if found is None or found.status == TERMINATED:
        return found
    yield Ask(_TERMINATE, (sid, TERMINATED))
    known = None if found.reader is None else (yield from reader(found.reader, active=False)).id
    yield Ask(_AUDIT, (organisation, now, "logged_out", client, known, None))
    return found


def reader_id(account: int) -> Work[str | None]:
    """The id of the account whose row a session holds; None for one that may not be logged in any more."""
    try:
        return (yield from reader(account)).id
    except NotActive:
        return None


def see(seen: Sequence[tuple[str, int, int]]) -> Work[None]:
    """Writes down that sessions (sid, moment, end) were seen, so that they live on."""
    yield Each(_SEE, seen)


def remove_expired(now: int, most: int) -> Work[int]:
    """Removes at most `most` sessions that are over; answers how many."""
    return len((yield Ask(_REMOVE_EXPIRED, (now, most))))


def session_of(row: Iterable[Any]) -> Session:
    """A session out of `COLUMNS`; texts may come as bytes."""
    sid, organisation, status, account, client, created, authenticated, seen, expires = tuple(row)
    return Session(
        _text(sid),
        _text(organisation),
        _text(status),
        account,
        None if client is None else _text(client),
        created,
        authenticated,
        seen,
        expires,
    )


def _held(row: Row | None, organisation: str, now: int) -> Session | None:
    if row is None:
        return None
    found = session_of(row)
    return found if found.organisation == organisation and now < found.expires else None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
