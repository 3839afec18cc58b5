"""Verbs about the key file: whether the database was written with it, and sealing everything with its newest key."""

from __future__ import annotations

import msgspec

from stamkund.rules.account import Account
from stamkund.rules.customer import Customer
from stamkund.store.documents import Documents, client_of
from stamkund.store.engine import Engine
from stamkund.store.verb import Verbs, writes
from stamkund.store.verbs import accounts, clients, customers
from stamkund.store.verbs.account_status import store_accounts
from stamkund.store.verbs.id_token_keys import reseal_id_token_keys
from stamkund.store.work import Execute, Sql, Work, first, for_update
from stamkund.vault import CHECK, CLIENT_SECRET, ID_TOKEN_KEY, Vault

_META = Sql("SELECT value FROM meta WHERE name = $1")
_SET_META = Sql(
    "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_ALL_CLIENT_IDS = Sql("SELECT id FROM clients ORDER BY id")
_NEXT_ACCOUNTS = for_update("SELECT row, organisation, document FROM accounts WHERE row > $1 ORDER BY row LIMIT $2")
_NEXT_CUSTOMERS = for_update("SELECT row, organisation, document FROM customers WHERE row > $1 ORDER BY row LIMIT $2")
_ADD_CUSTOMER_KEY = Sql(
    "INSERT INTO customer_identifiers (organisation, kind, value, customer) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING"
)
_DROP_ACCOUNT_KEYS = Sql("DELETE FROM identifiers WHERE kind = 'social_security_number' AND value LIKE $1")
_DROP_CUSTOMER_KEYS = Sql("DELETE FROM customer_identifiers WHERE kind = 'social_security_number' AND value LIKE $1")
_KEY_CHECK = "key check"


class EncryptionVerbs(Verbs):
    def __init__(self, engine: Engine, documents: Documents, vault: Vault) -> None:
        super().__init__(engine, documents)
        self._vault = vault

    async def reencrypt(self, batch: int = 500) -> None:
        """Seals everything with the newest key, accounts and customers in batches."""
        await self._reseal_clients()
        await self._reseal_id_token_keys()
        for reseal_batch in (self._reseal_accounts, self._reseal_customers):
            after: int | None = 0
            while after is not None:
                after = await reseal_batch(after, batch)

    @writes
    def drop_number_hashes(self, key_id: str) -> Work[None]:
        """Removes the hashes of social security numbers that were made with a key that has left the key file."""
        for sql in (_DROP_ACCOUNT_KEYS, _DROP_CUSTOMER_KEYS):
            yield Execute(sql, (f"{key_id}.%",))

    @writes
    def _reseal_clients(self) -> Work[None]:
        rows = yield Execute(_ALL_CLIENT_IDS)
        for row in rows:
            stored = first((yield Execute(clients.LOCK, (row["id"],))))
            assert stored is not None
            client = client_of(stored["document"])
            secrets = [
                msgspec.structs.replace(secret, sealed=self._vault.reseal(secret.sealed, CLIENT_SECRET))
                for secret in client.secrets
            ]
            resealed = msgspec.structs.replace(client, secrets=secrets)
            yield Execute(clients.SET, (client.id, self._documents.text(resealed)))
        yield from set_key_check(self._vault)

    @writes
    def _reseal_id_token_keys(self) -> Work[None]:
        yield from reseal_id_token_keys(lambda sealed: self._vault.reseal(sealed, ID_TOKEN_KEY))

    @writes
    def _reseal_accounts(self, after: int, at_most: int) -> Work[int | None]:
        """Seals up to `at_most` accounts after the row `after` anew; returns the last row, None at the end."""
        rows = yield Execute(_NEXT_ACCOUNTS, (after, at_most))
        decoded = [(row, self._documents.account(row["document"])) for row in rows]
        yield from store_accounts(self._documents, [(row["row"], account) for row, account in decoded])
        for row, account in decoded:
            yield from _add_number_keys(
                self._documents, account, accounts.ADD_IDENTIFIER, row["organisation"], row["row"]
            )
        return rows[-1]["row"] if rows else None

    @writes
    def _reseal_customers(self, after: int, at_most: int) -> Work[int | None]:
        """As `_reseal_accounts`, for customers."""
        rows = yield Execute(_NEXT_CUSTOMERS, (after, at_most))
        for row in rows:
            customer = self._documents.customer(row["document"])
            yield Execute(customers.SET, (row["row"], self._documents.text(customer)))
            yield from _add_number_keys(self._documents, customer, _ADD_CUSTOMER_KEY, row["organisation"], row["row"])
        return rows[-1]["row"] if rows else None


def key_check() -> Work[str | None]:
    """What the first start sealed, so that later starts can tell whether the key file is the right one."""
    row = first((yield Execute(_META, (_KEY_CHECK,))))
    return None if row is None else row["value"]


def set_key_check(vault: Vault) -> Work[None]:
    yield Execute(_SET_META, (_KEY_CHECK, vault.seal("stamkund", CHECK)))


def _add_number_keys(
    documents: Documents, owner: Account | Customer, add: Sql, organisation: str, row: int
) -> Work[None]:
    number = owner.social_security_number
    for identifier in [] if number is None else documents.number_identifiers(number):
        yield Execute(add, (organisation, *identifier, row))
