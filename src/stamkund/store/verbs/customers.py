"""Verbs of the import: many customers in one transaction, and the products of accounts that came from them.

Only an import writes customers (an activation marks one as activated), and imports of one organisation take turns, so
what is read at the start of a batch is still true at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from stamkund.rules import identifiers
from stamkund.rules.customer import Customer, follow_subscriptions
from stamkund.rules.identifiers import Identifier
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
_DROP_KEY = Sql(
    "DELETE FROM customer_identifiers WHERE organisation = $1 AND kind = $2 AND value = $3 AND customer = $4"
)
_ACCOUNTS = Sql(
    "SELECT a.row, a.document FROM (SELECT * FROM unnest($1::bigint[]) ORDER BY 1) AS named (row) "
    "CROSS JOIN LATERAL (SELECT row, document FROM accounts WHERE row = named.row FOR UPDATE) a",
    sqlite="SELECT row, document FROM accounts WHERE row IN (SELECT value FROM json_each(?1))",
)

Change = Callable[[Customer | None], Customer]
"""Makes the customer that an import asks for out of the present one (None: there is none yet)."""


@dataclass(frozen=True)
class CustomerChange:
    """One row of an import: the customer number that it is about, and what becomes of the customer."""

    customer_number: str
    change: Change


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
        self, organisation: str, changes: Sequence[CustomerChange], now: int, *, dry_run: bool = False
    ) -> Work[BatchResult]:
        """Brings every customer that is named up to date. A customer number stands in a batch once at most."""
        yield Execute(_LOCK_IMPORTS, (organisation,))
        stored = yield from self._stored(organisation, [change.customer_number for change in changes])
        prepared = [self._prepared(change, stored.get(change.customer_number)) for change in changes]
        owners = yield from _owners_of_added(organisation, prepared)
        result = BatchResult()
        accepted: list[_Prepared] = []
        for place, one in enumerate(prepared):
            if (kind := one.conflict(owners)) is not None:
                result.rejected.append(RejectedRow(place, kind))
            else:
                one.claim(owners)
                one.count(result)
                accepted.append(one)
        if not dry_run:
            yield from self._write(organisation, accepted, now)
        return result

    def _stored(self, organisation: str, numbers: list[str]) -> Work[dict[str, _StoredCustomer]]:
        rows = yield Execute(_PRESENT, (organisation, identifiers.CUSTOMER_NUMBER, numbers))
        stored = [
            _StoredCustomer(row["row"], row["account"], self._documents.customer(row["document"])) for row in rows
        ]
        return {one.customer.customer_number: one for one in stored}

    def _prepared(self, change: CustomerChange, stored: _StoredCustomer | None) -> _Prepared:
        keys = self._documents.customer_identifiers
        if stored is None:
            created = change.change(None)
            return _Prepared(None, created, keys(created), ())
        after = change.change(stored.customer)
        if after is stored.customer:
            return _Prepared(stored, after, (), ())
        keys_before, keys_after = keys(stored.customer), keys(after)
        added = [key for key in keys_after if key not in keys_before]
        return _Prepared(stored, after, added, [key for key in keys_before if key not in keys_after])

    def _write(self, organisation: str, prepared: list[_Prepared], now: int) -> Work[None]:
        updated = [(one.stored, one) for one in prepared if one.stored and one.is_change]
        yield ExecuteMany(
            _DROP_KEY, [(organisation, *key, stored.row) for stored, one in updated for key in one.dropped]
        )
        created = yield from _numbered([one for one in prepared if one.stored is None])
        text = self._documents.text
        yield BulkInsert(
            "customers",
            ("row", "organisation", "document"),
            [(row, organisation, text(one.after)) for row, one in created],
        )
        keys = [(organisation, kind, value, row) for row, one in created for kind, value in one.added]
        keys += [(organisation, kind, value, stored.row) for stored, one in updated for kind, value in one.added]
        keys.sort()  # neighbours in the index go in together
        yield BulkInsert("customer_identifiers", ("organisation", "kind", "value", "customer"), keys)
        yield ExecuteMany(SET, [(stored.row, text(one.after)) for stored, one in updated])
        activated = {stored.account: one.after for stored, one in updated if stored.account is not None}
        if activated:
            yield from self._follow_subscriptions(activated, now)

    def _follow_subscriptions(self, customers: dict[int, Customer], now: int) -> Work[None]:
        """Brings the user products of accounts, by row, in line with the subscriptions of their customers."""
        rows = yield Execute(_ACCOUNTS, (list(customers),))
        accounts = [(row["row"], self._documents.account(row["document"])) for row in rows]
        changed = [
            (row, account)
            for row, account in accounts
            if follow_subscriptions(account, customers[row].subscriptions, now)
        ]
        yield from store_accounts(self._documents, changed)


_Owners = dict[Identifier, int]
"""The row of the customer that has an identifier; `_EARLIER_IN_BATCH` where one of this batch gets it."""
_EARLIER_IN_BATCH = -1


@dataclass(slots=True)
class _Prepared:
    """One customer before and after, with the identifiers that are added and dropped."""

    stored: _StoredCustomer | None
    after: Customer
    added: Collection[Identifier]
    dropped: Collection[Identifier]

    @property
    def is_change(self) -> bool:
        return self.stored is None or self.after is not self.stored.customer

    def conflict(self, owners: _Owners) -> str | None:
        """The kind of an identifier that another customer has, in the database or earlier in the batch."""
        return next((key.kind for key in self.added if key in owners), None)

    def claim(self, owners: _Owners) -> None:
        for key in self.added:
            owners[key] = _EARLIER_IN_BATCH
        for key in self.dropped:
            owners.pop(key, None)

    def count(self, result: BatchResult) -> None:
        if self.stored is None:
            result.created += 1
        elif self.is_change:
            result.updated += 1
        else:
            result.unchanged += 1


def _owners_of_added(organisation: str, prepared: list[_Prepared]) -> Work[_Owners]:
    """Who has the identifiers that the batch is to add. Ids are new, and customer numbers were looked up already."""
    values: dict[str, list[str]] = {}
    for one in prepared:
        for kind, value in one.added:
            if kind not in (identifiers.ID, identifiers.CUSTOMER_NUMBER):
                values.setdefault(kind, []).append(value)
    owners: _Owners = {}
    for kind, named in values.items():
        rows = yield Execute(_OWNERS, (organisation, kind, named))
        owners.update({Identifier(kind, row["value"]): row["customer"] for row in rows})
    return owners


def _numbered(created: list[_Prepared]) -> Work[list[tuple[int, _Prepared]]]:
    """New customers with the rows that they get."""
    if not created:
        return []
    last: int = (yield Execute(_ROWS, (len(created),)))[0]["value"]
    return list(enumerate(created, last - len(created) + 1))
