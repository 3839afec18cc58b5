"""Parts of verbs: an account is locked, changed and stored, and its identifiers move along.

Changes of one account are put in order by the lock on its row: each is made of the account as the one before left it,
so two that concern different fields both stay. What is recorded of a change is its verb's to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from stamkund.rules import identifiers
from stamkund.rules.account import ARCHIVED, Account
from stamkund.rules.account_update import changed_fields
from stamkund.rules.identifiers import Identifier
from stamkund.store.documents import Documents
from stamkund.store.verbs.account_keys import key_change, move_keys
from stamkund.store.verbs.account_status import store_accounts
from stamkund.store.verbs.candidates import is_login_of_other_customer
from stamkund.store.work import Execute, UniqueConflict, Work, first, for_update

_LOCK_BY_KEY = for_update(
    "SELECT a.row, a.document FROM identifiers i JOIN accounts a ON a.row = i.account "
    "WHERE i.organisation = $1 AND i.kind = $2 AND i.value = $3",
    of="a",
)
_LOCK_BY_ROW = for_update("SELECT row, document FROM accounts WHERE organisation = $1 AND row = $2")
_NO_CUSTOMER = 0
"""A row that no customer has."""

AccountKey = Identifier | int
"""Which account: the one with an identifier, or that of a row (the account that an access token stands for)."""


@dataclass(frozen=True, slots=True)
class AccountChange:
    """An account before and after a change. `fields`: the names of those that differ; none where nothing changed."""

    row: int
    before: Account
    after: Account
    fields: list[str]

    @property
    def id(self) -> str:
        return self.after.id


def change_account(
    documents: Documents, organisation: str, key: AccountKey, change: Callable[[Account], Account], now: int
) -> Work[AccountChange | None]:
    """Stores what `change` makes of an account; None where there is no such account, or it is archived.

    `change` returns another account and leaves its argument as it is. Raises what it raises, and UniqueConflict: the
    kind of an identifier that another account has, or of the e-mail that a customer logs in with.
    """
    by = (_LOCK_BY_ROW, (organisation, key)) if isinstance(key, int) else (_LOCK_BY_KEY, (organisation, *key))
    row = first((yield Execute(*by)))
    if row is None:
        return None
    before = documents.account(organisation, row["document"])
    if before.status == ARCHIVED:
        return None
    after = change(before)
    fields = changed_fields(before, after)
    if fields:
        after = msgspec.structs.replace(after, updated=now)
        keys = key_change(documents, organisation, before, after)
        yield from move_keys(organisation, row["row"], keys)
        yield from refuse_login_of_customer(organisation, keys.added)
        yield from store_accounts(documents, [(row["row"], organisation, after)])
    return AccountChange(row["row"], before, after, fields)


def refuse_login_of_customer(organisation: str, added: list[Identifier]) -> Work[None]:
    """Raises UniqueConflict where an account gets an e-mail that a customer logs in with, by an imported password."""
    for key in added:
        if key.kind == identifiers.EMAIL and (yield from is_login_of_other_customer(organisation, key, _NO_CUSTOMER)):
            raise UniqueConflict(identifiers.EMAIL)
