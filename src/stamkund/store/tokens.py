"""Verbs about tokens. Only their hashes are kept: who copies the database can't call with them.

Tokens that came from one login are a family: they are revoked together when one of them turns up twice, or when its
refresh token is revoked. A rotated refresh token stays as `spent` for a while, so that it is known when it comes again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stamkund.store.readers import reader
from stamkund.store.work import Ask, Each, Sql, Work, one

ACCESS = "access"
REFRESH = "refresh"
SPENT = "spent"
SPENT_SECONDS = 30 * 86_400
"""How long a rotated refresh token is remembered."""

_ADD = Sql(
    "INSERT INTO tokens (hash, kind, client, account, scopes, created, expires, family) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
_FIND = Sql("SELECT account, scopes, family, expires, kind, client FROM tokens WHERE hash = $1")
_LOCK = Sql(f"{_FIND.postgres} FOR UPDATE", sqlite=_FIND.sqlite)
_SLIDE = Sql("UPDATE tokens SET expires = $2 WHERE hash = $1")
_SPEND = Sql("UPDATE tokens SET kind = 'spent', expires = $2 WHERE hash = $1")
_REVOKE = Sql("DELETE FROM tokens WHERE hash = $1")
_REVOKE_FAMILY = Sql("DELETE FROM tokens WHERE family = $1 RETURNING 1")
_AUDIT = Sql("INSERT INTO audit (organisation, at, event, client, account, detail) VALUES ($1, $2, $3, $4, $5, $6)")
# A batch is bounded, so that neither a lock nor a writer's turn lasts.
_REMOVE_EXPIRED = Sql(
    "DELETE FROM tokens WHERE hash IN (SELECT hash FROM tokens WHERE expires <= $1 ORDER BY expires LIMIT $2 "
    "FOR UPDATE SKIP LOCKED) RETURNING 1",
    sqlite="DELETE FROM tokens WHERE hash IN (SELECT hash FROM tokens WHERE expires <= ?1 ORDER BY expires LIMIT ?2) "
    "RETURNING 1",
)


@dataclass(frozen=True)
class NewToken:
    """A token about to be kept. `account`: the row of the account that it stands for, None without identity."""

    hash: bytes
    kind: str
    client: str
    account: int | None
    scopes: str
    created: int
    expires: int
    family: str


@dataclass(frozen=True)
class Issue:
    """For the audit: whose client got tokens, by which grant, when."""

    organisation: str
    client: str
    grant: str
    at: int


@dataclass(frozen=True)
class Refresh:
    """A refresh token that holds: whom it stands for and what it may give."""

    account: int | None
    scopes: str
    family: str
    expires: int


def add_tokens(tokens: list[NewToken], issue: Issue) -> Work[str | None]:
    """Keeps all of the tokens or none; answers the id of the account that they stand for. Raises NotActive."""
    yield Each(
        _ADD,
        [(t.hash, t.kind, t.client, t.account, t.scopes, t.created, t.expires, t.family) for t in tokens],
    )
    row = tokens[0].account
    account = None if row is None else (yield from reader(row)).id
    yield Ask(_AUDIT, (issue.organisation, issue.at, "token_issued", issue.client, account, issue.grant))
    return account


def use_refresh(
    token_hash: bytes,
    client: str,
    now: int,
    slides_to: int | None,
    make: Callable[[Refresh], list[NewToken]],
    issue: Issue,
) -> Work[str | None]:
    """Uses a client's refresh token for the tokens that `make` makes of it; answers whose they are, by account id.

    It lives on until `slides_to`, or with None is spent. None is answered where there is no such token; where it was
    spent before, its whole family is revoked. Raises NotActive, and what `make` raises: then nothing is changed.
    """
    row = one((yield Ask(_LOCK, (token_hash,))))
    if row is None or row[5] != client or row[3] <= now or row[4] == ACCESS:
        return None
    found = Refresh(row[0], row[1], row[2], row[3])
    if row[4] == SPENT:
        yield from revoke_family(found.family)
        yield Ask(_AUDIT, (issue.organisation, now, "token_reused", client, None, issue.grant))
        return None
    made = make(found)
    if slides_to is None:
        yield Ask(_SPEND, (token_hash, min(found.expires, now + SPENT_SECONDS)))
    else:
        yield Ask(_SLIDE, (token_hash, slides_to))
    return (yield from add_tokens(made, issue))


def revoke(token_hash: bytes, client: str, issue: Issue) -> Work[bool]:
    """Revokes a client's token; with a refresh token all that came from the same login. Answers if it was there."""
    row = one((yield Ask(_LOCK, (token_hash,))))
    if row is None or row[5] != client:
        return False
    if row[4] == ACCESS:
        yield Ask(_REVOKE, (token_hash,))
    else:
        yield from revoke_family(row[2])
    yield Ask(_AUDIT, (issue.organisation, issue.at, "token_revoked", client, None, row[4]))
    return True


def revoke_family(family: str) -> Work[None]:
    """Revokes all tokens that came from one login.

    A use of one that is under way is waited for, and what it adds is seen by the next statement only: so again, until
    there is nothing left.
    """
    while (yield Ask(_REVOKE_FAMILY, (family,))):
        pass


def refused(organisation: str, client: str, error: str, now: int) -> Work[None]:
    """Writes down that a client was refused a token, and how."""
    yield Ask(_AUDIT, (organisation, now, "token_refused", client, None, error))


def remove_expired(now: int, most: int) -> Work[int]:
    """Removes at most `most` tokens that are over; answers how many."""
    rows = yield Ask(_REMOVE_EXPIRED, (now, most))
    return len(rows)
