"""An account as `/accounts` and `/me` show it.

What is not simply a field of the document is computed in one place for all shapes. A shape says which values a version
of a call shows, and in which order; it is a struct and nothing else, and its fields are found by their names. Sources:
the documents "Get account" for `/accounts` and `/me`. Times: ISO 8601 with the offset of the organisation's zone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.rules.account import Account, Address, ExternalId, MarketingPermission, UserProduct
from stamkund.rules.subscription import EXTERNAL_START_SERVICE, end_date, state_at
from stamkund.rules.timestamps import Zone, whole_years

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


class AccountAddress(MyAddress):
    """The address of `/accounts`."""

    country_code: str | None


class PaywayAddress(msgspec.Struct):
    """The whole address, as the later versions of calls show it (documentation page "Payway Address")."""

    first_name: str | None
    last_name: str | None
    company_name: str | None
    company_department: str | None
    company_reference: str | None
    company_crn: str | None
    company_vat_number: str | None
    care_of: str | None
    street: str | None
    street_number: str | None
    staircase: str | None
    floor: str | None
    apartment: str | None
    apartment_number: str | None
    zip_code: str | None
    city: str | None
    country_code: str | None
    citizenship_country_code: str | None
    drop_box: str | None
    mobile_number: str | None
    phone_number: str | None
    contact_email: str | None


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


class MyProduct3(MyProduct):
    """A user product of the third version of `/me`: also with what `/accounts` shows of its end and its changes."""

    has_pending_change_request: bool
    campaign_end_date: str | None
    subscription_end_date: str | None
    external_start_date: str | UnsetType | None = UNSET


class MyItem3(msgspec.Struct):
    """The item of the third version of `/me`. `gender` is there only when something is known of it."""

    id: str
    email: str
    status: str
    verified: bool
    customer_number: str | None
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
    tags: list[str]
    address: PaywayAddress
    user_products: list[MyProduct3]
    identity_mapping: list[ExternalId]
    accepted_marketing_permissions: list[MarketingPermission]


_COMPUTED_OF_ACCOUNT = (
    "birth_date",
    "age",
    "social_security_number",
    "social_security_number_century",
    "gender",
    "address",
    "user_products",
)
_COMPUTED_OF_PRODUCT = ("created", "updated", "valid_from", "valid_to", "state")
_COMPUTED_OF_ACCOUNT_PRODUCT = (
    *_COMPUTED_OF_PRODUCT,
    "campaign_end_date",
    "subscription_end_date",
    "external_start_date",
)


def _constructor(shape: type[T], document: type[msgspec.Struct], computed: Sequence[str] = ()) -> Callable[..., T]:
    """Makes a shape of a document and of computed values, which are passed by keyword: each field by its name.

    The names are written out into a function, as for a namedtuple, because looking each up takes twice as long. Raises
    TypeError for a field that is neither in the document nor computed.
    """
    if unknown := set(shape.__struct_fields__).difference(document.__struct_fields__, computed):
        raise TypeError(f"{shape.__name__} shows what {document.__name__} does not have: {', '.join(sorted(unknown))}")
    if reserved := {"document", "shape"}.intersection(shape.__struct_fields__):
        raise TypeError(f"{shape.__name__} can't have a field named {reserved.pop()}")
    parameters = ", ".join(["document", *computed])
    arguments = ", ".join(name if name in computed else f"document.{name}" for name in shape.__struct_fields__)
    construct: Callable[..., T] = eval(  # noqa: S307 (made of the names of our own fields)
        f"lambda {parameters}: shape({arguments})", {"shape": shape}
    )
    return construct


_account_product = _constructor(AccountProduct, UserProduct, _COMPUTED_OF_ACCOUNT_PRODUCT)
_my_product = _constructor(MyProduct, UserProduct, _COMPUTED_OF_PRODUCT)
_my_product_3 = _constructor(MyProduct3, UserProduct, _COMPUTED_OF_ACCOUNT_PRODUCT)


class AccountRepresentation(Generic[T]):
    """One way to show accounts: the shapes of the item and its address, and what makes its user products."""

    def __init__(
        self, item: type[T], address: type[msgspec.Struct], product: Callable[[UserProduct, Zone, int], msgspec.Struct]
    ) -> None:
        self._item = _constructor(item, Account, _COMPUTED_OF_ACCOUNT)
        self._shows_birth_date = "birth_date" in item.__struct_fields__
        self._address = _constructor(address, Address)
        self._product = product

    def of(self, account: Account, zone: Zone, now: int) -> T:
        """The account at `now`, with times in `zone`."""
        birth_date, number, product = account.effective_birth_date(), account.social_security_number, self._product
        return self._item(
            account,
            birth_date=birth_date.isoformat() if birth_date is not None and self._shows_birth_date else None,
            age=None if birth_date is None else whole_years(birth_date, zone.today(now)),
            social_security_number=None if number is None else number.ten,
            social_security_number_century=None if number is None else number.twelve,
            gender=(None if number is None else number.gender) or UNSET,
            address=self._address(account.address),
            user_products=[product(one, zone, now) for one in account.user_products],
        )


def _with_ends(construct: Callable[..., T]) -> Callable[[UserProduct, Zone, int], T]:
    """Makes user products of a shape that shows when they end."""

    def of(product: UserProduct, zone: Zone, now: int) -> T:
        format_optional = zone.format_optional
        end = end_date(product.subscription_end_date, product.subscription_type, product.state, product.valid_to)
        shows_start = product.provision_service == EXTERNAL_START_SERVICE
        return construct(
            product,
            created=zone.format(product.created),
            updated=zone.format(product.updated),
            valid_from=format_optional(product.valid_from),
            valid_to=format_optional(product.valid_to),
            state=state_at(product.state, product.valid_from, product.valid_to, now),
            campaign_end_date=format_optional(product.campaign_end_date),
            subscription_end_date=format_optional(end),
            external_start_date=format_optional(product.external_start_date) if shows_start else UNSET,
        )

    return of


def _of_me(product: UserProduct, zone: Zone, now: int) -> MyProduct:
    return _my_product(
        product,
        created=zone.format(product.created),
        updated=zone.format(product.updated),
        valid_from=zone.format_optional(product.valid_from),
        valid_to=zone.format_optional(product.valid_to),
        state=state_at(product.state, product.valid_from, product.valid_to, now),
    )


ACCOUNT = AccountRepresentation(AccountItem, AccountAddress, _with_ends(_account_product))
ME = AccountRepresentation(MyItem, MyAddress, _of_me)
ME_3 = AccountRepresentation(MyItem3, PaywayAddress, _with_ends(_my_product_3))
