"""Verbs about the installation itself: organisations, clients, and the keys that data is sealed with."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from stamkund.rules import identifiers
from stamkund.rules.account import Account
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier
from stamkund.rules.organisation import Client, Organisation
from stamkund.store.documents import Documents, client_of, organisation_of
from stamkund.store.work import Ask, Sql, Work, one
from stamkund.vault import CHECK, Vault

_META = Sql("SELECT value FROM meta WHERE name = $1")
_SET_META = Sql(
    "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_ORGANISATIONS = Sql("SELECT document FROM organisations ORDER BY id")
_ORGANISATION = Sql("SELECT document FROM organisations WHERE id = $1")
_LOCK_ORGANISATION = Sql(f"{_ORGANISATION.postgres} FOR UPDATE", sqlite=_ORGANISATION.sqlite)
_SET_ORGANISATION = Sql(
    "INSERT INTO organisations (id, document) VALUES ($1, $2) "
    "ON CONFLICT (id) DO UPDATE SET document = excluded.document"
)
_CLIENTS = Sql("SELECT document FROM clients WHERE organisation = $1 ORDER BY id")
_ALL_CLIENTS = Sql("SELECT document FROM clients")
_CLIENT = Sql("SELECT document FROM clients WHERE id = $1")
_LOCK_CLIENT = Sql(f"{_CLIENT.postgres} FOR UPDATE", sqlite=_CLIENT.sqlite)
_ADD_CLIENT = Sql("INSERT INTO clients (id, organisation, document) VALUES ($1, $2, $3)")
_SET_CLIENT = Sql("UPDATE clients SET document = $2 WHERE id = $1")

_SOME_ACCOUNTS = Sql(
    "SELECT row, organisation, document FROM accounts WHERE row > $1 ORDER BY row LIMIT $2 FOR UPDATE",
    sqlite="SELECT row, organisation, document FROM accounts WHERE row > ?1 ORDER BY row LIMIT ?2",
)
_SOME_CUSTOMERS = Sql(
    "SELECT row, organisation, document FROM customers WHERE row > $1 ORDER BY row LIMIT $2 FOR UPDATE",
    sqlite="SELECT row, organisation, document FROM customers WHERE row > ?1 ORDER BY row LIMIT ?2",
)
_SET_ACCOUNT = Sql("UPDATE accounts SET document = $2 WHERE row = $1")
_SET_CUSTOMER = Sql("UPDATE customers SET document = $2 WHERE row = $1")
_ADD_ACCOUNT_KEY = Sql(
    "INSERT INTO identifiers (organisation, kind, value, account) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
)
_ADD_CUSTOMER_KEY = Sql(
    "INSERT INTO customer_identifiers (organisation, kind, value, customer) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING"
)
_DROP_ACCOUNT_KEYS = Sql("DELETE FROM identifiers WHERE kind = 'social_security_number' AND value LIKE $1")
_DROP_CUSTOMER_KEYS = Sql("DELETE FROM customer_identifiers WHERE kind = 'social_security_number' AND value LIKE $1")
_KEY_CHECK = "key check"


def key_check() -> Work[str | None]:
    """What the first start sealed, for later starts to see whether they have the right key file; None at first."""
    row = one((yield Ask(_META, (_KEY_CHECK,))))
    return None if row is None else row[0]


def set_key_check(vault: Vault) -> Work[None]:
    yield Ask(_SET_META, (_KEY_CHECK, vault.seal("stamkund", CHECK)))


def organisations() -> Work[list[Organisation]]:
    rows = yield Ask(_ORGANISATIONS)
    return [organisation_of(row[0]) for row in rows]


def organisation(organisation_id: str) -> Work[Organisation | None]:
    row = one((yield Ask(_ORGANISATION, (organisation_id,))))
    return None if row is None else organisation_of(row[0])


def change_organisation(
    organisation_id: str, change: Callable[[Organisation | None], Organisation], documents: Documents
) -> Work[Organisation]:
    """Makes or changes an organisation by what `change` makes of the one there is."""
    row = one((yield Ask(_LOCK_ORGANISATION, (organisation_id,))))
    changed = change(None if row is None else organisation_of(row[0]))
    yield Ask(_SET_ORGANISATION, (organisation_id, documents.text(changed)))
    return changed


def clients(organisation_id: str) -> Work[list[Client]]:
    rows = yield Ask(_CLIENTS, (organisation_id,))
    return [client_of(row[0]) for row in rows]


def origins() -> Work[frozenset[str]]:
    """The web origins of all clients that are not disabled."""
    rows = yield Ask(_ALL_CLIENTS)
    enabled = (known for known in (client_of(row[0]) for row in rows) if not known.disabled)
    return frozenset(origin for known in enabled for origin in known.origins)


def client(client_id: str) -> Work[tuple[Client, Organisation] | None]:
    """A client and the organisation that it belongs to."""
    row = one((yield Ask(_CLIENT, (client_id,))))
    if row is None:
        return None
    found = client_of(row[0])
    owner = one((yield Ask(_ORGANISATION, (found.organisation,))))
    return None if owner is None else (found, organisation_of(owner[0]))


def add_client(new: Client, documents: Documents) -> Work[None]:
    yield Ask(_ADD_CLIENT, (new.id, new.organisation, documents.text(new)))


def change_client(client_id: str, change: Callable[[Client], Client], documents: Documents) -> Work[Client | None]:
    """Changes a client by what `change` makes of it; None where there is no such client."""
    row = one((yield Ask(_LOCK_CLIENT, (client_id,))))
    if row is None:
        return None
    changed = change(client_of(row[0]))
    yield Ask(_SET_CLIENT, (client_id, documents.text(changed)))
    return changed


def reseal_clients(documents: Documents) -> Work[int]:
    """Seals every client secret, and the key check, with the newest key; answers how many clients there are."""
    count = 0
    for owner in (yield from organisations()):
        for known in (yield from clients(owner.id)):
            row = one((yield Ask(_LOCK_CLIENT, (known.id,))))
            assert row is not None
            fresh = client_of(row[0])
            secrets = [msgspec.structs.replace(s, sealed=documents.reseal_secret(s.sealed)) for s in fresh.secrets]
            resealed = msgspec.structs.replace(fresh, secrets=secrets)
            yield Ask(_SET_CLIENT, (known.id, documents.text(resealed)))
            count += 1
    yield from set_key_check(documents.vault)
    return count


def reseal_accounts(after: int, most: int, documents: Documents) -> Work[int | None]:
    """Seals up to `most` accounts after the row `after` anew; answers the last row, None where none was left."""
    rows = yield Ask(_SOME_ACCOUNTS, (after, most))
    for row in rows:
        account: Account = documents.account(row[2])
        yield Ask(_SET_ACCOUNT, (row[0], documents.text(account)))
        for key in _number_keys(account, documents):
            yield Ask(_ADD_ACCOUNT_KEY, (row[1], *key, row[0]))
    return rows[-1][0] if rows else None


def reseal_customers(after: int, most: int, documents: Documents) -> Work[int | None]:
    """As `reseal_accounts`, for customers."""
    rows = yield Ask(_SOME_CUSTOMERS, (after, most))
    for row in rows:
        customer: Customer = documents.customer(row[2])
        yield Ask(_SET_CUSTOMER, (row[0], documents.text(customer)))
        for key in _number_keys(customer, documents):
            yield Ask(_ADD_CUSTOMER_KEY, (row[1], *key, row[0]))
    return rows[-1][0] if rows else None


def drop_number_keys(key_id: str) -> Work[None]:
    """Removes the look-up hashes made with a key that is no longer in the key file."""
    for sql in (_DROP_ACCOUNT_KEYS, _DROP_CUSTOMER_KEYS):
        yield Ask(sql, (f"{key_id}.%",))


def _number_keys(holder: Account | Customer, documents: Documents) -> list[Identifier]:
    number = holder.social_security_number
    return [] if number is None else identifiers.person_numbers(number, documents.vault.number_hashes)
