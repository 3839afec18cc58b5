"""Rows as they are in files: text by column, of which only the types have been checked.

UNSET stands for a key that the row does not have: the import leaves it alone. None stands for a key without a value:
the import clears it.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

Text = str | UnsetType | None

ADDRESS_KEYS = (
    *("first_name", "last_name", "street", "street_number", "staircase", "floor", "apartment_number", "zip_code"),
    *("city", "drop_box", "country_code"),
)
"""What files may say of an address: what `/accounts` shows of it."""

RawAddress: Any = msgspec.defstruct(
    "RawAddress", [(name, Text, UNSET) for name in ADDRESS_KEYS], forbid_unknown_fields=True, gc=False
)
"""An address, each of whose keys may be absent."""


class Note(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A value that is not imported as it stands, though its row is; `value`: masked, None where it says nothing."""

    column: str
    reason: str
    value: str | None = None


class RawExternalId(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    key: str
    value: str


class RawSubscription(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A subscription within a customer's row. Absent and empty are the same, because the list is always complete."""

    package_code: str | None = None
    title_code: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    subscription_number: str | None = None
    subscription_type: str | None = None
    state: str | None = None
    provision_service: str | None = None
    external_start_date: str | None = None


class RawSubscriptionLine(RawSubscription, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A line of a subscription file."""

    customer_number: str | None = None


class RepairedLine(RawSubscriptionLine):
    """A line that `repair` made of one with values of other types."""

    notes: list[Note] = []


class RawCustomer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A row of a customer file in JSON Lines."""

    customer_number: str | None = None
    previous_customer_number: str | None = None
    social_security_number: Text = UNSET
    email: Text = UNSET
    first_name: Text = UNSET
    last_name: Text = UNSET
    mobile_phone_number: Text = UNSET
    zip_code: Text = UNSET
    birth_date: Text = UNSET
    company_name: Text = UNSET
    company_registration_number: Text = UNSET
    address: RawAddress | UnsetType | None = UNSET
    password_hash: Text = UNSET
    identity_mapping: list[RawExternalId] | dict[str, str | None] | UnsetType | None = UNSET
    subscriptions: list[RawSubscription] | UnsetType | None = UNSET


class CsvCustomer(RawCustomer):
    """A row of a customer file in CSV, where each external id has a column, so a file may hold only some of them."""

    external_ids: dict[str, str | None] = {}


class RefusedPart(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A subscription that a row gives and that is not imported, though its row is."""

    column: str | None
    reason: str


class RepairedCustomer(RawCustomer):
    """A row that `repair` made of one with values of other types. `refused_parts`: subscriptions that are not in it."""

    notes: list[Note] = []
    refused_parts: list[RefusedPart] = []
