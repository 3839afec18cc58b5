"""A checked row: the values for one customer, and how they change the customer that is stored.

The columns come from section 2 of the wire contract, and are documented in `docs/importing.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.importing import checks
from stamkund.importing.checks import reason_of
from stamkund.importing.raw import ADDRESS_KEYS, CsvCustomer, RawCustomer, RawExternalId, RawSubscription
from stamkund.importing.report import RowProblem
from stamkund.rules import person_number, values
from stamkund.rules.account import ExternalId
from stamkund.rules.customer import Customer, Subscription, merge_subscriptions
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Organisation
from stamkund.rules.person_number import PersonNumber
from stamkund.rules.timestamps import zone
from stamkund.rules.values import Context, Invalid

_NUMBER = "social_security_number"
_MAX_TEN_DIGIT_LENGTH = 11
"""Ten digits and a dash: a longer number includes its century."""

_EMPTY_CUSTOMER = Customer("", "", 0, 0)


@dataclass(slots=True)
class CustomerRow:
    """The values of one row. `fields` replace those of the customer; the others are combined with what is stored."""

    customer_number: str
    line: int
    now: int
    today: date
    fields: dict[str, Any]
    century_unknown: bool = False
    address: Mapping[str, str | None] | None = None
    external_ids: Mapping[str, str | None] | None = None
    subscriptions: list[Subscription] | None = None
    subscriptions_complete: bool = True

    def change(self, before: Customer | None) -> Customer:
        """The customer after this row; the same object where the row changes nothing."""
        if before is None:
            fields = self._fields(_EMPTY_CUSTOMER)
            return Customer(new_id(self.now), self.customer_number, self.now, self.now, **fields)
        after = msgspec.structs.replace(before, **self._fields(before))
        if after == before:
            return before
        after.updated = self.now
        return after

    def _fields(self, before: Customer) -> dict[str, Any]:
        fields = dict(self.fields)
        if self.century_unknown:
            fields[_NUMBER] = self._with_century(fields[_NUMBER], before)
        if self.address is not None:
            fields["address"] = msgspec.structs.replace(before.address, **self.address)
        if self.external_ids is not None:
            fields["identity_mapping"] = _merge_external_ids(before.identity_mapping, self.external_ids)
        elif "identity_mapping" in fields:
            fields["identity_mapping"] = _in_stored_order(before.identity_mapping, fields["identity_mapping"])
        if self.subscriptions is not None:
            fields["subscriptions"] = merge_subscriptions(
                before.subscriptions, self.subscriptions, complete=self.subscriptions_complete
            )
        return fields

    def _with_century(self, number: PersonNumber, before: Customer) -> PersonNumber:
        """The number with its stored century, otherwise with the one that the stored birth date implies."""
        stored = before.social_security_number
        if stored is not None and stored.ten == number.ten:
            return stored
        if before.birth_date is None or "birth_date" in self.fields:
            return number
        return person_number.parse(number.ten, self.today, before.birth_date) or number


def _merge_external_ids(stored: list[ExternalId], changes: Mapping[str, str | None]) -> list[ExternalId]:
    """The stored ids with some keys replaced, or removed (None). Ids that stay keep their order."""
    unchanged = [pair for pair in stored if pair.key not in changes or pair.value == changes[pair.key]]
    new = [ExternalId(key, value) for key, value in changes.items() if value is not None]
    return unchanged + [pair for pair in new if pair not in unchanged]


def _in_stored_order(stored: list[ExternalId], imported: list[ExternalId]) -> list[ExternalId]:
    """The imported ids, those that are stored first and in their order: another order is no change."""
    unchanged = [pair for pair in stored if pair in imported]
    return unchanged + [pair for pair in imported if pair not in unchanged]


class RowParser:
    """Checks raw rows for one organisation."""

    def __init__(self, organisation: Organisation, now: int) -> None:
        local = zone(organisation.timezone)
        self._now = now
        self._context = Context(local.today(now), organisation.requires_checksum)
        self._parse_timestamp = checks.timestamp_parser(local)

    def row(self, raw: RawCustomer, line: int) -> CustomerRow:
        """Checks a raw row. Raises RowProblem."""
        number = self.customer_number(raw.customer_number)
        fields = _text_fields(raw)
        if fields.get("password_hash") and not fields.get("email"):
            raise RowProblem("password_hash", "needs an email in the same row")
        row = CustomerRow(number, line, self._now, self._context.today, fields)
        if raw.birth_date is not UNSET:
            fields["birth_date"] = self._birth_date(raw.birth_date)
        if raw.social_security_number is not UNSET:
            self._read_number(raw.social_security_number, row)
        if raw.address is not UNSET:
            row.address = _address(raw.address)
        if isinstance(raw, CsvCustomer):
            row.external_ids = _external_id_columns(raw.external_ids) or None
        elif raw.identity_mapping is not UNSET:
            fields["identity_mapping"] = _external_ids(raw.identity_mapping)
        if raw.subscriptions is not UNSET:
            row.subscriptions = self._subscriptions(raw.subscriptions or [])
        return row

    def customer_number(self, text: str | None) -> str:
        if not text:
            raise RowProblem("customer_number", "must be given")
        try:
            return checks.CUSTOMER_NUMBER(text)
        except Invalid as error:
            raise RowProblem("customer_number", reason_of(error)) from None

    def subscription(self, raw: RawSubscription, prefix: str = "") -> Subscription:
        """Checks a raw subscription and gives it a new id. Raises RowProblem."""
        if not raw.package_code:
            raise RowProblem(f"{prefix}package_code", "must be given")
        fields: dict[str, Any] = {}
        name = ""
        try:
            for name, check in checks.SUBSCRIPTION:
                if value := getattr(raw, name):
                    fields[name] = check(value)
            for name in ("valid_from", "valid_to", "external_start_date"):
                if value := getattr(raw, name):
                    fields[name] = self._parse_timestamp(value)
        except Invalid as error:
            raise RowProblem(f"{prefix}{name}", reason_of(error)) from None
        subscription = Subscription(new_id(self._now), **fields)
        start, end = subscription.valid_from, subscription.valid_to
        if start is not None and end is not None and end < start:
            raise RowProblem(f"{prefix}valid_to", "must not be before valid_from")
        return subscription

    def _subscriptions(self, raws: list[RawSubscription]) -> list[Subscription]:
        try:
            return [self.subscription(raw) for raw in raws]
        except RowProblem:  # once more, with the index of the subscription in the reported column
            return [self.subscription(raw, f"subscriptions[{index}].") for index, raw in enumerate(raws)]

    def _birth_date(self, text: str | UnsetType | None) -> date | None:
        try:
            return values.BIRTH_DATE.parse(text, self._context) if text else None
        except Invalid as error:
            raise RowProblem("birth_date", reason_of(error)) from None

    def _read_number(self, text: str | UnsetType | None, row: CustomerRow) -> None:
        """The century is that of a twelve-digit number, otherwise of the birth date, otherwise the most recent one."""
        if not text:
            row.fields[_NUMBER] = None
            return
        born = row.fields.get("birth_date")
        number = person_number.parse_lenient(text, self._context.today, born)
        if number is None:
            raise RowProblem(_NUMBER, "must be ten or twelve digits, with a dash before the last four or without")
        if self._context.checksum and number.century is None:
            raise RowProblem(_NUMBER, "must be a real date followed by a right check digit")
        row.fields[_NUMBER] = number
        row.century_unknown = len(text) <= _MAX_TEN_DIGIT_LENGTH and (born is None or number.birth_date != born)


def _text_fields(raw: RawCustomer) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    name = ""
    try:
        for name, check in checks.CUSTOMER:
            value = getattr(raw, name)
            if value is not UNSET:
                fields[name] = check(value) if value else None
    except Invalid as error:
        raise RowProblem(name, reason_of(error)) from None
    return fields


_EMPTY_ADDRESS = dict.fromkeys(ADDRESS_KEYS)


def _address(raw: Any) -> Mapping[str, str | None]:
    """The address fields that the row has; for an address that is null, all of them, empty."""
    if raw is None:
        return _EMPTY_ADDRESS
    fields: dict[str, str | None] = {}
    name = ""
    try:
        for name in ADDRESS_KEYS:
            value = getattr(raw, name)
            if value is not UNSET:
                fields[name] = checks.NAME(value) if value else None
    except Invalid as error:
        raise RowProblem(f"address.{name}", reason_of(error)) from None
    return fields


def _external_id_columns(columns: dict[str, str | None]) -> dict[str, str | None]:
    checked: dict[str, str | None] = {}
    for key, value in columns.items():
        try:
            checked[key] = checks.EXTERNAL_ID(value) if value else None
        except Invalid as error:
            raise RowProblem(f"identity_mapping.{key}", reason_of(error)) from None
    return checked


def _external_ids(raw: list[RawExternalId] | dict[str, str | None] | UnsetType | None) -> list[ExternalId]:
    """The complete list of external ids, from either of its two forms."""
    if isinstance(raw, dict):
        return [_external_id(key, value, "identity_mapping") for key, value in raw.items() if value]
    pairs: list[ExternalId] = []
    for index, pair in enumerate(raw or []):
        new = _external_id(pair.key, pair.value, f"identity_mapping[{index}]")
        if new not in pairs:
            pairs.append(new)
    return pairs


def _external_id(key: str, value: str, column: str) -> ExternalId:
    try:
        return ExternalId(checks.EXTERNAL_ID(key), checks.EXTERNAL_ID(value))
    except Invalid as error:
        raise RowProblem(column, f"key and value: each {reason_of(error)}") from None
