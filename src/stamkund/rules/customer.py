"""A customer of the subscription system, as imported: what an account candidate is made of.

A customer's id is the `account_candidate_id`: it is given once, at the first import, so asking for the same candidate
again gives the same id and a look-up writes nothing.
"""

from __future__ import annotations

from collections import deque
from datetime import date
from typing import Any

import msgspec

from stamkund.rules.account import Account, Address, ExternalId, Personal, UserProduct
from stamkund.rules.ids import new_id
from stamkund.rules.person_number import PersonNumber
from stamkund.rules.subscription import is_over


class Subscription(msgspec.Struct, omit_defaults=True):
    """One subscription of a customer. `id` becomes the user product's; moments are whole seconds in UTC."""

    id: str
    package_code: str
    title_code: str | None = None
    valid_from: int | None = None
    valid_to: int | None = None
    subscription_number: str | None = None
    subscription_type: str | None = None
    state: str = "activated"
    provision_service: str | None = None
    external_start_date: int | None = None

    @property
    def meaning(self) -> tuple[str | int | None, ...]:
        """What makes it this subscription and no other of its customer: its number, else package, title and start."""
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

    def known_zip_code(self) -> str | None:
        """The customer's zip code, else that of the address."""
        return self.zip_code or self.address.zip_code

    def lives_at(self, zip_code: str) -> bool:
        """True when `zip_code` is the customer's, without regard to case and blanks."""
        known = self.known_zip_code()
        return known is not None and _squeezed(known) == _squeezed(zip_code)

    def current_subscriptions(self, now: int) -> list[Subscription]:
        """Those that are not over, latest `valid_to` first; one without an end comes before all others."""
        current = [s for s in self.subscriptions if not is_over(s.state, s.valid_to, now)]
        return sorted(current, key=lambda s: (s.valid_to is not None, -(s.valid_to or 0)))


def _squeezed(zip_code: str) -> str:
    return "".join(zip_code.split()).casefold()


def merge_subscriptions(
    known: list[Subscription], named: list[Subscription], *, all_named: bool = True
) -> list[Subscription]:
    """The subscriptions after an import that names `named`: known ones in their order, then new ones.

    One that was known keeps its id and place. One that is not named any more stays, because an account may hold it;
    deactivated, unless `all_named` is False.
    """
    if not known:
        return list(named)
    waiting: dict[tuple[str | int | None, ...], deque[Subscription]] = {}
    for subscription in named:
        waiting.setdefault(subscription.meaning, deque()).append(subscription)
    merged = []
    for before in known:
        if same := waiting.get(before.meaning):
            merged.append(msgspec.structs.replace(same.popleft(), id=before.id))
        else:
            merged.append(msgspec.structs.replace(before, state="deactivated") if all_named else before)
    for new in waiting.values():
        merged.extend(new)
    return merged


def account_of(customer: Customer, email: str, now: int) -> Account:
    """The account that a customer becomes: active, verified, with all its subscriptions as user products."""
    address = customer.address
    if address.zip_code is None and customer.zip_code is not None:
        address = msgspec.structs.replace(address, zip_code=customer.zip_code)
    return Account(
        id=new_id(now),
        email=email,
        status="active",
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
    return UserProduct(id=subscription.id, created=now, updated=now, **_said(subscription))


def follow_subscriptions(account: Account, subscriptions: list[Subscription], now: int) -> bool:
    """Make the account's user products follow its customer's subscriptions; True when anything changed.

    Products that came from elsewhere are left alone: only ids that the customer's subscriptions have are touched.
    """
    wanted = {s.id: s for s in subscriptions}
    products = []
    for product in account.user_products:
        subscription = wanted.pop(product.id, None)
        products.append(product if subscription is None else _followed(product, subscription, now))
    products.extend(user_product(s, now) for s in wanted.values())
    changed = products != account.user_products
    if changed:
        account.user_products, account.updated = products, now
    return changed


def _followed(product: UserProduct, subscription: Subscription, now: int) -> UserProduct:
    new = msgspec.structs.replace(product, **_said(subscription))
    return product if new == product else msgspec.structs.replace(new, updated=now)


def _said(subscription: Subscription) -> dict[str, Any]:
    """What the owner of a subscription says of the user product.

    The state is theirs also where it is over: what was cancelled keeps its end date, and `state_at` does the rest.
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
