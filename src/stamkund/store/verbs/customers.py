"""Verbs of the import: many customers in one transaction, and the products of accounts that came from them.

Only an import writes customers (an activation marks one as activated), and imports of one organisation take turns, so
what is read at the start of a batch is still true at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from stamkund.rules import identifiers
from stamkund.rules.customer import Customer, combined
from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.store.documents import EncodedCustomer
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.verbs import events
from stamkund.store.verbs.claims import Key, conflicts
from stamkund.store.verbs.following import Followed, follow, owners_of
from stamkund.store.verbs.renumbering import MoveRefused, Moves, moves_of
from stamkund.store.work import BulkInsert, Execute, ExecuteMany, Sql, UniqueConflict, Work, first

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
_PRESENT_UNLOCKED = Sql(_PRESENT.postgres.replace(" FOR UPDATE", ""), sqlite=_PRESENT.sqlite)
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
_FORGET = Sql("DELETE FROM customers WHERE row = $1")
_FORGET_KEY = Sql("DELETE FROM customer_identifiers WHERE organisation = $1 AND kind = $2 AND value = $3")
_SET_ACCOUNT = Sql("UPDATE customers SET account = $2 WHERE row = $1")
_DOCUMENTS = Sql(
    "SELECT row, document FROM customers WHERE row = ANY($1::bigint[])",
    sqlite="SELECT row, document FROM customers WHERE row IN (SELECT value FROM json_each(?1))",
)
_ACCOUNT_OF = Sql(
    "SELECT a.row, a.document FROM identifiers i JOIN accounts a ON a.row = i.account "
    "WHERE i.organisation = $1 AND i.kind = $2 AND i.value = $3"
)
CANDIDATE = "candidate"
"""The kind of a conflict about a customer who has an account already."""
RENAMED, MOVED = "renamed", "moved"
"""What became of an account's customer: it has a new number, or the account belongs to another one."""
_NUMBERS = Sql(
    "SELECT value FROM customer_identifiers WHERE organisation = $1 AND kind = $2 AND value > $3 "
    "ORDER BY value LIMIT $4"
)

Change = Callable[[Customer | None], Customer]
"""Makes the customer that an import asks for out of the present one (None: there is none yet)."""


class CustomerUpdate(Protocol):
    """One row of an import: the customer number that it is about, and what becomes of the customer.

    `encoded`: what `change(None)` returns, where that has been encoded before the transaction.
    `previous_customer_number`: the number that the customer had before, where the row says so.
    """

    @property
    def customer_number(self) -> str: ...
    @property
    def previous_customer_number(self) -> str | None: ...
    @property
    def encoded(self) -> EncodedCustomer | None: ...
    def change(self, before: Customer | None, /) -> Customer: ...


@dataclass(slots=True)
class CustomerChange:
    """The plain form of a `CustomerUpdate`."""

    customer_number: str
    change: Change
    encoded: EncodedCustomer | None = None
    previous_customer_number: str | None = None


@dataclass
class RejectedRow:
    """A row that was not imported: another customer has an identifier that must be unique.

    `place`: in the batch, from 0. `kind`: of the identifier. `owner`: the customer number of the customer who has it;
    None where that is a new one of the same batch, or where an account has it.
    """

    place: int
    kind: str
    owner: str | None = None
    key: Key | None = None


@dataclass
class BatchResult:
    """What a batch did.

    `numbers_kept`: places of rows whose customer has an account that keeps its numbers, because another account has a
    new one. `moves_refused`: places of rows whose previous customer number could not be followed, and why.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)
    numbers_kept: list[int] = field(default_factory=list)
    moves_refused: dict[int, MoveRefused] = field(default_factory=dict)

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
        """Brings every customer that is named up to date. A customer number stands in a batch once at most.

        The batch is judged as a whole: an identifier that one row gives up is free for another.
        """
        yield Execute(_LOCK_IMPORTS, (organisation,))
        result = BatchResult()
        stored = yield from self._stored(organisation, [change.customer_number for change in changes])
        moved, moves = yield from self._moved(organisation, changes, stored, now)
        result.moves_refused = moves.not_followed
        prepared = [
            self._prepared(organisation, change, stored.get(change.customer_number), moved.get(place))
            for place, change in enumerate(changes)
        ]
        owners = yield from _owners_of_added(organisation, prepared)
        others = yield from _of_other_accounts(organisation, prepared)
        conflicting = conflicts(prepared, owners, others)
        names = yield from self._numbers_of(organisation, {owners.get(key) for key in conflicting.values()})
        result.rejected = [
            RejectedRow(place, key[0], names.get(owners.get(key)), key) for place, key in sorted(conflicting.items())
        ]
        accepted = [(place, one) for place, one in enumerate(prepared) if place not in conflicting]
        created = [one for _, one in accepted if isinstance(one, _New)]
        updates = [(place, one) for place, one in accepted if isinstance(one, _Update) and one.is_change]
        result.created, result.updated = len(created), len(updates)
        result.unchanged = len(accepted) - result.changed
        if not dry_run:
            unchanged_accounts = yield from self._write(organisation, created, [one for _, one in updates], now)
            result.numbers_kept = [place for place, one in updates if one.account in unchanged_accounts]
        return result

    @writes
    def move_account(self, organisation: str, account_id: str, number: str, now: int) -> Work[str]:
        """Makes an account that of the customer with a number, and returns what became of it.

        Where no such customer is stored, the account's own customer gets the number. Raises UniqueConflict: `id` for an
        unknown account, `customer_number` for an unknown customer, `candidate` for a customer who has another account.
        """
        yield Execute(_LOCK_IMPORTS, (organisation,))
        row = first((yield Execute(_ACCOUNT_OF, (organisation, identifiers.ID, account_id))))
        if row is None:
            raise UniqueConflict(identifiers.ID)
        account: int = row["row"]
        own_number = self._documents.account(organisation, row["document"]).customer_number
        stored = yield from self._stored(organisation, [number, *([own_number] if own_number else [])])
        present, target = stored.get(own_number or ""), stored.get(number)
        if present is not None and present.account != account:
            present = None
        if target is None and present is None:
            raise UniqueConflict(identifiers.CUSTOMER_NUMBER)
        if target is not None and target.account not in (None, account):
            raise UniqueConflict(CANDIDATE)
        if target is None:
            assert present is not None
            after = msgspec.structs.replace(present.customer, customer_number=number, updated=now)
            yield from self._write(organisation, [], [self._update(organisation, present, after)], now)
        else:
            left = () if present is None or present is target else present.customer.subscriptions
            if present is not None:
                yield Execute(_SET_ACCOUNT, (present.row, None))
            yield Execute(_SET_ACCOUNT, (target.row, account))
            unchanged_accounts = yield from follow(
                self._documents, organisation, [Followed(account, None, target.customer, left)], now
            )
            if unchanged_accounts:
                raise UniqueConflict(identifiers.PERSON_NUMBER)
        yield from events.record(AuditEntry(organisation, now, AuditEvent.ACCOUNT_MOVED, account=account_id))
        return RENAMED if target is None else MOVED

    @reads
    def numbers_after(self, organisation: str, number: str, at_most: int) -> Work[list[str]]:
        """Customer numbers in an order of the database's own, from the one after `number` on."""
        rows = yield Execute(_NUMBERS, (organisation, identifiers.CUSTOMER_NUMBER, number, at_most))
        return [row["value"] for row in rows]

    @reads
    def with_subscriptions(self, organisation: str, numbers: list[str], now: int) -> Work[list[str]]:
        """Those of these customers who have a subscription that has not ended."""
        rows = yield Execute(_PRESENT_UNLOCKED, (organisation, identifiers.CUSTOMER_NUMBER, numbers))
        customers = [self._documents.customer(organisation, row["document"]) for row in rows]
        return [one.customer_number for one in customers if one.current_subscriptions(now)]

    def _moved(
        self, organisation: str, changes: Sequence[CustomerUpdate], stored: dict[str, _StoredCustomer], now: int
    ) -> Work[tuple[dict[int, _StoredCustomer], Moves]]:
        """The stored customers whose number is another one now, by the place of the row that says so.

        Takes those of them out of `stored` whose number another customer of the batch gets.
        """
        named = [one.previous_customer_number for one in changes if one.previous_customer_number is not None]
        if not named:
            return {}, Moves()
        previous = stored | (yield from self._stored(organisation, list(dict.fromkeys(named))))
        moves = moves_of(
            [(one.customer_number, one.previous_customer_number) for one in changes],
            {number: one.account is not None for number, one in previous.items()},
            {number for number, one in previous.items() if one.customer.updated == now},
        )
        for number in moves.left:
            stored.pop(number, None)
        return {place: previous[number] for place, number in moves.followed.items()}, moves

    def _stored(self, organisation: str, numbers: list[str]) -> Work[dict[str, _StoredCustomer]]:
        if not (yield Execute(_ANY_BETWEEN, (organisation, identifiers.CUSTOMER_NUMBER, numbers))):
            return {}
        rows = yield Execute(_PRESENT, (organisation, identifiers.CUSTOMER_NUMBER, numbers))
        stored = [
            _StoredCustomer(row["row"], row["account"], self._documents.customer(organisation, row["document"]))
            for row in rows
        ]
        return {one.customer.customer_number: one for one in stored}

    def _prepared(
        self,
        organisation: str,
        change: CustomerUpdate,
        stored: _StoredCustomer | None,
        moved: _StoredCustomer | None = None,
    ) -> _New | _Update:
        """What a row does. `moved`: the customer whose number was another one before."""
        if stored is None and moved is None:
            encoded = change.encoded or self._documents.encoded_customer(organisation, change.change(None))
            return _New(change.customer_number, encoded.id, encoded.document.decode(), encoded.contested)
        if stored is None:
            assert moved is not None
            before = msgspec.structs.replace(moved.customer, customer_number=change.customer_number)
            return self._update(organisation, moved, change.change(before))
        before = stored.customer if moved is None else combined(stored.customer, moved.customer)
        after = change.change(before)
        if after is stored.customer:
            return _Update(stored, after)
        return self._update(organisation, stored, after, moved)

    def _update(
        self, organisation: str, stored: _StoredCustomer, after: Customer, absorbed: _StoredCustomer | None = None
    ) -> _Update:
        keys_before, keys_after = (
            self._documents.customer_identifiers(organisation, one) for one in (stored.customer, after)
        )
        added = [key for key in keys_after if key not in keys_before]
        dropped: list[Key] = [key for key in keys_before if key not in keys_after]
        if absorbed is not None:
            dropped += self._documents.customer_identifiers(organisation, absorbed.customer)
        return _Update(stored, after, added, dropped, absorbed)

    def _write(self, organisation: str, created: list[_New], updates: list[_Update], now: int) -> Work[list[int]]:
        """Stores the changes; returns the accounts that keep their numbers (`following`)."""
        yield ExecuteMany(DROP_KEY, [(organisation, *key, one.stored.row) for one in updates for key in one.dropped])
        for one in updates:
            if one.absorbed is not None:
                yield from self._forget(organisation, one.absorbed)
                if one.absorbed.account is not None:
                    yield Execute(_SET_ACCOUNT, (one.stored.row, one.absorbed.account))
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
        followed = [one.followed(account) for one in updates if (account := one.account) is not None]
        return (yield from follow(self._documents, organisation, followed, now))

    def _forget(self, organisation: str, absorbed: _StoredCustomer) -> Work[None]:
        """Removes a customer who is another one now."""
        keys = self._documents.customer_identifiers(organisation, absorbed.customer)
        yield ExecuteMany(_FORGET_KEY, [(organisation, *key) for key in keys])
        yield Execute(_FORGET, (absorbed.row,))

    def _numbers_of(self, organisation: str, rows: set[int | None]) -> Work[dict[int | None, str]]:
        """The customer numbers of stored customers, by row."""
        numbers = [row for row in rows if row is not None]
        if not numbers:
            return {}
        documents = yield Execute(_DOCUMENTS, (numbers,))
        customers = ((row["row"], self._documents.customer(organisation, row["document"])) for row in documents)
        return {row: customer.customer_number for row, customer in customers}


_Owners = dict[Key, int]
"""The row of the customer that has an identifier."""


@dataclass(slots=True, repr=False)
class _New:
    """A customer that is not stored yet. `added`: identifiers that another customer may have."""

    customer_number: str
    id: str
    document: str
    added: Sequence[Key]
    dropped: Sequence[Key] = ()


@dataclass(slots=True)
class _Update:
    """A stored customer before and after, with the identifiers that are added and dropped.

    `absorbed`: another stored customer, whom this one turned out to be.
    """

    stored: _StoredCustomer
    after: Customer
    added: Sequence[Key] = ()
    dropped: Sequence[Key] = ()
    absorbed: _StoredCustomer | None = None

    @property
    def is_change(self) -> bool:
        return self.after is not self.stored.customer or self.absorbed is not None

    @property
    def account(self) -> int | None:
        """The row of the customer's account after the change."""
        if self.stored.account is None and self.absorbed is not None:
            return self.absorbed.account
        return self.stored.account

    def followed(self, account: int) -> Followed:
        """What the account is to follow."""
        if self.absorbed is None or self.absorbed.account is None:
            return Followed(account, self.stored.customer, self.after)
        return Followed(account, None, self.after, self.absorbed.customer.subscriptions)


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


def _owners_of_added(organisation: str, prepared: list[_New | _Update]) -> Work[_Owners]:
    """Who has the identifiers that the batch is to add."""
    values: dict[str, list[str]] = {}
    for one in prepared:
        for kind, value in one.added:
            values.setdefault(kind, []).append(value)
    owners: _Owners = {}
    for kind, named in values.items():
        rows = yield Execute(_OWNERS, (organisation, kind, named))
        owners.update({(kind, row["value"]): row["customer"] for row in rows})
    return owners


def _of_other_accounts(organisation: str, prepared: list[_New | _Update]) -> Work[dict[int, Key]]:
    """The changes, by their place, that want a login whose e-mail an account of somebody else has."""
    logins = [(place, key) for place, one in enumerate(prepared) for key in one.added if key[0] == identifiers.EMAIL]
    if not logins:
        return {}
    accounts = yield from owners_of(organisation, [key for _, key in logins])
    return {
        place: key
        for place, key in logins
        if key in accounts and (isinstance(one := prepared[place], _New) or one.account != accounts[key])
    }


def _numbered(created: list[_New]) -> Work[list[tuple[int, _New]]]:
    """New customers with the rows that they get."""
    if not created:
        return []
    last: int = (yield Execute(_ROWS, (len(created),)))[0]["value"]
    return list(enumerate(created, last - len(created) + 1))
