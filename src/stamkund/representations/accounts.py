"""An account as `/accounts` and `/me` show it.

Every value of an account is worked out once, by name (`_account_values`, `_product_values`). A shape says which of them
a version of a call shows, and in which order; it is a struct and nothing else. Sources: the documents "Get account" for
`/accounts` and `/me`. Times: ISO 8601 with the offset of the organisation's time zone.
"""

from __future__ import annotations

from operator import itemgetter
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


class _Shape(Generic[T]):
    """Makes a struct out of values by name; those that it does not have are left out."""

    def __init__(self, struct: type[T]) -> None:
        self._struct = struct
        self._pick = itemgetter(*struct.__struct_fields__)

    def __call__(self, values: dict[str, Any]) -> T:
        return self._struct(*self._pick(values))


class AccountRepresentation(Generic[T]):
    """One way to show accounts: the shapes of the item, its address and its user products."""

    def __init__(self, item: type[T], address: type[msgspec.Struct], product: type[msgspec.Struct]) -> None:
        self._item = _Shape(item)
        self._address = _Shape(address)
        self._product = _Shape(product)

    def of(self, account: Account, zone: Zone, now: int) -> T:
        """The account at `now`, with times in `zone`."""
        values = _account_values(account, zone, now)
        values["address"] = self._address(msgspec.structs.asdict(account.address))
        values["user_products"] = [
            self._product(_product_values(product, zone, now)) for product in account.user_products
        ]
        return self._item(values)


ACCOUNT = AccountRepresentation(AccountItem, AccountAddress, AccountProduct)
ME = AccountRepresentation(MyItem, MyAddress, MyProduct)


def _account_values(account: Account, zone: Zone, now: int) -> dict[str, Any]:
    values = msgspec.structs.asdict(account)
    birth_date, number = account.effective_birth_date(), account.social_security_number
    values["birth_date"] = birth_date.isoformat() if birth_date else None
    values["age"] = account.age(zone.today(now))
    values["social_security_number"] = number.ten if number else None
    values["social_security_number_century"] = number.twelve if number else None
    values["gender"] = (number.gender if number else None) or UNSET
    return values


def _product_values(product: UserProduct, zone: Zone, now: int) -> dict[str, Any]:
    values = msgspec.structs.asdict(product)
    end = end_date(product.subscription_end_date, product.subscription_type, product.state, product.valid_to)
    values["created"] = zone.format(product.created)
    values["updated"] = zone.format(product.updated)
    values["valid_from"] = zone.format_optional(product.valid_from)
    values["valid_to"] = zone.format_optional(product.valid_to)
    values["state"] = state_at(product.state, product.valid_from, product.valid_to, now)
    values["campaign_end_date"] = zone.format_optional(product.campaign_end_date)
    values["subscription_end_date"] = zone.format_optional(end)
    values["external_start_date"] = (
        zone.format_optional(product.external_start_date)
        if product.provision_service == EXTERNAL_START_SERVICE
        else UNSET
    )
    return values
