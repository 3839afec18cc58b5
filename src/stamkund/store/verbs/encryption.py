"""Verbs about the key file: whether the database was written with it, and sealing everything with its newest key."""

from __future__ import annotations

from stamkund.store.documents import Documents
from stamkund.store.engine import Engine
from stamkund.store.verb import Verbs, writes
from stamkund.store.verbs.id_token_keys import reseal_id_token_keys
from stamkund.store.verbs.mails import MailVerbs
from stamkund.store.verbs.sealing import (
    NEXT_ACCOUNTS,
    NEXT_CUSTOMERS,
    Change,
    reseal_accounts,
    reseal_clients,
    reseal_customers,
)
from stamkund.store.work import Execute, Sql, Work, first
from stamkund.vault import CHECK, KEY_CHECK, CannotOpen, Vault

_META = Sql("SELECT value FROM meta WHERE name = $1")
_SET_META = Sql(
    "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_DROP_ACCOUNT_KEYS = Sql("DELETE FROM identifiers WHERE kind = 'social_security_number' AND value LIKE $1")
_DROP_CUSTOMER_KEYS = Sql("DELETE FROM customer_identifiers WHERE kind = 'social_security_number' AND value LIKE $1")
_KEY_CHECK = "key check"


class EncryptionVerbs(Verbs):
    def __init__(self, engine: Engine, documents: Documents, vault: Vault) -> None:
        super().__init__(engine, documents)
        self._vault = vault
        self._mails = MailVerbs(engine, documents)
        self._change = Change(documents, documents)

    async def reencrypt(self, batch: int = 500) -> None:
        """Seals everything with the newest key; accounts, customers and mails in batches. Raises CannotOpen."""
        await self._reseal_clients_and_keys()
        for reseal_batch in (self._reseal_accounts, self._reseal_customers, self._mails.reseal):
            after: int | None = 0
            while after is not None:
                after = await reseal_batch(after, batch)

    @writes
    def drop_number_hashes(self, key_id: str) -> Work[None]:
        """Removes the hashes of social security numbers that were made with a key that has left the key file."""
        for sql in (_DROP_ACCOUNT_KEYS, _DROP_CUSTOMER_KEYS):
            yield Execute(sql, (f"{key_id}.%",))

    @writes
    def _reseal_clients_and_keys(self) -> Work[None]:
        yield from reseal_clients(self._documents, self._vault.reseal)
        yield from reseal_id_token_keys(self._vault.reseal)
        yield from set_key_check(self._vault)

    @writes
    def _reseal_accounts(self, after: int, at_most: int) -> Work[int | None]:
        """Seals up to `at_most` accounts after the row `after` anew; returns the last row, None at the end."""
        rows = yield Execute(NEXT_ACCOUNTS, (after, at_most))
        read = [(row, self._documents.account(row["organisation"], row["document"])) for row in rows]
        yield from reseal_accounts(self._change, read)
        return rows[-1]["row"] if rows else None

    @writes
    def _reseal_customers(self, after: int, at_most: int) -> Work[int | None]:
        """As `_reseal_accounts`, for customers."""
        rows = yield Execute(NEXT_CUSTOMERS, (after, at_most))
        read = [(row, self._documents.customer(row["organisation"], row["document"])) for row in rows]
        yield from reseal_customers(self._change, read)
        return rows[-1]["row"] if rows else None


def key_check() -> Work[str | None]:
    """What the first start sealed, so that later starts can tell whether the key file is the right one."""
    row = first((yield Execute(_META, (_KEY_CHECK,))))
    return None if row is None else row["value"]


def set_key_check(vault: Vault) -> Work[None]:
    yield Execute(_SET_META, (_KEY_CHECK, vault.seal("stamkund", KEY_CHECK)))


def is_key_file_of(vault: Vault, check: str) -> bool:
    """Whether the vault opens what the first start sealed, be that bound to its place or not yet."""
    try:
        vault.open(check, KEY_CHECK)
    except CannotOpen:
        try:
            vault.open_unbound(check, CHECK)
        except CannotOpen:
            return False
    return True
