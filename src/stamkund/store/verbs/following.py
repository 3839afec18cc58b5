"""Parts of verbs: accounts follow the customers that they came from, in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from stamkund.rules.account import Account
from stamkund.rules.customer import Customer, Subscription, follow_subscriptions
from stamkund.rules.identifiers import Identifier
from stamkund.store.documents import Documents
from stamkund.store.verbs.account_keys import ADD_IDENTIFIER, DROP_IDENTIFIER, key_change
from stamkund.store.verbs.account_status import store_accounts
from stamkund.store.verbs.claims import Key, conflicts
from stamkund.store.work import Execute, ExecuteMany, Sql, UniqueConflict, Work

_ACCOUNTS = Sql(
    "SELECT a.row, a.document FROM (SELECT * FROM unnest($1::bigint[]) ORDER BY 1) AS named (row) "
    "CROSS JOIN LATERAL (SELECT row, document FROM accounts WHERE row = named.row FOR UPDATE) a",
    sqlite="SELECT row, document FROM accounts WHERE row IN (SELECT value FROM json_each(?1))",
)
_OWNERS = Sql(
    "SELECT i.value, i.account FROM unnest($3::text[]) AS named (value) CROSS JOIN LATERAL "
    "(SELECT value, account FROM identifiers WHERE organisation = $1 AND kind = $2 AND value = named.value OFFSET 0) i",
    sqlite="SELECT value, account FROM identifiers "
    "WHERE organisation = ?1 AND kind = ?2 AND value IN (SELECT value FROM json_each(?3))",
)


@dataclass(slots=True)
class Followed:
    """An account's customer before and after a change; `before` None: the account had another customer or none.

    `left`: subscriptions of a customer that the account does not belong to any more; they have ended.
    """

    account: int
    before: Customer | None
    after: Customer
    left: Sequence[Subscription] = ()


@dataclass(slots=True)
class _Renumbering:
    """An account before and after new numbers, with its identifiers that are added and dropped."""

    row: int
    before: Account
    after: Account
    added: list[Identifier]
    dropped: list[Identifier]


def follow(documents: Documents, organisation: str, followed: Sequence[Followed], now: int) -> Work[list[int]]:
    """Brings accounts in line with their customers: user products, customer number, social security number.

    Returns the rows of accounts that keep their numbers, because another account has a new one.
    """
    if not followed:
        return []
    rows = yield Execute(_ACCOUNTS, ([one.account for one in followed],))
    accounts = {row["row"]: documents.account(organisation, row["document"]) for row in rows}
    by_account = {one.account: one for one in followed}
    changed: dict[int, Account] = {}
    renumberings: list[_Renumbering] = []
    for row, account in accounts.items():
        one = by_account[row]
        if follow_subscriptions(account, [*_ended(one.left), *one.after.subscriptions], now):
            changed[row] = account
        after = _renumbered(account, one, now)
        if after is not account:
            renumberings.append(_renumbering(documents, organisation, row, account, after))
    unchanged_accounts = yield from _renumber(organisation, renumberings, changed)
    yield from store_accounts(documents, [(row, organisation, account) for row, account in changed.items()])
    return unchanged_accounts


def owners_of(organisation: str, keys: Sequence[Key]) -> Work[dict[Key, int]]:
    """The accounts that have these identifiers."""
    by_kind: dict[str, list[str]] = {}
    for kind, value in keys:
        by_kind.setdefault(kind, []).append(value)
    owners: dict[Key, int] = {}
    for kind, values in by_kind.items():
        rows = yield Execute(_OWNERS, (organisation, kind, values))
        owners.update({(kind, row["value"]): row["account"] for row in rows})
    return owners


def _ended(subscriptions: Sequence[Subscription]) -> list[Subscription]:
    return [msgspec.structs.replace(one, state="deactivated") for one in subscriptions]


def _renumbered(account: Account, one: Followed, now: int) -> Account:
    """The account with the numbers of its customer that are new; the same object where none is."""
    fields: dict[str, object] = {}
    if account.customer_number != one.after.customer_number:
        fields["customer_number"] = one.after.customer_number
    number = one.after.social_security_number
    is_new = one.before is None or one.before.social_security_number != number
    if number is not None and is_new and account.social_security_number != number:
        fields["social_security_number"] = number
    return msgspec.structs.replace(account, **fields, updated=now) if fields else account


def _renumbering(documents: Documents, organisation: str, row: int, before: Account, after: Account) -> _Renumbering:
    keys = key_change(documents, organisation, before, after)
    return _Renumbering(row, before, after, keys.added, keys.dropped)


def _renumber(organisation: str, renumberings: list[_Renumbering], changed: dict[int, Account]) -> Work[list[int]]:
    if not renumberings:
        return []
    owners = yield from owners_of(organisation, [key for one in renumberings for key in one.added])
    conflicting = conflicts(renumberings, owners)
    made = [one for place, one in enumerate(renumberings) if place not in conflicting]
    yield ExecuteMany(DROP_IDENTIFIER, [(organisation, *key, one.row) for one in made for key in one.dropped])
    for one in made:
        for key in one.added:
            if not (yield Execute(ADD_IDENTIFIER, (organisation, *key, one.row))):
                raise UniqueConflict(key.kind)  # an activation has just taken it
        changed[one.row] = one.after
    return [renumberings[place].row for place in conflicting]
