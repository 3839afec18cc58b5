"""What an account can be found by. Each identifier is a (kind, value) pair, unique within an organisation.

The value is normalised for comparison: an e-mail in lower case, a social security number as a keyed hash (which is why
making identifiers needs a `NumberHashes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from stamkund.rules import emails
from stamkund.rules.account import Account, ExternalId
from stamkund.rules.customer import Customer
from stamkund.rules.person_number import PersonNumber

ID = "id"
EMAIL = "email"
CUSTOMER_NUMBER = "customer_number"
PERSON_NUMBER = "social_security_number"
ALIAS = "alias"
TULO_CUSTOMER_NUMBER = "tulo_customer_number"
EXTERNAL_ID = "external_id"

NumberHashes = Callable[[str], list[str]]
"""Returns the keyed hashes of an organisation's ten-digit number, one for each key in the key file, oldest first."""


class Identifier(NamedTuple):
    kind: str
    value: str


def email(text: str) -> Identifier:
    return Identifier(EMAIL, emails.comparable(text))


def external_id(key: str, value: str) -> Identifier:
    """The value is key and value as a JSON list, so that two different pairs never look the same."""
    return Identifier(EXTERNAL_ID, msgspec.json.encode((key, value)).decode())


def person_numbers(number: PersonNumber, hashes: NumberHashes) -> list[Identifier]:
    return [Identifier(PERSON_NUMBER, value) for value in hashes(number.ten)]


def of_account(account: Account, hashes: NumberHashes) -> Iterator[Identifier]:
    """All identifiers of an account."""
    if account.customer_number:
        yield Identifier(CUSTOMER_NUMBER, account.customer_number)
    if account.social_security_number:
        yield from person_numbers(account.social_security_number, hashes)
    yield email(account.email)
    if account.alias:
        yield Identifier(ALIAS, account.alias)
    yield from _external_ids(account.identity_mapping)
    yield Identifier(ID, account.id)
    if account.tulo_customer_number:
        yield Identifier(TULO_CUSTOMER_NUMBER, account.tulo_customer_number)


def of_customer(customer: Customer, hashes: NumberHashes) -> Iterator[Identifier]:
    """All identifiers of a customer."""
    yield Identifier(CUSTOMER_NUMBER, customer.customer_number)
    yield from contested(customer, hashes)
    yield Identifier(ID, customer.id)


def contested(customer: Customer, hashes: NumberHashes) -> list[Identifier]:
    """Those identifiers of a customer that another customer may have.

    The e-mail is one only where the customer can log in with it.
    """
    result: list[Identifier] = []
    if customer.social_security_number:
        result += person_numbers(customer.social_security_number, hashes)
    if customer.password_hash and customer.email:
        result.append(email(customer.email))
    if customer.identity_mapping:
        result += _external_ids(customer.identity_mapping)
    return result


def _external_ids(mapping: list[ExternalId]) -> Iterator[Identifier]:
    for pair in mapping:
        yield external_id(pair.key, pair.value)
