"""Verbs about tokens. Only their digests are stored: whoever copies the database can't call with them.

Tokens that came from one login are a family: they are revoked together when one of them is used again after it was
replaced, or when its refresh token is revoked. A replaced refresh token stays as `spent` for a while, so that it is
recognised when it comes again. A family that came from a session is revoked when that session is ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stamkund.rules import scopes
from stamkund.rules.events import Admit, AuditEntry, AuditEvent, admit_all
from stamkund.rules.ids import made_at
from stamkund.rules.session import Lifetime
from stamkund.rules.timestamps import DAY
from stamkund.store.verb import Verbs, writes
from stamkund.store.verbs import events, lookups
from stamkund.store.verbs.account_status import account_summary, active_account
from stamkund.store.verbs.lookups import AccountLookup, AuthenticatedToken, NumberLookup, TokenLookup
from stamkund.store.work import Execute, ExecuteMany, Row, Sql, Work, delete_batch, first, for_update

ACCESS = "access"
REFRESH = "refresh"
SPENT = "spent"
SPENT_SECONDS = 30 * DAY
"""How long a replaced refresh token is recognised."""
REPLAY_SECONDS = 30
"""How long a replaced refresh token may come again: the response was lost, or two tabs refreshed at once."""
MAX_REFRESH_TOKENS = 200
"""Refresh tokens of one account and client: the least recently used makes room for another."""
MAX_USED_TOKENS = 1_000
"""Access tokens and replaced refresh tokens of one family: beyond that the oldest are removed. Five hundred refreshes
are three weeks of one in each hour; somebody who refreshes in a loop fills no more than this."""

_ADD = Sql(
    "INSERT INTO tokens (digest, organisation, kind, client, account, scopes, created, expires, family, session) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
)
_LOCK = for_update("SELECT account, scopes, family, expires, kind, client FROM tokens WHERE digest = $1")
_LOCK_REFRESH = for_update(
    "SELECT t.account, t.scopes, t.family, t.created, t.expires, t.kind, t.client, t.spent, t.session, "
    "s.created AS session_created, s.authenticated, s.seen, s.expires AS session_expires "
    "FROM tokens t LEFT JOIN sessions s ON s.organisation = t.organisation AND s.sid = t.session WHERE t.digest = $1",
    of="t",
)
_EXTEND = Sql("UPDATE tokens SET expires = $2 WHERE digest = $1")
_SPEND = Sql("UPDATE tokens SET kind = 'spent', expires = $2, spent = $3 WHERE digest = $1")
_REVOKE = Sql("DELETE FROM tokens WHERE digest = $1")
_REVOKE_FAMILY = Sql("DELETE FROM tokens WHERE organisation = $1 AND family = $2 RETURNING 1")
_REVOKE_OF_SESSION = Sql("DELETE FROM tokens WHERE organisation = $1 AND account = $2 AND session = $3 RETURNING 1")
_REVOKE_OF_ACCOUNT = Sql("DELETE FROM tokens WHERE organisation = $1 AND account = $2 RETURNING 1")
_REVOKE_ONLINE = Sql(
    "DELETE FROM tokens WHERE organisation = $1 AND account = $2 AND family NOT IN (SELECT family FROM tokens "
    f"WHERE organisation = $1 AND account = $2 AND ' ' || scopes || ' ' LIKE '% {scopes.OFFLINE_ACCESS} %') RETURNING 1"
)
_ONE_AT_A_TIME = Sql("SELECT pg_advisory_xact_lock(7313, hashtext($1))", sqlite="SELECT ?1")
_SURPLUS = (
    "SELECT digest FROM tokens WHERE organisation = $1 AND account = $2 AND client = $3 AND kind = 'refresh' "
    "AND digest <> $4 ORDER BY expires DESC LIMIT 1000 OFFSET $5"
)
_REMOVE_SURPLUS = Sql(
    f"DELETE FROM tokens WHERE digest IN (SELECT digest FROM tokens WHERE digest IN ({_SURPLUS}) "
    "FOR UPDATE SKIP LOCKED) RETURNING family",
    sqlite=f"DELETE FROM tokens WHERE digest IN ({_SURPLUS}) RETURNING family",
)
_SPENT = (
    "SELECT digest FROM tokens WHERE organisation = $1 AND family = $2 AND kind = 'spent' AND NOT EXISTS "
    "(SELECT 1 FROM tokens WHERE organisation = $1 AND family = $2 AND kind = 'refresh')"
)
_REMOVE_SPENT = Sql(
    f"DELETE FROM tokens WHERE digest IN ({_SPENT} FOR UPDATE SKIP LOCKED)",
    sqlite=f"DELETE FROM tokens WHERE digest IN ({_SPENT})",
)
_USED = (
    "SELECT digest FROM tokens WHERE organisation = $1 AND family = $2 AND kind <> 'refresh' "
    "AND coalesce(spent, created) < $3 ORDER BY coalesce(spent, created) DESC LIMIT 1000 OFFSET $4"
)
_REMOVE_USED = Sql(
    f"DELETE FROM tokens WHERE digest IN (SELECT digest FROM tokens WHERE digest IN ({_USED}) FOR UPDATE SKIP LOCKED)",
    sqlite=f"DELETE FROM tokens WHERE digest IN ({_USED})",
)
_REMOVE_EXPIRED = delete_batch("tokens", "digest", "expires <= $1", "expires")


@dataclass(frozen=True)
class NewToken:
    """A token to be stored. `account`: the row of the account that it stands for, None without identity.

    `session`: the sid of the session that the token ends with, None for none.
    """

    digest: bytes
    kind: str
    client: str
    account: int | None
    scopes: str
    created: int
    expires: int
    family: str
    session: str | None = None


@dataclass(frozen=True)
class Issue:
    """The circumstances of an issue, for the audit: which client got tokens, by which grant, when.

    `admit`: whether the audit has room for an entry.
    """

    organisation: str
    client: str
    grant: str
    at: int
    admit: Admit = admit_all

    def record(self, event: AuditEvent, account: str | None, detail: str | None = None) -> Work[None]:
        """Writes an entry to the audit. `account`: an id."""
        entry = AuditEntry(self.organisation, self.at, event, self.client, account, detail or self.grant)
        yield from events.record(entry, self.admit)


REFRESH_LIFETIME = Lifetime(180 * DAY, 400 * DAY)


@dataclass(frozen=True)
class RefreshPolicy:
    """How a client's refresh tokens are used: each replaced at its use (`rotates`), or one for as long as it is valid.

    A token's lifetime counts from the login that it came from, as that of a session does.
    """

    rotates: bool
    lifetime: Lifetime = REFRESH_LIFETIME


@dataclass(frozen=True)
class SessionUse:
    """A session that was used by a refresh: when it began (its last login), was last seen, and expires."""

    organisation: str
    sid: str
    begun: int
    seen: int
    expires: int


@dataclass(frozen=True)
class Refresh:
    """A valid refresh token: the row of its account, and what it may give.

    `valid_until`: the expiry time of a refresh token that is used or made now. `session`: the sid that its tokens
    end with; `used`: that session, where there still is one. `replaced`: it has a successor, and comes again.
    """

    account: int | None
    scopes: str
    family: str
    valid_until: int
    session: str | None = None
    used: SessionUse | None = None
    replaced: bool = False


class TokenVerbs(Verbs):
    async def authenticate(
        self, digest: bytes, account: AccountLookup, catalogue: bool = False
    ) -> AuthenticatedToken | None:
        """The hot path: a token with its client and organisation and, in the same statement, the account looked up.

        With `catalogue`, also the fingerprint of the organisation's catalogue. None: there is no such token. An expired
        one is returned too: compare `expires` with the present time.
        """
        if isinstance(account, NumberLookup):
            holder = await self.authenticate(digest, None)
            if holder is None:
                return None
            account = self._documents.number_identifier(holder.organisation.id, account.ten_digits)
        query, values = lookups.statement(digest, account, catalogue)
        row = await self._engine.look_up(query.single, query.batch, values)
        return None if row is None else lookups.authenticated_token(row)

    async def introspect(self, client: str, digest: bytes) -> TokenLookup | None:
        """The hot path: the client that asks and, in the same statement, the token that it asks about.

        None: there is no such client. The token's part is empty for one that is unknown or another organisation's.
        """
        query = lookups.TOKEN
        row = await self._engine.look_up(query.single, query.batch, (client, digest))
        return None if row is None else lookups.token_lookup(row)

    @writes
    def add(self, tokens: list[NewToken], issue: Issue) -> Work[str | None]:
        """Stores new tokens; returns the id of the account that they stand for. Raises NotActive."""
        return (yield from add_tokens(tokens, issue))

    @writes
    def use_refresh(
        self,
        digest: bytes,
        client: str,
        now: int,
        policy: RefreshPolicy,
        make: Callable[[Refresh], list[NewToken]],
        issue: Issue,
    ) -> Work[str | None]:
        """Uses a client's refresh token for the tokens that `make` makes of it; returns the id of their account.

        One that was replaced a moment ago may come again, and gives siblings of what it gave. None is returned where
        there is no such token, and where it was replaced longer ago: then its whole family is revoked. Raises
        NotActive, and what `make` raises: then nothing changes. The audit has the login, and no entry for each use.
        """
        row = first((yield Execute(_LOCK_REFRESH, (digest,))))
        if row is None or row["client"] != client or row["expires"] <= now or row["kind"] == ACCESS:
            return None
        if row["kind"] == SPENT and (row["spent"] is None or now - row["spent"] > REPLAY_SECONDS):
            yield from revoke_family(issue.organisation, row["family"])
            yield from issue.record(AuditEvent.TOKEN_REUSED, (yield from _account_id(row["account"])))
            return None
        valid_until = policy.lifetime.expiry(now, made_at(row["family"]) or row["created"])
        if valid_until <= now:
            return None
        tokens = make(_refresh(row, valid_until, issue.organisation))
        if row["kind"] == REFRESH:
            if policy.rotates:
                yield Execute(_SPEND, (digest, min(row["expires"], now + SPENT_SECONDS), now))
            else:
                yield Execute(_EXTEND, (digest, valid_until))
        account_id = yield from _add(tokens, issue.organisation)
        yield Execute(_REMOVE_USED, (issue.organisation, row["family"], now, MAX_USED_TOKENS))
        return account_id

    @writes
    def revoke(self, digest: bytes, client: str, issue: Issue) -> Work[bool]:
        """Revokes a client's token; with a refresh token all that came from the same login. False: no such token."""
        row = first((yield Execute(_LOCK, (digest,))))
        if row is None or row["client"] != client:
            return False
        if row["kind"] == ACCESS:
            yield Execute(_REVOKE, (digest,))
        else:
            yield from revoke_family(issue.organisation, row["family"])
        yield from issue.record(AuditEvent.TOKEN_REVOKED, (yield from _account_id(row["account"])), row["kind"])
        return True

    @writes
    def remove_expired(self, now: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` tokens that have expired; returns how many."""
        return len((yield Execute(_REMOVE_EXPIRED, (now, at_most))))


def _refresh(row: Row, valid_until: int, organisation: str) -> Refresh:
    used = None
    if row["session_created"] is not None:
        begun = row["authenticated"] or row["session_created"]
        used = SessionUse(organisation, row["session"], begun, row["seen"], row["session_expires"])
    replaced = row["kind"] == SPENT
    return Refresh(row["account"], row["scopes"], row["family"], valid_until, row["session"], used, replaced)


def add_tokens(tokens: list[NewToken], issue: Issue) -> Work[str | None]:
    """Stores the tokens of a login, all or none; returns the id of the account that they stand for.

    Raises NotActive.
    """
    account = yield from _add(tokens, issue.organisation)
    yield from issue.record(AuditEvent.TOKEN_ISSUED, account)
    return account


def _add(tokens: list[NewToken], organisation: str) -> Work[str | None]:
    yield ExecuteMany(_ADD, [_values(token, organisation) for token in tokens])
    account = None
    if tokens[0].account is not None:
        account = (yield from active_account(tokens[0].account)).id
    for token in tokens:
        if token.kind == REFRESH and token.account is not None:
            yield from _make_room(token, organisation)
    return account


def _account_id(row: int | None) -> Work[str | None]:
    summary = None if row is None else (yield from account_summary(row))
    return None if summary is None else summary.id


def _values(token: NewToken, organisation: str) -> tuple[object, ...]:
    return (
        token.digest,
        organisation,
        token.kind,
        token.client,
        token.account,
        token.scopes,
        token.created,
        token.expires,
        token.family,
        token.session,
    )


def _make_room(new: NewToken, organisation: str) -> Work[None]:
    """Removes the refresh tokens of an account and client that are too many, but for the new one.

    What they replaced goes with them, as far as no sibling is left.
    """
    yield Execute(_ONE_AT_A_TIME, (f"{new.client} {new.account}",))
    values = (organisation, new.account, new.client, new.digest, MAX_REFRESH_TOKENS - 1)
    for removed in (yield Execute(_REMOVE_SURPLUS, values)):
        yield Execute(_REMOVE_SPENT, (organisation, removed["family"]))


def revoke_family(organisation: str, family: str) -> Work[None]:
    """Revokes all tokens that came from one login."""
    yield from _revoke(_REVOKE_FAMILY, organisation, family)


def revoke_of_session(organisation: str, account: int, sid: str) -> Work[None]:
    """Revokes the tokens of a session's reader that end with the session."""
    yield from _revoke(_REVOKE_OF_SESSION, organisation, account, sid)


def revoke_of_account(organisation: str, account: int, *, offline: bool) -> Work[None]:
    """Revokes an account's tokens; without `offline` only those of logins that were not given offline access."""
    yield from _revoke(_REVOKE_OF_ACCOUNT if offline else _REVOKE_ONLINE, organisation, account)


def _revoke(sql: Sql, *values: object) -> Work[None]:
    """Revokes tokens.

    A use of one that is in progress is waited for, and what it adds is seen by the next statement only: so the
    statement is repeated until it finds nothing.
    """
    while (yield Execute(sql, values)):
        pass
