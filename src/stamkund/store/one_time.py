"""Verbs about what works once: authorization codes and tickets. Only their hashes are kept.

Spending one and keeping what it gives is one transaction behind a row lock, so of any number of attempts at the same
moment one succeeds. A code that comes again has been stolen or is replayed: what it gave is revoked (RFC 6749, 4.1.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stamkund.store.tokens import Issue, NewToken, add_tokens, revoke_family
from stamkund.store.work import Ask, Sql, Work, one

CODE = "code"
TICKET = "ticket"
REMEMBERED_SECONDS = 86_400
"""How long one that is over is remembered."""

_ADD = Sql(
    "INSERT INTO one_time (hash, kind, client, account, scopes, created, expires, family, detail) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
_FIND = "SELECT account, scopes, created, expires, family, spent, detail, kind, client FROM one_time WHERE hash = $1"
_LOCK = Sql(f"{_FIND} FOR UPDATE", sqlite=_FIND)
_SPEND = Sql("UPDATE one_time SET spent = $2 WHERE hash = $1")
_REMOVE = Sql(
    "DELETE FROM one_time WHERE hash IN (SELECT hash FROM one_time WHERE expires <= $1 ORDER BY expires LIMIT $2 "
    "FOR UPDATE SKIP LOCKED) RETURNING 1",
    sqlite="DELETE FROM one_time WHERE hash IN (SELECT hash FROM one_time WHERE expires <= ?1 ORDER BY expires "
    "LIMIT ?2) RETURNING 1",
)


@dataclass(frozen=True)
class OneTime:
    """A code or ticket. `detail`: JSON, what a code must be asked for with. `replayed`: it was spent before."""

    hash: bytes
    kind: str
    client: str
    account: int
    scopes: str
    created: int
    expires: int
    family: str
    detail: str = "{}"
    replayed: bool = False


def add(new: OneTime) -> Work[None]:
    """Keeps a new code or ticket."""
    values = (new.hash, new.kind, new.client, new.account, new.scopes, new.created, new.expires, new.family)
    yield Ask(_ADD, (*values, new.detail))


def take(
    hash_: bytes, kind: str, client: str, now: int, check: Callable[[OneTime], None] | None = None
) -> Work[OneTime | None]:
    """Spends what is this client's and still holds. One spent before is answered as `replayed`, its tokens revoked.

    `check` may raise what stands in the way; then it is not spent.
    """
    row = one((yield Ask(_LOCK, (hash_,))))
    if row is None or row[7] != kind or row[8] != client:
        return None
    found = OneTime(hash_, kind, client, row[0], row[1], row[2], row[3], row[4], row[6], replayed=row[5] is not None)
    if found.replayed:
        yield from revoke_family(found.family)
        return found
    if found.expires <= now:
        return None
    if check is not None:
        check(found)
    yield Ask(_SPEND, (hash_, now))
    return found


def exchange(
    hash_: bytes,
    kind: str,
    client: str,
    now: int,
    check: Callable[[OneTime], None],
    make: Callable[[OneTime], list[NewToken]],
    issue: Issue,
) -> Work[tuple[OneTime, str] | None]:
    """Spends a code or ticket for the tokens that `make` makes of it; answers it with the reader's id.

    None: there is no such thing, or it was spent before. Raises NotActive, and what `check` and `make` raise.
    """
    spent = yield from take(hash_, kind, client, now, check)
    if spent is None or spent.replayed:
        return None
    reader_id = yield from add_tokens(make(spent), issue)
    assert reader_id is not None
    return spent, reader_id


def remove_old(now: int, most: int) -> Work[int]:
    """Removes at most `most` that are over for as long as they are remembered; answers how many."""
    return len((yield Ask(_REMOVE, (now - REMEMBERED_SECONDS, most))))
