"""Verbs about the keys that ID tokens are signed with. Private parts come and go sealed.

Processes that find a new key due at the same moment wait for each other at one row, and all but the first then see that
it is no longer due: all of them end with the same keys.
"""

from __future__ import annotations

from collections.abc import Callable

from stamkund.rules.key_schedule import IdTokenKey
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.work import Execute, ExecuteMany, Sql, Work, for_update
from stamkund.vault import ID_TOKEN_KEY, Place

# Every installation has this row; and re-encryption writes it, so no key is added meanwhile.
_LOCK = for_update("SELECT 1 FROM meta WHERE name = 'key check'")
_ALL = Sql("SELECT id, created, public, sealed FROM id_token_keys ORDER BY created, id")
_ADD = Sql("INSERT INTO id_token_keys (id, created, public, sealed) VALUES ($1, $2, $3, $4)")
_RESEAL = Sql("UPDATE id_token_keys SET sealed = $2 WHERE id = $1")
_REMOVE = Sql("DELETE FROM id_token_keys WHERE id = $1")


class IdTokenKeyVerbs(Verbs):
    @reads
    def all(self) -> Work[list[IdTokenKey]]:
        """All keys, oldest first."""
        return (yield from _all())

    @writes
    def add_after(self, key: IdTokenKey, newest: str | None) -> Work[list[IdTokenKey]]:
        """Adds a key unless another of its algorithm was added after `newest`; returns all keys then, oldest first."""
        yield Execute(_LOCK)
        keys = yield from _all()
        of_its_algorithm = [one.id for one in keys if one.algorithm == key.algorithm]
        if (of_its_algorithm[-1] if of_its_algorithm else None) != newest:
            return keys
        yield from _add(key)
        return (yield from _all())

    @writes
    def rotate(self, keys: list[IdTokenKey], *, revoke_old: bool) -> Work[None]:
        """Adds keys, whatever others there are; with `revoke_old` they are the only ones afterwards."""
        yield Execute(_LOCK)
        if revoke_old:
            yield from _remove([old.id for old in (yield from _all())])
        for key in keys:
            yield from _add(key)

    @writes
    def remove(self, ids: list[str]) -> Work[None]:
        yield from _remove(ids)


def reseal_id_token_keys(reseal: Callable[[str, Place], str]) -> Work[None]:
    """Replaces every sealed private part by what `reseal` makes of it, with the place that it is sealed at."""
    yield Execute(_LOCK)
    keys = yield from _all()
    yield ExecuteMany(_RESEAL, [(key.id, reseal(key.sealed, Place(ID_TOKEN_KEY, "", key.id))) for key in keys])


def _all() -> Work[list[IdTokenKey]]:
    rows = yield Execute(_ALL)
    return [IdTokenKey(row["id"], row["created"], row["public"], row["sealed"]) for row in rows]


def _add(key: IdTokenKey) -> Work[None]:
    yield Execute(_ADD, (key.id, key.created, key.public, key.sealed))


def _remove(ids: list[str]) -> Work[None]:
    yield ExecuteMany(_REMOVE, [(id_,) for id_ in ids])
