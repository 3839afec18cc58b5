"""Verbs about tokens. Only their hashes are kept: who copies the database can't call with them."""

from __future__ import annotations

from dataclasses import dataclass

from stamkund.store.work import Ask, Each, Sql, Work, one

ACCESS = "access"
REFRESH = "refresh"

_ADD = Sql(
    "INSERT INTO tokens (hash, kind, client, account, scopes, created, expires, family) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
_FIND_REFRESH = Sql(
    "SELECT account, scopes, family, expires FROM tokens WHERE hash = $1 AND kind = 'refresh' AND client = $2"
)
_SLIDE = Sql("UPDATE tokens SET expires = $2 WHERE hash = $1")
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
class Refresh:
    """A refresh token that holds: whom it stands for and what it may give."""

    account: int | None
    scopes: str
    family: str


def add_tokens(tokens: list[NewToken]) -> Work[None]:
    """Keeps all of the tokens or none."""
    yield Each(
        _ADD,
        [(t.hash, t.kind, t.client, t.account, t.scopes, t.created, t.expires, t.family) for t in tokens],
    )


def refresh(token_hash: bytes, client: str, now: int) -> Work[Refresh | None]:
    """The refresh token, if it holds and is this client's."""
    row = one((yield Ask(_FIND_REFRESH, (token_hash, client))))
    if row is None or row[3] <= now:
        return None
    return Refresh(row[0], row[1], row[2])


def use_refresh(token_hash: bytes, expires: int, new: NewToken) -> Work[None]:
    """Adds the access token that a refresh token gave, and lets the refresh token live on until `expires`."""
    yield Ask(_SLIDE, (token_hash, expires))
    yield from add_tokens([new])


def remove_expired(now: int, most: int) -> Work[int]:
    """Removes at most `most` tokens that are over; answers how many."""
    rows = yield Ask(_REMOVE_EXPIRED, (now, most))
    return len(rows)
