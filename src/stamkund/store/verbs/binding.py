"""Binding to its place what was sealed before schema step 7, and including the organisation in the hashes of numbers.

That needs the key file, which a step in SQL does not have. So the step leaves a row in `meta` that tells how far this
has come, and a database that has the row is not used before the work is done. Each batch is one transaction together
with that row: whatever is interrupted goes on where it was, and of several processes one does each batch.

A value that can't be opened stays as it is, and is refused later as it was before: one damaged account must not keep an
installation from starting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from stamkund.rules.account import Account
from stamkund.rules.customer import Customer
from stamkund.store.documents import Documents, UnboundDocuments
from stamkund.store.engine import Engine
from stamkund.store.verbs.encryption import set_key_check
from stamkund.store.verbs.id_token_keys import reseal_id_token_keys
from stamkund.store.verbs.sealing import (
    NEXT_ACCOUNTS,
    NEXT_CUSTOMERS,
    Change,
    reseal_accounts,
    reseal_clients,
    reseal_customers,
)
from stamkund.store.work import Execute, Row, Sql, Work, first, for_update
from stamkund.vault import CannotOpen, Place, Vault

T = TypeVar("T", Account, Customer)

CLIENTS, ACCOUNTS, CUSTOMERS, DONE = "clients", "accounts", "customers", "done"
_NEXT = {CLIENTS: ACCOUNTS, ACCOUNTS: CUSTOMERS, CUSTOMERS: DONE}

_PROGRESS = Sql("SELECT value FROM meta WHERE name = 'binding'")
_LOCK_PROGRESS = for_update(_PROGRESS.postgres)
_SET_PROGRESS = Sql("UPDATE meta SET value = $1 WHERE name = 'binding'")
_REMOVE_PROGRESS = Sql("DELETE FROM meta WHERE name = 'binding'")


class Progress(msgspec.Struct):
    """How far the work has come. `stage`: what is bound next; `after`: the last row of it that is done.

    `bound`: how many accounts and customers had something to be bound; `damaged`: how many values could not be opened.
    """

    stage: str = CLIENTS
    after: int = 0
    bound: int = 0
    damaged: int = 0


async def bind(engine: Engine, vault: Vault, batch: int = 500) -> Progress | None:
    """Binds everything that is left; returns the sum of it, None where there was nothing. Raises Unavailable."""
    if await engine.read(is_bound):  # without a writer, which every start would wait for
        return None
    change = Change(UnboundDocuments(vault), Documents(vault))
    latest = None
    while (progress := await engine.write(lambda: _bind_next(change, vault, batch))) is not None:
        latest = progress
    return latest


def is_bound() -> Work[bool]:
    """Whether nothing is left to be bound."""
    return not (yield Execute(_PROGRESS))


def _bind_next(change: Change, vault: Vault, at_most: int) -> Work[Progress | None]:
    """Binds one batch; None where nothing was left."""
    stored = first((yield Execute(_LOCK_PROGRESS)))
    if stored is None:
        return None
    progress = msgspec.json.decode(stored["value"], type=Progress)
    if progress.stage == CLIENTS:
        yield from _bind_clients_and_keys(change, vault, progress)
    elif progress.stage == ACCOUNTS:
        rows = yield Execute(NEXT_ACCOUNTS, (progress.after, at_most))
        yield from reseal_accounts(change, _readable(rows, change.before.account, progress))
        _advance(progress, rows)
    else:
        rows = yield Execute(NEXT_CUSTOMERS, (progress.after, at_most))
        yield from reseal_customers(change, _readable(rows, change.before.customer, progress))
        _advance(progress, rows)
    if progress.stage == DONE:
        yield from set_key_check(vault)
        yield Execute(_REMOVE_PROGRESS)
    else:
        yield Execute(_SET_PROGRESS, (msgspec.json.encode(progress).decode(),))
    return progress


def _bind_clients_and_keys(change: Change, vault: Vault, progress: Progress) -> Work[None]:
    def bound(sealed: str, place: Place) -> str:
        try:
            return vault.seal(vault.open_unbound(sealed, place.purpose), place)
        except CannotOpen:
            progress.damaged += 1
            return sealed

    yield from reseal_clients(change.after, bound)
    yield from reseal_id_token_keys(bound)
    progress.stage = _NEXT[progress.stage]


def _readable(rows: list[Row], decode: Callable[[str, str], T], progress: Progress) -> list[tuple[Row, T]]:
    """The rows with something to be bound, with what they hold."""
    read = []
    for row in rows:
        try:
            owner = decode(row["organisation"], row["document"])
        except CannotOpen:
            progress.damaged += 1
            continue
        if owner.social_security_number is not None or (isinstance(owner, Customer) and owner.password_hash):
            read.append((row, owner))
    progress.bound += len(read)
    return read


def _advance(progress: Progress, rows: list[Row]) -> None:
    if rows:
        progress.after = rows[-1]["row"]
    else:
        progress.stage, progress.after = _NEXT[progress.stage], 0
