"""Verbs of the import: many customers in one transaction, and the products of accounts that came from them.

Only an import writes customers (an activation marks one as spent), and imports of one organisation take turns, so what
is read at the start of a batch still holds at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from stamkund.rules import identifiers
from stamkund.rules.customer import Customer, follow_subscriptions
from stamkund.rules.identifiers import Identifier
from stamkund.store.documents import Documents
from stamkund.store.work import Ask, Each, Load, Sql, Work

_TAKE_TURNS = Sql("SELECT pg_advisory_xact_lock(7312, hashtext($1))", sqlite="SELECT ?1")
# PostgreSQL plans these once, often while the tables are still empty; written with ANY they then read every key of the
# organisation for each batch. LATERAL leaves it no choice but one look-up for each value.
_KEY = (
    "(SELECT i.customer FROM customer_identifiers i "
    "WHERE i.organisation = $1 AND i.kind = $2 AND i.value = wanted.value OFFSET 0)"
)
_KNOWN = Sql(
    "SELECT c.row, c.account, c.document "  # noqa: S608
    f"FROM (SELECT key.customer FROM unnest($3::text[]) AS wanted (value) CROSS JOIN LATERAL {_KEY} key ORDER BY 1) k "
    "CROSS JOIN LATERAL (SELECT row, account, document FROM customers WHERE row = k.customer FOR UPDATE) c",
    sqlite="SELECT c.row, c.account, c.document FROM customer_identifiers i JOIN customers c ON c.row = i.customer "
    "WHERE i.organisation = ?1 AND i.kind = ?2 AND i.value IN (SELECT value FROM json_each(?3))",
)
_OWNERS = Sql(
    "SELECT wanted.value, key.customer "  # noqa: S608
    f"FROM unnest($3::text[]) AS wanted (value) CROSS JOIN LATERAL {_KEY} key",
    sqlite="SELECT value, customer FROM customer_identifiers "
    "WHERE organisation = ?1 AND kind = ?2 AND value IN (SELECT value FROM json_each(?3))",
)
_ROWS = Sql(
    "INSERT INTO counters (organisation, name, value) VALUES ('', 'customers', $1) "
    "ON CONFLICT (organisation, name) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)
_SET_CUSTOMER = Sql("UPDATE customers SET document = $2 WHERE row = $1")
_DROP_KEY = Sql(
    "DELETE FROM customer_identifiers WHERE organisation = $1 AND kind = $2 AND value = $3 AND customer = $4"
)
_ACCOUNTS = Sql(
    "SELECT a.row, a.document FROM (SELECT * FROM unnest($1::bigint[]) ORDER BY 1) AS wanted (row) "
    "CROSS JOIN LATERAL (SELECT row, document FROM accounts WHERE row = wanted.row FOR UPDATE) a",
    sqlite="SELECT row, document FROM accounts WHERE row IN (SELECT value FROM json_each(?1))",
)
_SET_ACCOUNT = Sql("UPDATE accounts SET document = $2 WHERE row = $1")

Change = Callable[[Customer | None], Customer]
"""Makes the customer that an import wants out of the one there is (None: not known yet)."""


@dataclass(frozen=True)
class Wanted:
    """One row of an import: the customer number it is about and what to make of the customer."""

    customer_number: str
    change: Change


@dataclass
class Taken:
    """A row that was not taken: another customer has what must be one customer's only."""

    place: int
    kind: str


@dataclass
class Outcome:
    """What a batch did. `rejected` names places in the batch, from 0."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Taken] = field(default_factory=list)

    @property
    def changed(self) -> int:
        return self.created + self.updated


@dataclass
class _Known:
    row: int
    account: int | None
    before: Customer


class CustomerVerbs:
    """Verbs as generators; `Store` runs them."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def put_customers(
        self, organisation: str, wanted: list[Wanted], now: int, *, dry_run: bool = False
    ) -> Work[Outcome]:
        """Makes every customer of `wanted` as it should be. A customer number stands in a batch once at the most."""
        yield Ask(_TAKE_TURNS, (organisation,))
        known = yield from self._known(organisation, [w.customer_number for w in wanted])
        changes = [self._change(w, known.get(w.customer_number)) for w in wanted]
        owners = yield from self._owners(organisation, changes)
        outcome = Outcome()
        for place, change in enumerate(changes):
            if (kind := change.conflict(owners)) is not None:
                outcome.rejected.append(Taken(place, kind))
            else:
                change.claim(owners)
                change.count(outcome)
        if not dry_run:
            taken = {t.place for t in outcome.rejected}
            yield from self._write(organisation, [c for p, c in enumerate(changes) if p not in taken], now)
        return outcome

    def _known(self, organisation: str, numbers: list[str]) -> Work[dict[str, _Known]]:
        rows = yield Ask(_KNOWN, (organisation, identifiers.CUSTOMER_NUMBER, numbers))
        found = [_Known(row[0], row[1], self._documents.customer(row[2])) for row in rows]
        return {k.before.customer_number: k for k in found}

    def _change(self, wanted: Wanted, known: _Known | None) -> _Change:
        if known is None:
            after = wanted.change(None)
            return _Change(None, after, self._keys(after), ())
        after = wanted.change(known.before)
        if after is known.before:
            return _Change(known, after, (), ())
        before_keys, after_keys = self._keys(known.before), self._keys(after)
        added = [key for key in after_keys if key not in before_keys]
        return _Change(known, after, added, [key for key in before_keys if key not in after_keys])

    def _keys(self, customer: Customer) -> Collection[Identifier]:
        """Each once, in an order that is always the same."""
        return dict.fromkeys(identifiers.of_customer(customer, self._documents.vault.number_hashes))

    def _owners(self, organisation: str, changes: list[_Change]) -> Work[_Owners]:
        """Who has the keys that the batch wants to add."""
        asked: dict[str, list[str]] = {}
        for change in changes:
            for kind, value in change.added:
                if kind not in (identifiers.ID, identifiers.CUSTOMER_NUMBER):
                    asked.setdefault(kind, []).append(value)
        owners: _Owners = {}
        for kind, wanted in asked.items():
            rows = yield Ask(_OWNERS, (organisation, kind, wanted))
            owners.update({Identifier(kind, row[0]): row[1] for row in rows})
        return owners

    def _write(self, organisation: str, changes: list[_Change], now: int) -> Work[None]:
        new = [c for c in changes if c.known is None]
        yield Each(
            _DROP_KEY,
            [(organisation, *key, c.known.row) for c in changes if c.known for key in c.dropped],
        )
        first = 0
        if new:
            first = (yield Ask(_ROWS, (len(new),)))[0][0] - len(new) + 1
        places = list(zip(range(first, first + len(new)), new, strict=True))
        text = self._documents.text
        yield Load(
            "customers",
            ("row", "organisation", "document"),
            [(row, organisation, text(c.after)) for row, c in places],
        )
        updated = [(c.known, c) for c in changes if c.known and c.is_change]
        keys = [(organisation, kind, value, row) for row, c in places for kind, value in c.added]
        keys += [(organisation, kind, value, known.row) for known, c in updated for kind, value in c.added]
        keys.sort()  # neighbours in the index go in together
        yield Load("customer_identifiers", ("organisation", "kind", "value", "customer"), keys)
        yield Each(_SET_CUSTOMER, [(known.row, text(c.after)) for known, c in updated])
        activated = {known.account: c.after for known, c in updated if known.account is not None}
        if activated:
            yield from self._follow(activated, now)

    def _follow(self, customers: dict[int, Customer], now: int) -> Work[None]:
        """Brings the user products of accounts, by row, in line with the subscriptions of their customers."""
        rows = yield Ask(_ACCOUNTS, (list(customers),))
        accounts = [(row[0], self._documents.account(row[1])) for row in rows]
        changed = [(row, a) for row, a in accounts if follow_subscriptions(a, customers[row].subscriptions, now)]
        yield Each(_SET_ACCOUNT, [(row, self._documents.text(account)) for row, account in changed])


_Owners = dict[Identifier, int]


@dataclass(slots=True)
class _Change:
    """One customer before and after, with the keys that it gets and loses."""

    known: _Known | None
    after: Customer
    added: Collection[Identifier]
    dropped: Collection[Identifier]

    @property
    def is_change(self) -> bool:
        return self.known is None or self.after is not self.known.before

    def conflict(self, owners: _Owners) -> str | None:
        """The kind of a key that another customer has, in the database or earlier in the batch."""
        return next((key.kind for key in self.added if key in owners), None)

    def claim(self, owners: _Owners) -> None:
        for key in self.added:
            owners[key] = -1
        for key in self.dropped:
            owners.pop(key, None)

    def count(self, outcome: Outcome) -> None:
        if self.known is None:
            outcome.created += 1
        elif self.is_change:
            outcome.updated += 1
        else:
            outcome.unchanged += 1
