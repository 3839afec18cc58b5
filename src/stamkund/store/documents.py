"""How documents become text and back: JSON by msgspec, social security numbers sealed on the way in.

Decoded clients and organisations are cached by their text, because every request reads both and they hardly ever
change; the text itself is still read from the database each time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from stamkund.rules import identifiers, person_number
from stamkund.rules.account import Account, Personal
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.person_number import PersonNumber
from stamkund.vault import NUMBER, Vault


class EncodedCustomer(Personal, array_like=True, gc=False):
    """A new customer as the store keeps it. `contested`: its identifiers that another customer may have."""

    id: str
    document: bytes
    contested: list[tuple[str, str]]


class Documents:
    """Encodes and decodes the documents of one installation, with its vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.key_file = vault.path
        self._encoder = msgspec.json.Encoder(enc_hook=self._seal)
        self._accounts = msgspec.json.Decoder(Account, dec_hook=self._open)
        self._customers = msgspec.json.Decoder(Customer, dec_hook=self._open)

    def text(self, document: Account | Customer | Organisation | Client) -> str:
        """The text that the store keeps."""
        return self._encoder.encode(document).decode()

    def account(self, text: str | bytes) -> Account:
        """Raises CannotOpen."""
        return self._accounts.decode(text)

    def customer(self, text: str | bytes) -> Customer:
        """Raises CannotOpen."""
        return self._customers.decode(text)

    def encoded_customer(self, customer: Customer) -> EncodedCustomer:
        """All that takes time and does not depend on what is stored, done before the transaction."""
        return EncodedCustomer(customer.id, self._encoder.encode(customer), self.contested_identifiers(customer))

    def contested_identifiers(self, customer: Customer) -> list[tuple[str, str]]:
        """Those that another customer may have, each once."""
        return list(dict.fromkeys(identifiers.contested(customer, self._vault.number_hashes)))

    def number_identifiers(self, number: PersonNumber) -> list[Identifier]:
        """What a social security number is stored under: one identifier for each key of the vault."""
        return identifiers.person_numbers(number, self._vault.number_hashes)

    def account_identifiers(self, account: Account) -> list[Identifier]:
        """Everything that an account is found by."""
        return list(identifiers.of_account(account, self._vault.number_hashes))

    def customer_identifiers(self, customer: Customer) -> dict[Identifier, None]:
        """Everything that a customer is found by: each once, always in the same order."""
        return dict.fromkeys(identifiers.of_customer(customer, self._vault.number_hashes))

    def _seal(self, value: Any) -> str:
        if isinstance(value, PersonNumber):
            return self._vault.seal(value.stored(), NUMBER)
        raise TypeError(f"no document holds a {type(value).__name__}")

    def _open(self, kind: type, value: Any) -> PersonNumber:
        if kind is PersonNumber:
            return person_number.from_stored(self._vault.open(value, NUMBER))
        raise TypeError(f"no document holds a {kind.__name__}")


@lru_cache(maxsize=4096)
def client_of(text: str | bytes) -> Client:
    """A stored client, without scopes that its kind must not have: earlier versions gave any scope to public ones."""
    client = msgspec.json.decode(text, type=Client)
    forbidden = client.forbidden_scopes
    if not forbidden:
        return client
    return msgspec.structs.replace(client, scopes=[scope for scope in client.scopes if scope not in forbidden])


@lru_cache(maxsize=256)
def organisation_of(text: str | bytes) -> Organisation:
    return msgspec.json.decode(text, type=Organisation)
