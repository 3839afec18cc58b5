"""Parts of verbs that seal stored values anew: of clients, ID token keys, accounts and customers.

`Change` says how values are read and how they are stored: with another key (`encryption.py`), or bound to their place
(`binding.py`). Whoever uses these parts has locked the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from stamkund.rules.account import Account
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier
from stamkund.store.documents import Documents, client_of
from stamkund.store.verbs import clients, customers
from stamkund.store.verbs.account_keys import ADD_IDENTIFIER, DROP_IDENTIFIER
from stamkund.store.verbs.account_status import store_accounts
from stamkund.store.work import Execute, ExecuteMany, Row, Sql, Work, first, for_update
from stamkund.vault import CLIENT_SECRET, Place

_ALL_CLIENT_IDS = Sql("SELECT id FROM clients ORDER BY id")
NEXT_ACCOUNTS = for_update("SELECT row, organisation, document FROM accounts WHERE row > $1 ORDER BY row LIMIT $2")
NEXT_CUSTOMERS = for_update("SELECT row, organisation, document FROM customers WHERE row > $1 ORDER BY row LIMIT $2")
_ADD_CUSTOMER_KEY = Sql(
    "INSERT INTO customer_identifiers (organisation, kind, value, customer) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING"
)

Reseal = Callable[[str, Place], str]
"""Makes of the value that is sealed at a place the one to be stored there. Raises CannotOpen."""


@dataclass(frozen=True, slots=True)
class Change:
    """What documents are read with (`before`), and what they are stored with (`after`)."""

    before: Documents
    after: Documents

    def added(self, organisation: str, owner: Account | Customer) -> list[Identifier]:
        """The identifiers of the owner's number that it is to have."""
        return _number_identifiers(self.after, organisation, owner)

    def dropped(self, organisation: str, owner: Account | Customer) -> list[Identifier]:
        """Those that it must not have any more."""
        added = self.added(organisation, owner)
        return [key for key in _number_identifiers(self.before, organisation, owner) if key not in added]


def reseal_clients(documents: Documents, reseal: Reseal) -> Work[None]:
    """Replaces every client secret by what `reseal` makes of it."""
    rows = yield Execute(_ALL_CLIENT_IDS)
    for row in rows:
        stored = first((yield Execute(clients.LOCK, (row["id"],))))
        assert stored is not None
        client = client_of(stored["document"])
        place = Place(CLIENT_SECRET, client.organisation, client.id)
        secrets = [msgspec.structs.replace(secret, sealed=reseal(secret.sealed, place)) for secret in client.secrets]
        resealed = msgspec.structs.replace(client, secrets=secrets)
        yield Execute(clients.SET, (client.id, documents.text(resealed)))


def reseal_accounts(change: Change, read: Sequence[tuple[Row, Account]]) -> Work[None]:
    """Stores accounts anew, each of which was read from its row, and the identifiers of their numbers."""
    yield from store_accounts(change.after, [(row["row"], row["organisation"], account) for row, account in read])
    yield ExecuteMany(DROP_IDENTIFIER, _keys(change.dropped, read))
    for key in _keys(change.added, read):
        yield Execute(ADD_IDENTIFIER, key)


def reseal_customers(change: Change, read: Sequence[tuple[Row, Customer]]) -> Work[None]:
    """As `reseal_accounts`, for customers."""
    texts = [(row["row"], change.after.sealed_text(row["organisation"], customer)) for row, customer in read]
    yield ExecuteMany(customers.SET, texts)
    yield ExecuteMany(customers.DROP_KEY, _keys(change.dropped, read))
    yield ExecuteMany(_ADD_CUSTOMER_KEY, _keys(change.added, read))


def _number_identifiers(documents: Documents, organisation: str, owner: Account | Customer) -> list[Identifier]:
    number = owner.social_security_number
    return [] if number is None else documents.number_identifiers(organisation, number)


def _keys(
    identifiers: Callable[[str, Account | Customer], list[Identifier]],
    read: Sequence[tuple[Row, Account]] | Sequence[tuple[Row, Customer]],
) -> list[tuple[str, str, str, int]]:
    return [
        (row["organisation"], *identifier, row["row"])
        for row, owner in read
        for identifier in identifiers(row["organisation"], owner)
    ]
