"""Verbs about sessions: found by the browser's cookie or by the sid that sites know.

An expired session counts as none, whether it was removed yet or not; that of an account which is not active counts as
ended. When a session is ended, the tokens that came from it are revoked in the same transaction (`tokens.py`), so that
no read of a token has to look at its session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from stamkund.rules.account import ACTIVE
from stamkund.rules.events import Admit, AuditEntry, AuditEvent, admit_all
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.session import ANONYMOUS, LOGGED_IN, TERMINATED, Lifetime, Session, Visitor
from stamkund.store.documents import client_of, organisation_of
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.verbs import events, visitor_addresses
from stamkund.store.verbs.account_status import account_summary, active_account
from stamkund.store.verbs.lookups import CLIENT_COLUMNS, NUMBERED, Query, text
from stamkund.store.verbs.one_time_credentials import TICKET, OneTimeCredential, spend
from stamkund.store.verbs.tokens import revoke_of_account, revoke_of_session
from stamkund.store.work import Execute, ExecuteMany, Row, Sql, Work, delete_batch, first, for_update

_STORED = (
    *("sid", "organisation", "status", "account", "client", "created", "authenticated", "seen", "expires"),
    *("agent", "address"),
)
_COLUMNS = f"{', '.join(f's.{column}' for column in _STORED)}, b.id AS account_id, b.status AS account_status"
"""What `_session_of` takes: a session, and the id and status of its account."""
_ACCOUNT = "LEFT JOIN accounts b ON b.row = s.account"
_SESSION = f"SELECT {_COLUMNS} FROM sessions s {_ACCOUNT} WHERE s.organisation = $1 AND"
_OF_CLIENT = Query(
    Sql(
        f"SELECT {CLIENT_COLUMNS}, {_COLUMNS} FROM clients c "
        "JOIN organisations o ON o.id = c.organisation "
        f"LEFT JOIN sessions s ON s.organisation = c.organisation AND s.sid = $2 {_ACCOUNT} WHERE c.id = $1"
    ),
    Sql(
        f"SELECT {CLIENT_COLUMNS}, {_COLUMNS}, k.place "
        f"FROM unnest($1::text[], $2::text[]) {NUMBERED} (client, sid, place) "
        "JOIN clients c ON c.id = k.client JOIN organisations o ON o.id = c.organisation "
        f"LEFT JOIN sessions s ON s.organisation = c.organisation AND s.sid = k.sid {_ACCOUNT}"
    ),
)
_ADD = Sql(
    f"INSERT INTO sessions ({', '.join(_STORED)}, cookie) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
)
_BY_COOKIE = Sql(f"{_SESSION} s.cookie = $2")
_LOCK = for_update(f"{_SESSION} s.sid = $2", of="s")
_LOG_IN = Sql(
    "UPDATE sessions SET status = $3, account = $4, authenticated = $5, seen = $6, expires = $7 "
    "WHERE organisation = $1 AND sid = $2"
)
_CHANGE_COOKIE = Sql("UPDATE sessions SET cookie = $3 WHERE organisation = $1 AND sid = $2")
_RECOGNISE = Sql("UPDATE sessions SET agent = $3, address = $4 WHERE organisation = $1 AND sid = $2")
_TERMINATE = Sql("UPDATE sessions SET status = $3, cookie = NULL WHERE organisation = $1 AND sid = $2")
_TERMINATE_ALL = Sql(
    "UPDATE sessions SET status = $3, cookie = NULL WHERE organisation = $1 AND account = $2 AND status <> $3 "
    "RETURNING 1"
)
_EXTEND = Sql("UPDATE sessions SET seen = $3, expires = $4 WHERE organisation = $1 AND sid = $2 AND expires < $4")
_REMOVE_EXPIRED = delete_batch("sessions", "organisation, sid", "expires <= $1", "expires")


class SessionLookup(msgspec.Struct):
    """A client and a session of its organisation, None where there is no such session."""

    client: Client
    organisation: Organisation
    session: Session | None


@dataclass(frozen=True)
class SiteVisitor:
    """Who logs in at a site: the visitor, as the site describes them, and the sid of a session of their own.

    That session is made where the one that the site names does not exist, or is another browser's: that browser is
    somebody else's, who must not be logged in as this reader. `compares_addresses`: whether the client sends its
    visitors' addresses at all.
    """

    visitor: Visitor
    new_sid: str
    compares_addresses: bool = True


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
        yield from _add(session, cookie)

    @reads
    def by_cookie(self, organisation: str, cookie: bytes, now: int) -> Work[Session | None]:
        """The session of a browser with this organisation."""
        return _unexpired(first((yield Execute(_BY_COOKIE, (organisation, cookie)))), now)

    @writes
    def recognise(self, organisation: str, sid: str, visitor: Visitor) -> Work[None]:
        """Remembers a session's browser as it is now."""
        yield Execute(_RECOGNISE, (organisation, sid, visitor.agent, visitor.address))

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
        site_visitor: SiteVisitor | None = None,
        admit: Admit = admit_all,
    ) -> Work[Session | None]:
        """Logs a reader whose password was checked in to a session; None where there is no such session any more.

        `cookie`: the digest of the browser's new cookie, where there is a browser: the old one must open nothing.
        `site_visitor`: who logs in through a site's own form; None is then returned for a session that was ended alone.
        `admit`: whether the audit has room for an entry. Raises NotActive.
        """
        session = yield from _locked(organisation, sid, now)
        login = _Login(account, now, now, expires, client, admit)
        if site_visitor is not None:
            return (yield from _log_in_visitor(session, organisation, site_visitor, login))
        if session is None or session.status == TERMINATED:
            return None
        return (yield from _log_in(session, login, cookie))

    @writes
    def log_in_with_ticket(
        self,
        organisation: str,
        sid: str,
        ticket: bytes,
        client: str,
        now: int,
        lifetime: Lifetime,
        site_visitor: SiteVisitor | None = None,
        admit: Admit = admit_all,
    ) -> Work[tuple[Session | None, OneTimeCredential | None] | None]:
        """Spends a client's ticket to log its reader in to a session, as `log_in` does; it ends when that login does.

        None: no such session; without a credential: no such ticket. Raises NotActive.
        """
        session = yield from _locked(organisation, sid, now)
        if session is not None and not session.visible_to(client):
            session = None
        if session is None and site_visitor is None:
            return None
        if session is not None and session.status == TERMINATED:
            return None
        spent = yield from spend(organisation, ticket, TICKET, client, now)
        if spent is None:
            return session, None
        credential, authenticated = spent
        begun = now if authenticated is None else authenticated
        login = _Login(credential.account, begun, now, lifetime.expiry(now, begun), client, admit)
        if login.expires <= now:  # the longest time has been made shorter since
            return session, None
        if site_visitor is not None:
            return (yield from _log_in_visitor(session, organisation, site_visitor, login)), credential
        assert session is not None
        return (yield from _log_in(session, login, None)), credential

    @writes
    def terminate(
        self, organisation: str, sid: str, now: int, client: str, admit: Admit = admit_all
    ) -> Work[Session | None]:
        """Ends a session for all sites, and revokes its tokens; returns it as it was, None where there is none.

        Repeating it does nothing.
        """
        row = first((yield Execute(_LOCK, (organisation, sid))))
        session = _unexpired(row, now)
        if row is None or session is None or row["status"] == TERMINATED:
            return session
        yield Execute(_TERMINATE, (organisation, sid, TERMINATED))
        if row["status"] == LOGGED_IN:  # of a session without a reader anybody can make and end any number
            yield from revoke_of_session(organisation, row["account"], sid)
            summary = yield from account_summary(row["account"])
            account = None if summary is None else summary.id
            yield from events.record(AuditEntry(organisation, now, AuditEvent.LOGGED_OUT, client, account), admit)
        return session

    @writes
    def end_all(self, organisation: str, account: int, now: int, client: str, *, offline: bool) -> Work[int]:
        """Ends all sessions of an account (its row) and revokes its tokens; returns how many sessions were ended.

        Tokens that were given `/openid/offline_access` are meant to outlive sessions; with `offline` they go too.
        """
        ended = len((yield Execute(_TERMINATE_ALL, (organisation, account, TERMINATED))))
        yield from revoke_of_account(organisation, account, offline=offline)
        summary = yield from account_summary(account)
        account_id = None if summary is None else summary.id
        yield from events.record(
            AuditEntry(organisation, now, AuditEvent.SESSIONS_ENDED, client, account_id, str(ended))
        )
        return ended

    @writes
    def extend(self, used: Sequence[tuple[str, str, int, int]]) -> Work[None]:
        """Extends sessions that were used: organisation, sid, when, and when they expire now."""
        yield ExecuteMany(_EXTEND, used)

    @writes
    def remove_expired(self, now: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` sessions that have expired; returns how many."""
        return len((yield Execute(_REMOVE_EXPIRED, (now, at_most))))


@dataclass(frozen=True)
class _Login:
    """A reader (the account's row) whose login was checked; `authenticated`: when a password was."""

    account: int
    authenticated: int
    now: int
    expires: int
    client: str
    admit: Admit


def _add(session: Session, cookie: bytes | None) -> Work[None]:
    visitor = session.visitor
    stored = (
        session.sid,
        session.organisation,
        session.status,
        session.account,
        session.client,
        session.created,
        session.authenticated,
        session.seen,
        session.expires,
        None if visitor is None else visitor.agent,
        None if visitor is None else visitor.address,
    )
    yield Execute(_ADD, (*stored, cookie))


def _locked(organisation: str, sid: str, now: int) -> Work[Session | None]:
    return _unexpired(first((yield Execute(_LOCK, (organisation, sid)))), now)


def _log_in_visitor(
    session: Session | None, organisation: str, site_visitor: SiteVisitor, login: _Login
) -> Work[Session | None]:
    """Logs in a site's visitor: to the session that the site named, or to a new one without a browser.

    None: it was ended. The new session is the client's alone, because no other site could learn of it.
    """
    if session is not None and not session.visible_to(login.client):
        session = None
    if session is not None and session.status == TERMINATED:
        return None
    if session is not None and (yield from _is_own(session, site_visitor, login)):
        return (yield from _log_in(session, login, None))
    new = Session(
        sid=site_visitor.new_sid,
        organisation=organisation,
        status=ANONYMOUS,
        account=None,
        client=login.client,
        created=login.now,
        authenticated=None,
        seen=login.now,
        expires=login.expires,
        visitor=site_visitor.visitor,
    )
    yield from _add(new, None)
    return (yield from _log_in(new, login, None, "unknown session" if session is None else "another browser"))


def _is_own(session: Session, site_visitor: SiteVisitor, login: _Login) -> Work[bool]:
    """Whether a site's visitor is at the session's browser, as far as that can be seen."""
    visitor = site_visitor.visitor
    if not session.has_agent_of(visitor):
        return False
    if not site_visitor.compares_addresses or not session.has_other_address_than(visitor):
        return True
    assert visitor.address is not None
    sent = visitor_addresses.SentAddress(session.organisation, login.client, visitor.address, session.sid)
    return (yield from visitor_addresses.is_shared(sent, login.now))


def _log_in(session: Session, login: _Login, cookie: bytes | None, detail: str | None = None) -> Work[Session]:
    summary = yield from active_account(login.account)
    key = (session.organisation, session.sid)
    if session.account not in (None, login.account):
        yield from revoke_of_session(session.organisation, session.account, session.sid)
    yield Execute(_LOG_IN, (*key, LOGGED_IN, login.account, login.authenticated, login.now, login.expires))
    if cookie is not None:
        yield Execute(_CHANGE_COOKIE, (*key, cookie))
    entry = AuditEntry(session.organisation, login.now, AuditEvent.LOGGED_IN, login.client, summary.id, detail)
    yield from events.record(entry, login.admit)
    session.status, session.account, session.authenticated = LOGGED_IN, login.account, login.authenticated
    session.seen, session.expires, session.account_id = login.now, login.expires, summary.id
    return session


def _unexpired(row: Row | None, now: int) -> Session | None:
    session = None if row is None else _session_of(row)
    return session if session is not None and now < session.expires else None


def _session_lookup(row: Row) -> SessionLookup:
    client, organisation, *columns = row  # the session's, and in a batch `place`
    session = None if columns[0] is None else _session_of(columns)
    return SessionLookup(client_of(client), organisation_of(organisation), session)


def _session_of(columns: Iterable[Any]) -> Session:
    """The session of a row that begins with `_COLUMNS`. One whose account is not active counts as ended."""
    sid, organisation, status, account, client, created, authenticated, seen, expires, *more = columns
    agent, address, account_id, account_status, *_ = more
    status = text(status)
    if status == LOGGED_IN and (account_status is None or text(account_status) != ACTIVE):
        status = TERMINATED
    return Session(
        sid=text(sid),
        organisation=text(organisation),
        status=status,
        account=account,
        client=None if client is None else text(client),
        created=created,
        authenticated=authenticated,
        seen=seen,
        expires=expires,
        visitor=None if agent is None else Visitor(text(agent), None if address is None else text(address)),
        account_id=None if account_id is None else text(account_id),
    )
