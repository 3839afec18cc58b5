"""How documents become text and back: JSON by msgspec, social security numbers sealed on the way in.

Decoding a client or an organisation is remembered by its text, because every request reads both and they hardly ever
change; the text itself is still read from the database each time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from stamkund.rules import person_number
from stamkund.rules.account import Account
from stamkund.rules.customer import Customer
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.person_number import PersonNumber
from stamkund.vault import NUMBER, SECRET, Vault


class Documents:
    """Encodes and decodes the documents of one installation, with its vault."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self._encoder = msgspec.json.Encoder(enc_hook=self._sealed)
        # A client's secret is wanted by every call that is signed or comes with it, so it stays open.
        self._open_secret = lru_cache(maxsize=1024)(lambda sealed: vault.open(sealed, SECRET))
        self._accounts = msgspec.json.Decoder(Account, dec_hook=self._opened)
        self._customers = msgspec.json.Decoder(Customer, dec_hook=self._opened)

    def text(self, document: Account | Customer | Organisation | Client) -> str:
        """The text that the store keeps."""
        return self._encoder.encode(document).decode()

    def account(self, text: str | bytes) -> Account:
        return self._accounts.decode(text)

    def customer(self, text: str | bytes) -> Customer:
        return self._customers.decode(text)

    def secrets(self, client: Client, now: int) -> list[str]:
        """The client's secrets that hold at `now`."""
        return [self._open_secret(s.sealed) for s in client.secrets if s.holds(now)]

    def seal_secret(self, secret: str) -> str:
        return self.vault.seal(secret, SECRET)

    def reseal_secret(self, sealed: str) -> str:
        return self.vault.seal(self.vault.open(sealed, SECRET), SECRET)

    def _sealed(self, value: Any) -> str:
        if isinstance(value, PersonNumber):
            return self.vault.seal(value.stored(), NUMBER)
        raise TypeError(f"no document holds a {type(value).__name__}")

    def _opened(self, kind: type, value: Any) -> PersonNumber:
        if kind is PersonNumber:
            return person_number.from_stored(self.vault.open(value, NUMBER))
        raise TypeError(f"no document holds a {kind.__name__}")


@lru_cache(maxsize=4096)
def client_of(text: str | bytes) -> Client:
    return msgspec.json.decode(text, type=Client)


@lru_cache(maxsize=256)
def organisation_of(text: str | bytes) -> Organisation:
    return msgspec.json.decode(text, type=Organisation)
