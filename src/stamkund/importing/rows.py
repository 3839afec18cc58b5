"""A checked row: what it says of one customer, and what it makes of the customer that there is.

Documents that say what may be where: section 2 of the wire contract, and `docs/importing.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.importing import checks
from stamkund.importing.checks import sentence
from stamkund.importing.raw import ADDRESS_KEYS, CsvCustomer, RawCustomer, RawExternalId, RawSubscription
from stamkund.importing.report import Bad
from stamkund.rules import person_number, values
from stamkund.rules.account import ExternalId
from stamkund.rules.customer import Customer, Subscription, merge_subscriptions
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Organisation
from stamkund.rules.person_number import PersonNumber
from stamkund.rules.timestamps import zone
from stamkund.rules.values import Context, Invalid

_NUMBER = "social_security_number"
_TEN_DIGITS = 11
"""The most characters that a number without its century is written with."""

_NOBODY = Customer("", "", 0, 0)


@dataclass(slots=True)
class Row:
    """What one row says. `fields` holds what stands for itself; the rest depends on the customer that there is."""

    customer_number: str
    line: int
    now: int
    today: date
    fields: dict[str, Any]
    century_open: bool = False
    address: Mapping[str, str | None] | None = None
    external_ids: Mapping[str, str | None] | None = None
    subscriptions: list[Subscription] | None = None
    all_named: bool = True

    def change(self, before: Customer | None) -> Customer:
        """The customer after this row: the very same object where the row changes nothing."""
        if before is None:
            fields = self._fields(_NOBODY)
            return Customer(new_id(self.now), self.customer_number, self.now, self.now, **fields)
        after = msgspec.structs.replace(before, **self._fields(before))
        if after == before:
            return before
        after.updated = self.now
        return after

    def _fields(self, before: Customer) -> dict[str, Any]:
        fields = dict(self.fields)
        if self.century_open:
            fields[_NUMBER] = self._with_century(fields[_NUMBER], before)
        if self.address is not None:
            fields["address"] = msgspec.structs.replace(before.address, **self.address)
        if self.external_ids is not None:
            fields["identity_mapping"] = _changed_ids(before.identity_mapping, self.external_ids)
        elif "identity_mapping" in fields:
            fields["identity_mapping"] = _in_known_order(before.identity_mapping, fields["identity_mapping"])
        if self.subscriptions is not None:
            fields["subscriptions"] = merge_subscriptions(
                before.subscriptions, self.subscriptions, complete=self.all_named
            )
        return fields

    def _with_century(self, number: PersonNumber, before: Customer) -> PersonNumber:
        """The century as it was decided when the number came in, else the one of a birth date known before."""
        known = before.social_security_number
        if known is not None and known.ten == number.ten:
            return known
        if before.birth_date is None or "birth_date" in self.fields:
            return number
        return person_number.parse(number.ten, self.today, before.birth_date) or number


def _changed_ids(known: list[ExternalId], changes: Mapping[str, str | None]) -> list[ExternalId]:
    """The external ids after those of some keys were given, in the order in which they came to be known."""
    kept = [pair for pair in known if pair.key not in changes or pair.value == changes[pair.key]]
    new = [ExternalId(key, value) for key, value in changes.items() if value is not None]
    return kept + [pair for pair in new if pair not in kept]


def _in_known_order(known: list[ExternalId], named: list[ExternalId]) -> list[ExternalId]:
    """The ids named, those that were known first: another order is no change."""
    kept = [pair for pair in known if pair in named]
    return kept + [pair for pair in named if pair not in kept]


class RowParser:
    """Checks raw rows for one organisation."""

    def __init__(self, organisation: Organisation, now: int) -> None:
        local = zone(organisation.timezone)
        self._now = now
        self._context = Context(local.today(now), organisation.requires_checksum)
        self._moment = checks.moments(local)

    def row(self, raw: RawCustomer, line: int) -> Row:
        """The row that a raw one is. Raises Bad."""
        number = self.customer_number(raw.customer_number)
        fields = _texts(raw)
        if fields.get("password_hash") and not fields.get("email"):
            raise Bad("password_hash", "needs an email in the same row")
        row = Row(number, line, self._now, self._context.today, fields)
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
            raise Bad("customer_number", "must be given")
        try:
            return checks.CUSTOMER_NUMBER(text)
        except Invalid as error:
            raise Bad("customer_number", sentence(error)) from None

    def subscription(self, raw: RawSubscription, prefix: str = "") -> Subscription:
        """The subscription that a raw one is, with an id of its own. Raises Bad."""
        if not raw.package_code:
            raise Bad(f"{prefix}package_code", "must be given")
        fields: dict[str, Any] = {}
        name = ""
        try:
            for name, check in checks.SUBSCRIPTION:
                if value := getattr(raw, name):
                    fields[name] = check(value)
            for name in ("valid_from", "valid_to", "external_start_date"):
                if value := getattr(raw, name):
                    fields[name] = self._moment(value)
        except Invalid as error:
            raise Bad(f"{prefix}{name}", sentence(error)) from None
        subscription = Subscription(new_id(self._now), **fields)
        begins, ends = subscription.valid_from, subscription.valid_to
        if begins is not None and ends is not None and ends < begins:
            raise Bad(f"{prefix}valid_to", "must not be before valid_from")
        return subscription

    def _subscriptions(self, raws: list[RawSubscription]) -> list[Subscription]:
        try:
            return [self.subscription(raw) for raw in raws]
        except Bad:  # once more, for the place in the list
            return [self.subscription(raw, f"subscriptions[{place}].") for place, raw in enumerate(raws)]

    def _birth_date(self, text: str | UnsetType | None) -> date | None:
        try:
            return values.BIRTH_DATE.parse(text, self._context) if text else None
        except Invalid as error:
            raise Bad("birth_date", sentence(error)) from None

    def _read_number(self, text: str | UnsetType | None, row: Row) -> None:
        """The number with the century that twelve digits say, else the birth date, else the most recent one."""
        if not text:
            row.fields[_NUMBER] = None
            return
        born = row.fields.get("birth_date")
        number = person_number.parse_lenient(text, self._context.today, born)
        if number is None:
            raise Bad(_NUMBER, "must be ten or twelve digits, with a dash before the last four or without")
        if self._context.checksum and number.century is None:
            raise Bad(_NUMBER, "must be a real date followed by a right check digit")
        row.fields[_NUMBER] = number
        row.century_open = len(text) <= _TEN_DIGITS and (born is None or number.birth_date != born)


def _texts(raw: RawCustomer) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    name = ""
    try:
        for name, check in checks.CUSTOMER:
            value = getattr(raw, name)
            if value is not UNSET:
                fields[name] = check(value) if value else None
    except Invalid as error:
        raise Bad(name, sentence(error)) from None
    return fields


_NO_ADDRESS = dict.fromkeys(ADDRESS_KEYS)


def _address(raw: Any) -> Mapping[str, str | None]:
    """The keys of an address that the row has; all of them, empty, for an address that is null."""
    if raw is None:
        return _NO_ADDRESS
    fields: dict[str, str | None] = {}
    name = ""
    try:
        for name in ADDRESS_KEYS:
            value = getattr(raw, name)
            if value is not UNSET:
                fields[name] = checks.NAME(value) if value else None
    except Invalid as error:
        raise Bad(f"address.{name}", sentence(error)) from None
    return fields


def _external_id_columns(given: dict[str, str | None]) -> dict[str, str | None]:
    checked: dict[str, str | None] = {}
    for key, value in given.items():
        try:
            checked[key] = checks.EXTERNAL_ID(value) if value else None
        except Invalid as error:
            raise Bad(f"identity_mapping.{key}", sentence(error)) from None
    return checked


def _external_ids(raw: list[RawExternalId] | dict[str, str | None] | UnsetType | None) -> list[ExternalId]:
    """The full list of external ids, in any of its forms."""
    if isinstance(raw, dict):
        return [_external_id(key, value, "identity_mapping") for key, value in raw.items() if value]
    pairs: list[ExternalId] = []
    for place, pair in enumerate(raw or []):
        new = _external_id(pair.key, pair.value, f"identity_mapping[{place}]")
        if new not in pairs:
            pairs.append(new)
    return pairs


def _external_id(key: str, value: str, column: str) -> ExternalId:
    try:
        return ExternalId(checks.EXTERNAL_ID(key), checks.EXTERNAL_ID(value))
    except Invalid as error:
        raise Bad(column, f"key and value: each {sentence(error)}") from None
