"""Verbs about the keys that ID tokens are signed with. Private parts come and go sealed.

Processes that find a new key due at the same moment wait for each other at one row, and all but the first then see that
it is no longer due: all of them end with the same keys.
"""

from __future__ import annotations

from stamkund.rules.signing import SigningKey
from stamkund.store.work import Ask, Each, Sql, Work
from stamkund.vault import SIGNING, Vault

# Every installation has this row; and sealing everything anew writes it, so no key is added meanwhile.
_LOCK = Sql(
    "SELECT 1 FROM meta WHERE name = 'key check' FOR UPDATE", sqlite="SELECT 1 FROM meta WHERE name = 'key check'"
)
_KEPT = Sql("SELECT id, created, public, sealed FROM signing_keys ORDER BY created, id")
_ADD = Sql("INSERT INTO signing_keys (id, created, public, sealed) VALUES ($1, $2, $3, $4)")
_RESEAL = Sql("UPDATE signing_keys SET sealed = $2 WHERE id = $1")
_REMOVE = Sql("DELETE FROM signing_keys WHERE id = $1")


def kept() -> Work[list[SigningKey]]:
    """All keys, oldest first."""
    return [SigningKey(row[0], row[1], row[2], row[3]) for row in (yield Ask(_KEPT))]


def add_after(new: SigningKey, newest: str | None) -> Work[list[SigningKey]]:
    """Adds a key unless another was added after `newest`; answers the keys that there are then, oldest first."""
    yield Ask(_LOCK)
    keys = yield from kept()
    if (keys[-1].id if keys else None) != newest:
        return keys
    yield Ask(_ADD, (new.id, new.created, new.public, new.sealed))
    return (yield from kept())


def rotate(new: SigningKey, *, revoke_old: bool) -> Work[None]:
    """Adds a key, whatever others there are; with `revoke_old` it is the only one then."""
    yield Ask(_LOCK)
    if revoke_old:
        keys = yield from kept()
        yield from remove([key.id for key in keys])
    yield Ask(_ADD, (new.id, new.created, new.public, new.sealed))


def remove(ids: list[str]) -> Work[None]:
    """Removes keys by their ids."""
    yield Each(_REMOVE, [(id_,) for id_ in ids])


def reseal(vault: Vault) -> Work[int]:
    """Seals every private part with the newest key of the vault; answers how many there are."""
    yield Ask(_LOCK)
    keys = yield from kept()
    yield Each(_RESEAL, [(key.id, vault.seal(vault.open(key.sealed, SIGNING), SIGNING)) for key in keys])
    return len(keys)
