"""A customer of the subscription system, as imported. Customers are the account candidates.

A customer's id is the `account_candidate_id`. It is assigned at the first import, so looking up the same candidate
again returns the same id and writes nothing.
"""

from __future__ import annotations

from collections import deque
from datetime import date
from typing import Any

import msgspec

from stamkund.rules.account import ACTIVE, Account, Address, ExternalId, Personal, UserProduct
from stamkund.rules.ids import new_id
from stamkund.rules.person_number import PersonNumber
from stamkund.rules.subscription import ACTIVATED, has_ended


class Subscription(msgspec.Struct, omit_defaults=True):
    """One subscription of a customer. `id` becomes that of the user product; times are timestamps."""

    id: str
    package_code: str
    title_code: str | None = None
    valid_from: int | None = None
    valid_to: int | None = None
    subscription_number: str | None = None
    subscription_type: str | None = None
    state: str = ACTIVATED
    provision_service: str | None = None
    external_start_date: int | None = None

    @property
    def match_key(self) -> tuple[str | int | None, ...]:
        """What it is recognised by in the next import: its number, otherwise package, title and start."""
        if self.subscription_number:
            return (self.subscription_number,)
        return (self.package_code, self.title_code, self.valid_from)


class Customer(Personal):
    """A customer of the subscription system; `customer_number` is unique within the organisation."""

    id: str
    customer_number: str
    created: int
    updated: int
    social_security_number: PersonNumber | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    mobile_phone_number: str | None = None
    zip_code: str | None = None
    birth_date: date | None = None
    company_name: str | None = None
    company_registration_number: str | None = None
    address: Address = msgspec.field(default_factory=Address)
    password_hash: str | None = None
    identity_mapping: list[ExternalId] = []
    subscriptions: list[Subscription] = []

    def effective_zip_code(self) -> str | None:
        """The customer's own zip code, otherwise that of the address."""
        return self.zip_code or self.address.zip_code

    def lives_at(self, zip_code: str) -> bool:
        """Whether `zip_code` is the customer's, ignoring case and blanks."""
        own = self.effective_zip_code()
        return own is not None and _without_blanks(own) == _without_blanks(zip_code)

    def current_subscriptions(self, now: int) -> list[Subscription]:
        """Those that have not ended, latest `valid_to` first; those without an end come before all others."""
        current = [s for s in self.subscriptions if not has_ended(s.state, s.valid_to, now)]
        return sorted(current, key=lambda s: (s.valid_to is not None, -(s.valid_to or 0)))


def _without_blanks(zip_code: str) -> str:
    return "".join(zip_code.split()).casefold()


def merge_subscriptions(
    stored: list[Subscription], imported: list[Subscription], *, complete: bool = True
) -> list[Subscription]:
    """The subscriptions after an import: stored ones in their order, updated and with their ids, then new ones.

    A stored one that is not imported any more stays, because an account may refer to it. It is deactivated, unless
    `imported` may be incomplete.
    """
    if not stored:
        return list(imported)
    unmatched: dict[tuple[str | int | None, ...], deque[Subscription]] = {}
    for subscription in imported:
        unmatched.setdefault(subscription.match_key, deque()).append(subscription)
    merged = []
    for before in stored:
        if matches := unmatched.get(before.match_key):
            merged.append(msgspec.structs.replace(matches.popleft(), id=before.id))
        else:
            merged.append(msgspec.structs.replace(before, state="deactivated") if complete else before)
    for new in unmatched.values():
        merged.extend(new)
    return merged


_OF_ONE_VALUE = (
    *("social_security_number", "first_name", "last_name", "mobile_phone_number", "zip_code", "birth_date"),
    *("company_name", "company_registration_number"),
)


def combined(customer: Customer, other: Customer) -> Customer:
    """A customer with what only another record of the same person has: nothing is lost when the two become one."""
    fields = {name: getattr(other, name) for name in _OF_ONE_VALUE if getattr(customer, name) is None}
    if customer.address == Address():
        fields["address"] = other.address
    if customer.email in (None, other.email) and customer.password_hash is None:  # the hash is of that e-mail's login
        fields |= {"email": other.email, "password_hash": other.password_hash}
    keys = {one.key for one in customer.identity_mapping}
    mapping = [*customer.identity_mapping, *(one for one in other.identity_mapping if one.key not in keys)]
    present = {one.match_key for one in customer.subscriptions}
    subscriptions = [*customer.subscriptions, *(one for one in other.subscriptions if one.match_key not in present)]
    return msgspec.structs.replace(customer, **fields, identity_mapping=mapping, subscriptions=subscriptions)


def account_of(customer: Customer, email: str, now: int) -> Account:
    """The account that a customer becomes: active, verified, with all its subscriptions as user products."""
    address = customer.address
    if address.zip_code is None and customer.zip_code is not None:
        address = msgspec.structs.replace(address, zip_code=customer.zip_code)
    return Account(
        id=new_id(now),
        email=email,
        status=ACTIVE,
        verified=True,
        created=now,
        updated=now,
        customer_number=customer.customer_number,
        first_name=customer.first_name,
        last_name=customer.last_name,
        mobile_phone_number=customer.mobile_phone_number,
        birth_date=customer.birth_date,
        social_security_number=customer.social_security_number,
        company_registration_number=customer.company_registration_number,
        company_name=customer.company_name,
        address=address,
        identity_mapping=customer.identity_mapping,
        user_products=[user_product(s, now) for s in customer.subscriptions],
    )


def user_product(subscription: Subscription, now: int) -> UserProduct:
    """The user product that a subscription becomes when its customer gets an account."""
    return UserProduct(id=subscription.id, created=now, updated=now, **_product_fields(subscription))


def follow_subscriptions(account: Account, subscriptions: list[Subscription], now: int) -> bool:
    """Updates the account's user products to its customer's subscriptions; returns whether anything changed.

    Only products with the id of a subscription are touched: others did not come from the import.
    """
    unmatched = {s.id: s for s in subscriptions}
    products = []
    for product in account.user_products:
        subscription = unmatched.pop(product.id, None)
        products.append(product if subscription is None else _updated_product(product, subscription, now))
    products.extend(user_product(s, now) for s in unmatched.values())
    changed = products != account.user_products
    if changed:
        account.user_products, account.updated = products, now
    return changed


def _updated_product(product: UserProduct, subscription: Subscription, now: int) -> UserProduct:
    new = msgspec.structs.replace(product, **_product_fields(subscription))
    return product if new == product else msgspec.structs.replace(new, updated=now)


def _product_fields(subscription: Subscription) -> dict[str, Any]:
    """The fields of a user product that come from the subscription.

    The state is copied even where the subscription has ended: a cancelled one keeps its end date, and `state_at`
    decides what is shown.
    """
    return {
        "product_code": subscription.package_code,
        "title_code": subscription.title_code,
        "state": subscription.state,
        "valid_from": subscription.valid_from,
        "valid_to": subscription.valid_to,
        "provision_service": subscription.provision_service,
        "subscription_type": subscription.subscription_type,
        "subscription_number": subscription.subscription_number,
        "external_start_date": subscription.external_start_date,
    }
