"""An account as `/accounts` and `/me` show it.

What is not simply a field of the document is computed in one place for all shapes. A shape says which values a version
of a call shows, and in which order; it is a struct and nothing else, and its fields are found by their names. Sources:
the documents "Get account" for `/accounts` and `/me`. Times: ISO 8601 with the offset of the organisation's zone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.rules.account import Account, ExternalId, MarketingPermission, UserProduct
from stamkund.rules.subscription import EXTERNAL_START_SERVICE, end_date, state_at
from stamkund.rules.timestamps import Zone

T = TypeVar("T", bound=msgspec.Struct)


class AccountProduct(msgspec.Struct):
    """A user product of `/accounts`. `external_start_date` is there only where `provision_service` is `kayak`."""

    id: str
    created: str
    updated: str
    product_code: str
    title_code: str | None
    valid_from: str | None
    valid_to: str | None
    provision_service: str | None
    subscription_type: str | None
    subscription_number: str | None
    state: str
    has_pending_change_request: bool
    campaign_end_date: str | None
    subscription_end_date: str | None
    external_start_date: str | UnsetType | None


class AccountAddress(msgspec.Struct):
    """The address of `/accounts`."""

    first_name: str | None
    last_name: str | None
    street: str | None
    street_number: str | None
    staircase: str | None
    floor: str | None
    apartment_number: str | None
    zip_code: str | None
    city: str | None
    drop_box: str | None
    country_code: str | None


class AccountItem(msgspec.Struct):
    """The item of `/accounts`. `gender` is there only when something is known of it."""

    id: str
    email: str
    status: str
    verified: bool
    customer_number: str | None
    first_name: str | None
    last_name: str | None
    mobile_phone_number: str | None
    social_security_number: str | None
    social_security_number_century: str | None
    age: int | None
    gender: str | UnsetType
    company_registration_number: str | None
    company_name: str | None
    alias: str | None
    address: AccountAddress
    identity_mapping: list[ExternalId]
    user_products: list[AccountProduct]
    accepted_marketing_permissions: list[MarketingPermission]


class MyProduct(msgspec.Struct):
    """A user product of `/me`: with its order, without what only customer service needs."""

    id: str
    order_id: str | None
    created: str
    updated: str
    product_code: str
    title_code: str | None
    valid_from: str | None
    valid_to: str | None
    provision_service: str | None
    subscription_type: str | None
    subscription_number: str | None
    state: str


class MyAddress(msgspec.Struct):
    """The address of `/me`: without the country."""

    first_name: str | None
    last_name: str | None
    street: str | None
    street_number: str | None
    staircase: str | None
    floor: str | None
    apartment_number: str | None
    zip_code: str | None
    city: str | None
    drop_box: str | None


class MyItem(msgspec.Struct):
    """The item of `/me`. `gender` is there only when something is known of it."""

    id: str
    email: str
    status: str
    verified: bool
    customer_number: str | None
    tulo_customer_number: str | None
    first_name: str | None
    last_name: str | None
    mobile_phone_number: str | None
    birth_date: str | None
    social_security_number: str | None
    social_security_number_century: str | None
    age: int | None
    gender: str | UnsetType
    company_registration_number: str | None
    alias: str | None
    account_origin: str | None
    address: MyAddress
    user_products: list[MyProduct]
    identity_mapping: list[ExternalId]
    accepted_marketing_permissions: list[MarketingPermission]


class _ComputedAccount(msgspec.Struct):
    """What is not simply a field of the account's document."""

    birth_date: str | None
    age: int | None
    social_security_number: str | None
    social_security_number_century: str | None
    gender: str | UnsetType
    address: msgspec.Struct
    user_products: list[Any]


class _ComputedProduct(msgspec.Struct):
    """What is not simply a field of the user product."""

    created: str
    updated: str
    valid_from: str | None
    valid_to: str | None
    state: str
    campaign_end_date: str | None
    subscription_end_date: str | None
    external_start_date: str | UnsetType | None


class _Nothing(msgspec.Struct):
    """An address is shown as it is stored."""


def _constructor(shape: type[T], computed: type[msgspec.Struct]) -> Callable[[Any, Any], T]:
    """Makes a shape of a document and of what was computed from it: each field by its name, from either.

    The names are written out into a function, as for a namedtuple, because looking each up took twice as long.
    """
    names = computed.__struct_fields__
    arguments = ", ".join(f"{'computed' if f in names else 'document'}.{f}" for f in shape.__struct_fields__)
    construct: Callable[[Any, Any], T] = eval(  # noqa: S307 (made of the names of our own fields)
        f"lambda document, computed: shape({arguments})", {"shape": shape}
    )
    return construct


class AccountRepresentation(Generic[T]):
    """One way to show accounts: the shapes of the item, its address and its user products."""

    def __init__(self, item: type[T], address: type[msgspec.Struct], product: type[msgspec.Struct]) -> None:
        self._item = _constructor(item, _ComputedAccount)
        self._address = _constructor(address, _Nothing)
        self._product = _constructor(product, _ComputedProduct)

    def of(self, account: Account, zone: Zone, now: int) -> T:
        """The account at `now`, with times in `zone`."""
        birth_date, number = account.effective_birth_date(), account.social_security_number
        computed = _ComputedAccount(
            birth_date=None if birth_date is None else birth_date.isoformat(),
            age=account.age(zone.today(now)),
            social_security_number=None if number is None else number.ten,
            social_security_number_century=None if number is None else number.twelve,
            gender=(None if number is None else number.gender) or UNSET,
            address=self._address(account.address, None),
            user_products=[self._product(p, _computed_product(p, zone, now)) for p in account.user_products],
        )
        return self._item(account, computed)


ACCOUNT = AccountRepresentation(AccountItem, AccountAddress, AccountProduct)
ME = AccountRepresentation(MyItem, MyAddress, MyProduct)


def _computed_product(product: UserProduct, zone: Zone, now: int) -> _ComputedProduct:
    format_optional = zone.format_optional
    end = end_date(product.subscription_end_date, product.subscription_type, product.state, product.valid_to)
    shows_start = product.provision_service == EXTERNAL_START_SERVICE
    return _ComputedProduct(
        created=zone.format(product.created),
        updated=zone.format(product.updated),
        valid_from=format_optional(product.valid_from),
        valid_to=format_optional(product.valid_to),
        state=state_at(product.state, product.valid_from, product.valid_to, now),
        campaign_end_date=format_optional(product.campaign_end_date),
        subscription_end_date=format_optional(end),
        external_start_date=format_optional(product.external_start_date) if shows_start else UNSET,
    )
