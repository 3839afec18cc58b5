"""Parts of verbs: the identifiers of an account are added with it, and move when it changes.

The primary key of `identifiers` decides who has one: nothing is looked at first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stamkund.rules import identifiers
from stamkund.rules.account import Account
from stamkund.rules.identifiers import Identifier
from stamkund.store.documents import Documents
from stamkund.store.work import Execute, ExecuteMany, Sql, UniqueConflict, Work

ADD_IDENTIFIER = Sql(
    "INSERT INTO identifiers (organisation, kind, value, account) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING RETURNING account"
)
DROP_IDENTIFIER = Sql("DELETE FROM identifiers WHERE organisation = $1 AND kind = $2 AND value = $3 AND account = $4")
DOCUMENTED_ORDER = (identifiers.EMAIL, identifiers.ALIAS, identifiers.PERSON_NUMBER, identifiers.EXTERNAL_ID)
"""The order in which "Create account" and "Update account" list them: the first that is in use is refused."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """The identifiers that an account gets and gives up."""

    added: list[Identifier]
    dropped: list[Identifier]


def key_change(documents: Documents, organisation: str, before: Account, after: Account) -> KeyChange:
    keys_before, keys_after = (documents.account_identifiers(organisation, one) for one in (before, after))
    added = [key for key in keys_after if key not in keys_before]
    return KeyChange(added, [key for key in keys_before if key not in keys_after])


def add_keys(organisation: str, row: int, keys: Iterable[Identifier], order: Sequence[str] = ()) -> Work[None]:
    """Gives identifiers to the account of a row. Raises UniqueConflict for one that another account has.

    It is the first of several; of those whose kind is in `order`, the first in that order. All are tried in one order
    whatever is to be reported, so that two transactions never wait for each other because of it.
    """
    conflicts = []
    for key in keys:
        if not (yield Execute(ADD_IDENTIFIER, (organisation, *key, row))):
            if key.kind not in order:
                raise UniqueConflict(key.kind)
            conflicts.append(key.kind)
    if conflicts:
        raise UniqueConflict(min(conflicts, key=order.index))


def move_keys(organisation: str, row: int, change: KeyChange) -> Work[None]:
    """Brings the identifiers of a changed account up to date; its row is locked. Raises UniqueConflict."""
    if change.dropped:
        yield ExecuteMany(DROP_IDENTIFIER, [(organisation, *key, row) for key in change.dropped])
    yield from add_keys(organisation, row, change.added, DOCUMENTED_ORDER)
