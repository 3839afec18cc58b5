"""Verbs of the import: many customers in one transaction, and the products of accounts that came from them.

Only an import writes customers (an activation marks one as activated), and imports of one organisation take turns, so
what is read at the start of a batch is still true at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from stamkund.rules import identifiers
from stamkund.rules.customer import Customer, follow_subscriptions
from stamkund.store.documents import EncodedCustomer
from stamkund.store.verb import Verbs, writes
from stamkund.store.verbs.account_status import store_accounts
from stamkund.store.work import BulkInsert, Execute, ExecuteMany, Sql, Work

_LOCK_IMPORTS = Sql("SELECT pg_advisory_xact_lock(7312, hashtext($1))", sqlite="SELECT ?1")
# PostgreSQL plans these once, often while the tables are still empty; written with ANY they then read every key of the
# organisation for each batch. LATERAL leaves it no choice but one look-up for each value.
_KEY = (
    "(SELECT i.customer FROM customer_identifiers i "
    "WHERE i.organisation = $1 AND i.kind = $2 AND i.value = named.value OFFSET 0)"
)
# A file is often in the order of its customer numbers: then no new customer's number lies between those of stored ones,
# and one look at the index is enough for a batch. Which number is the least depends on the database's collation.
_ANY_BETWEEN = Sql(
    "SELECT 1 FROM (SELECT min(value) AS low, max(value) AS high FROM unnest($3::text[]) AS named (value)) ends "
    "CROSS JOIN LATERAL (SELECT 1 FROM customer_identifiers i WHERE i.organisation = $1 AND i.kind = $2 "
    "AND i.value BETWEEN ends.low AND ends.high LIMIT 1) found",
    sqlite="SELECT 1 FROM customer_identifiers WHERE organisation = ?1 AND kind = ?2 "
    "AND value >= (SELECT min(value) FROM json_each(?3)) AND value <= (SELECT max(value) FROM json_each(?3)) LIMIT 1",
)
_PRESENT = Sql(
    "SELECT c.row, c.account, c.document "
    f"FROM (SELECT key.customer FROM unnest($3::text[]) AS named (value) CROSS JOIN LATERAL {_KEY} key ORDER BY 1) k "
    "CROSS JOIN LATERAL (SELECT row, account, document FROM customers WHERE row = k.customer FOR UPDATE) c",
    sqlite="SELECT c.row, c.account, c.document FROM customer_identifiers i JOIN customers c ON c.row = i.customer "
    "WHERE i.organisation = ?1 AND i.kind = ?2 AND i.value IN (SELECT value FROM json_each(?3))",
)
_OWNERS = Sql(
    f"SELECT named.value, key.customer FROM unnest($3::text[]) AS named (value) CROSS JOIN LATERAL {_KEY} key",
    sqlite="SELECT value, customer FROM customer_identifiers "
    "WHERE organisation = ?1 AND kind = ?2 AND value IN (SELECT value FROM json_each(?3))",
)
_ROWS = Sql(
    "INSERT INTO counters (organisation, name, value) VALUES ('', 'customers', $1) "
    "ON CONFLICT (organisation, name) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)
SET = Sql("UPDATE customers SET document = $2 WHERE row = $1")
DROP_KEY = Sql(
    "DELETE FROM customer_identifiers WHERE organisation = $1 AND kind = $2 AND value = $3 AND customer = $4"
)
_ACCOUNTS = Sql(
    "SELECT a.row, a.document FROM (SELECT * FROM unnest($1::bigint[]) ORDER BY 1) AS named (row) "
    "CROSS JOIN LATERAL (SELECT row, document FROM accounts WHERE row = named.row FOR UPDATE) a",
    sqlite="SELECT row, document FROM accounts WHERE row IN (SELECT value FROM json_each(?1))",
)

Change = Callable[[Customer | None], Customer]
"""Makes the customer that an import asks for out of the present one (None: there is none yet)."""


class CustomerUpdate(Protocol):
    """One row of an import: the customer number that it is about, and what becomes of the customer.

    `encoded`: what `change(None)` returns, where that has been encoded before the transaction.
    """

    @property
    def customer_number(self) -> str: ...
    @property
    def encoded(self) -> EncodedCustomer | None: ...
    def change(self, before: Customer | None, /) -> Customer: ...


@dataclass(slots=True)
class CustomerChange:
    """The plain form of a `CustomerUpdate`."""

    customer_number: str
    change: Change
    encoded: EncodedCustomer | None = None


@dataclass
class RejectedRow:
    """A row that was not imported: another customer has an identifier that must be unique.

    `place`: in the batch, from 0. `kind`: of the identifier.
    """

    place: int
    kind: str


@dataclass
class BatchResult:
    """What a batch did."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)

    @property
    def changed(self) -> int:
        return self.created + self.updated


@dataclass
class _StoredCustomer:
    row: int
    account: int | None
    customer: Customer


class CustomerVerbs(Verbs):
    @writes
    def put(
        self, organisation: str, changes: Sequence[CustomerUpdate], now: int, *, dry_run: bool = False
    ) -> Work[BatchResult]:
        """Brings every customer that is named up to date. A customer number stands in a batch once at most."""
        yield Execute(_LOCK_IMPORTS, (organisation,))
        stored = yield from self._stored(organisation, [change.customer_number for change in changes])
        prepared = [self._prepared(organisation, change, stored.get(change.customer_number)) for change in changes]
        owners = yield from _owners_of_added(organisation, prepared)
        result = BatchResult()
        accepted: list[_New | _Update] = []
        for place, one in enumerate(prepared):
            kind = _claim(one, owners) if one.added or one.dropped else None
            if kind is None:
                accepted.append(one)
            else:
                result.rejected.append(RejectedRow(place, kind))
        created = [one for one in accepted if isinstance(one, _New)]
        updates = [one for one in accepted if isinstance(one, _Update) and one.is_change]
        result.created, result.updated = len(created), len(updates)
        result.unchanged = len(accepted) - result.changed
        if not dry_run:
            yield from self._write(organisation, created, updates, now)
        return result

    def _stored(self, organisation: str, numbers: list[str]) -> Work[dict[str, _StoredCustomer]]:
        if not (yield Execute(_ANY_BETWEEN, (organisation, identifiers.CUSTOMER_NUMBER, numbers))):
            return {}
        rows = yield Execute(_PRESENT, (organisation, identifiers.CUSTOMER_NUMBER, numbers))
        stored = [
            _StoredCustomer(row["row"], row["account"], self._documents.customer(organisation, row["document"]))
            for row in rows
        ]
        return {one.customer.customer_number: one for one in stored}

    def _prepared(self, organisation: str, change: CustomerUpdate, stored: _StoredCustomer | None) -> _New | _Update:
        if stored is None:
            encoded = change.encoded or self._documents.encoded_customer(organisation, change.change(None))
            return _New(change.customer_number, encoded.id, encoded.document.decode(), encoded.contested)
        after = change.change(stored.customer)
        if after is stored.customer:
            return _Update(stored, after)
        keys_before, keys_after = (
            self._documents.customer_identifiers(organisation, one) for one in (stored.customer, after)
        )
        added = [key for key in keys_after if key not in keys_before]
        return _Update(stored, after, added, [key for key in keys_before if key not in keys_after])

    def _write(self, organisation: str, created: list[_New], updates: list[_Update], now: int) -> Work[None]:
        yield ExecuteMany(DROP_KEY, [(organisation, *key, one.stored.row) for one in updates for key in one.dropped])
        numbered = yield from _numbered(created)
        yield BulkInsert(
            "customers",
            ("row", "organisation", "document"),
            [(row, organisation, one.document) for row, one in numbered],
        )
        yield BulkInsert(
            "customer_identifiers",
            ("organisation", "kind", "value", "customer"),
            [(organisation, *key) for key in _keys_in_order(numbered, updates)],
        )
        texts = [(one.stored.row, self._documents.sealed_text(organisation, one.after)) for one in updates]
        yield ExecuteMany(SET, texts)
        activated = {one.stored.account: one.after for one in updates if one.stored.account is not None}
        if activated:
            yield from self._follow_subscriptions(organisation, activated, now)

    def _follow_subscriptions(self, organisation: str, customers: dict[int, Customer], now: int) -> Work[None]:
        """Brings the user products of accounts, by row, in line with the subscriptions of their customers."""
        rows = yield Execute(_ACCOUNTS, (list(customers),))
        accounts = [(row["row"], self._documents.account(organisation, row["document"])) for row in rows]
        changed = [
            (row, organisation, account)
            for row, account in accounts
            if follow_subscriptions(account, customers[row].subscriptions, now)
        ]
        yield from store_accounts(self._documents, changed)


_Key = tuple[str, str]
"""Kind and value of an identifier."""
_Owners = dict[_Key, int]
"""The row of the customer that has an identifier; `_EARLIER_IN_BATCH` where one of this batch gets it."""
_EARLIER_IN_BATCH = -1


@dataclass(slots=True, repr=False)
class _New:
    """A customer that is not stored yet. `added`: identifiers that another customer may have."""

    customer_number: str
    id: str
    document: str
    added: Sequence[_Key]
    dropped: Sequence[_Key] = ()


@dataclass(slots=True)
class _Update:
    """A stored customer before and after, with the identifiers that are added and dropped."""

    stored: _StoredCustomer
    after: Customer
    added: Sequence[_Key] = ()
    dropped: Sequence[_Key] = ()

    @property
    def is_change(self) -> bool:
        return self.after is not self.stored.customer


def _keys_in_order(created: list[tuple[int, _New]], updates: list[_Update]) -> Iterator[tuple[str, str, int]]:
    """The added identifiers as kind, value and customer row, in the order of the index: neighbours go in together.

    Sorting each kind by itself compares values only, which is much faster.
    """
    by_kind = {
        identifiers.CUSTOMER_NUMBER: [(one.customer_number, row) for row, one in created],
        identifiers.ID: [(one.id, row) for row, one in created],
    }
    others = [(row, key) for row, one in created for key in one.added]
    others += [(one.stored.row, key) for one in updates for key in one.added]
    for row, (kind, value) in others:
        by_kind.setdefault(kind, []).append((value, row))
    for kind, values in sorted(by_kind.items()):
        values.sort()
        for value, row in values:
            yield kind, value, row


def _claim(one: _New | _Update, owners: _Owners) -> str | None:
    """Records who has the identifiers now. Returns the kind of one that another customer has, if there is one."""
    for key in one.added:
        if key in owners:
            return key[0]
    for key in one.added:
        owners[key] = _EARLIER_IN_BATCH
    for key in one.dropped:
        owners.pop(key, None)
    return None


def _owners_of_added(organisation: str, prepared: list[_New | _Update]) -> Work[_Owners]:
    """Who has the identifiers that the batch is to add. None of them is an id or a customer number."""
    values: dict[str, list[str]] = {}
    for one in prepared:
        for kind, value in one.added:
            values.setdefault(kind, []).append(value)
    owners: _Owners = {}
    for kind, named in values.items():
        rows = yield Execute(_OWNERS, (organisation, kind, named))
        owners.update({(kind, row["value"]): row["customer"] for row in rows})
    return owners


def _numbered(created: list[_New]) -> Work[list[tuple[int, _New]]]:
    """New customers with the rows that they get."""
    if not created:
        return []
    last: int = (yield Execute(_ROWS, (len(created),)))[0]["value"]
    return list(enumerate(created, last - len(created) + 1))
