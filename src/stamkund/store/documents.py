"""How documents become text and back: JSON by msgspec; social security numbers, imported hashes and mails sealed.

A sealed value is bound to its organisation and to the id of the document that holds it.

Decoded clients and organisations are cached by their text, because every request reads both and they hardly ever
change; the text itself is still read from the database each time.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import msgspec

from stamkund.rules import identifiers, person_number
from stamkund.rules.account import Account, Personal
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier, NumberHashes
from stamkund.rules.mail import MailContent
from stamkund.rules.organisation import Client, Organisation
from stamkund.rules.person_number import PersonNumber
from stamkund.vault import MAIL, NUMBER, PASSWORD_HASH, Place, Vault


class EncodedCustomer(Personal, array_like=True, gc=False):
    """A new customer as the store keeps it. `contested`: its identifiers that another customer may have."""

    id: str
    document: bytes
    contested: list[tuple[str, str]]


class _SealedNumber(PersonNumber):
    """What a decoder makes of a number, whose place it does not know: `ten` is the sealed text."""


class Documents:
    """Encodes and decodes the documents of one installation, with its vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.key_file = vault.path
        self._encoder = msgspec.json.Encoder()
        self._accounts = msgspec.json.Decoder(Account, dec_hook=_sealed_number)
        self._customers = msgspec.json.Decoder(Customer, dec_hook=_sealed_number)

    def text(self, document: Organisation | Client) -> str:
        """The text of a document that holds nothing to be sealed here."""
        return self._encoder.encode(document).decode()

    def sealed_text(self, organisation: str, document: Account | Customer) -> str:
        """The text of a reader's document."""
        return self._sealed(organisation, document).decode()

    def account(self, organisation: str, text: str | bytes) -> Account:
        """Raises CannotOpen."""
        account = self._accounts.decode(text)
        account.social_security_number = self._number(organisation, account)
        return account

    def customer(self, organisation: str, text: str | bytes) -> Customer:
        """Raises CannotOpen."""
        customer = self._customers.decode(text)
        customer.social_security_number = self._number(organisation, customer)
        if customer.password_hash is not None:
            customer.password_hash = self.password_hash(organisation, customer.id, customer.password_hash)
        return customer

    def password_hash(self, organisation: str, customer_id: str, sealed: str) -> str:
        """The imported hash of a customer, as the document holds it sealed. Raises CannotOpen."""
        return self._open(sealed, Place(PASSWORD_HASH, organisation, customer_id))

    def sealed_mail(self, organisation: str, mail_id: str, content: MailContent) -> str:
        """What is stored of a mail that waits."""
        return self._vault.seal(self._encoder.encode(content).decode(), Place(MAIL, organisation, mail_id))

    def mail(self, organisation: str, mail_id: str, sealed: str) -> MailContent:
        """Raises CannotOpen."""
        return msgspec.json.decode(self._vault.open(sealed, Place(MAIL, organisation, mail_id)), type=MailContent)

    def encoded_customer(self, organisation: str, customer: Customer) -> EncodedCustomer:
        """All that takes time and does not depend on what is stored, done before the transaction."""
        document = self._sealed(organisation, customer)
        return EncodedCustomer(customer.id, document, self.contested_identifiers(organisation, customer))

    def contested_identifiers(self, organisation: str, customer: Customer) -> list[tuple[str, str]]:
        """Those that another customer may have, each once."""
        return list(dict.fromkeys(identifiers.contested(customer, self._number_hashes(organisation))))

    def number_identifier(self, organisation: str, ten_digits: str) -> Identifier:
        """What a social security number is looked up by."""
        return Identifier(identifiers.PERSON_NUMBER, self._vault.number_lookup_hash(organisation, ten_digits))

    def number_identifiers(self, organisation: str, number: PersonNumber) -> list[Identifier]:
        """What a social security number is stored under: one identifier for each key of the vault."""
        return identifiers.person_numbers(number, self._number_hashes(organisation))

    def account_identifiers(self, organisation: str, account: Account) -> list[Identifier]:
        """Everything that an account is found by."""
        return list(identifiers.of_account(account, self._number_hashes(organisation)))

    def customer_identifiers(self, organisation: str, customer: Customer) -> dict[Identifier, None]:
        """Everything that a customer is found by: each once, always in the same order."""
        return dict.fromkeys(identifiers.of_customer(customer, self._number_hashes(organisation)))

    def _number_hashes(self, organisation: str) -> NumberHashes:
        return partial(self._vault.number_hashes, organisation)

    def _sealed(self, organisation: str, document: Account | Customer) -> bytes:
        if isinstance(document, Customer) and document.password_hash is not None:
            place = Place(PASSWORD_HASH, organisation, document.id)
            sealed = self._vault.seal(document.password_hash, place)
            document = msgspec.structs.replace(document, password_hash=sealed)

        def seal(value: Any) -> str:
            if isinstance(value, PersonNumber):
                return self._vault.seal(value.stored(), Place(NUMBER, organisation, document.id))
            raise TypeError(f"no document holds a {type(value).__name__}")

        return msgspec.json.encode(document, enc_hook=seal)

    def _number(self, organisation: str, document: Account | Customer) -> PersonNumber | None:
        sealed = document.social_security_number
        if sealed is None:
            return None
        return person_number.from_stored(self._open(sealed.ten, Place(NUMBER, organisation, document.id)))

    def _open(self, sealed: str, place: Place) -> str:
        return self._vault.open(sealed, place)


class UnboundDocuments(Documents):
    """Reads documents as they were before schema step 7, and only reads them: for `store/verbs/binding.py`.

    Sealed numbers were bound to their purpose alone, their hashes did not include the organisation, and imported
    password hashes were not sealed.
    """

    def _open(self, sealed: str, place: Place) -> str:
        return sealed if place.purpose == PASSWORD_HASH else self._vault.open_unbound(sealed, place.purpose)

    def _number_hashes(self, _: str) -> NumberHashes:
        return self._vault.unbound_number_hashes


def _sealed_number(kind: type, value: Any) -> PersonNumber:
    if kind is PersonNumber:
        return _SealedNumber(value)
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
