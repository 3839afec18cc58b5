"""Verbs about tokens. Only their digests are stored: whoever copies the database can't call with them.

Tokens that came from one login are a family: they are revoked together when one of them is used again after it was
replaced, or when its refresh token is revoked. A replaced refresh token stays as `spent` for a while, so that it is
recognised when it comes again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.rules.timestamps import DAY
from stamkund.store.verb import Verbs, writes
from stamkund.store.verbs import events, lookups
from stamkund.store.verbs.account_status import active_account
from stamkund.store.verbs.lookups import AccountLookup, AuthenticatedToken, TokenLookup
from stamkund.store.work import Execute, ExecuteMany, Sql, Work, delete_batch, first, for_update

ACCESS = "access"
REFRESH = "refresh"
SPENT = "spent"
SPENT_SECONDS = 30 * DAY
"""How long a replaced refresh token is recognised."""

_ADD = Sql(
    "INSERT INTO tokens (digest, organisation, kind, client, account, scopes, created, expires, family) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
_LOCK = for_update("SELECT account, scopes, family, expires, kind, client FROM tokens WHERE digest = $1")
_EXTEND = Sql("UPDATE tokens SET expires = $2 WHERE digest = $1")
_SPEND = Sql("UPDATE tokens SET kind = 'spent', expires = $2 WHERE digest = $1")
_REVOKE = Sql("DELETE FROM tokens WHERE digest = $1")
_REVOKE_FAMILY = Sql("DELETE FROM tokens WHERE organisation = $1 AND family = $2 RETURNING 1")
_REMOVE_EXPIRED = delete_batch("tokens", "digest", "expires <= $1", "expires")


@dataclass(frozen=True)
class NewToken:
    """A token to be stored. `account`: the row of the account that it stands for, None without identity."""

    digest: bytes
    kind: str
    client: str
    account: int | None
    scopes: str
    created: int
    expires: int
    family: str


@dataclass(frozen=True)
class Issue:
    """The circumstances of an issue, for the audit: which client got tokens, by which grant, when."""

    organisation: str
    client: str
    grant: str
    at: int

    def entry(self, event: AuditEvent, account: str | None = None, detail: str | None = None) -> AuditEntry:
        return AuditEntry(self.organisation, self.at, event, self.client, account, detail or self.grant)


@dataclass(frozen=True)
class Refresh:
    """A valid refresh token: the row of its account, and what it may give."""

    account: int | None
    scopes: str
    family: str
    expires: int


class TokenVerbs(Verbs):
    async def authenticate(
        self, digest: bytes, account: AccountLookup, catalogue: bool = False
    ) -> AuthenticatedToken | None:
        """The hot path: a token with its client and organisation and, in the same statement, the account looked up.

        With `catalogue`, also the fingerprint of the organisation's catalogue. None: there is no such token. An expired
        one is returned too: compare `expires` with the present time.
        """
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
        extend_to: int | None,
        make: Callable[[Refresh], list[NewToken]],
        issue: Issue,
    ) -> Work[str | None]:
        """Uses a client's refresh token for the tokens that `make` makes of it; returns the id of their account.

        It stays valid until `extend_to`; with None it is spent. None is returned where there is no such token; where it
        was spent before, its whole family is revoked. Raises NotActive, and what `make` raises: then nothing changes.
        """
        row = first((yield Execute(_LOCK, (digest,))))
        if row is None or row["client"] != client or row["expires"] <= now or row["kind"] == ACCESS:
            return None
        refresh = Refresh(row["account"], row["scopes"], row["family"], row["expires"])
        if row["kind"] == SPENT:
            yield from revoke_family(issue.organisation, refresh.family)
            yield from events.record(issue.entry(AuditEvent.TOKEN_REUSED))
            return None
        tokens = make(refresh)
        if extend_to is None:
            yield Execute(_SPEND, (digest, min(refresh.expires, now + SPENT_SECONDS)))
        else:
            yield Execute(_EXTEND, (digest, extend_to))
        return (yield from add_tokens(tokens, issue))

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
        yield from events.record(issue.entry(AuditEvent.TOKEN_REVOKED, detail=row["kind"]))
        return True

    @writes
    def remove_expired(self, now: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` tokens that have expired; returns how many."""
        return len((yield Execute(_REMOVE_EXPIRED, (now, at_most))))


def add_tokens(tokens: list[NewToken], issue: Issue) -> Work[str | None]:
    """Stores all of the tokens or none; returns the id of the account that they stand for. Raises NotActive."""
    yield ExecuteMany(
        _ADD,
        [
            (t.digest, issue.organisation, t.kind, t.client, t.account, t.scopes, t.created, t.expires, t.family)
            for t in tokens
        ],
    )
    account = None
    if tokens[0].account is not None:
        account = (yield from active_account(tokens[0].account)).id
    yield from events.record(issue.entry(AuditEvent.TOKEN_ISSUED, account))
    return account


def revoke_family(organisation: str, family: str) -> Work[None]:
    """Revokes all tokens that came from one login.

    A use of one that is in progress is waited for, and what it adds is seen by the next statement only: so the
    statement is repeated until it finds nothing.
    """
    while (yield Execute(_REVOKE_FAMILY, (organisation, family))):
        pass
