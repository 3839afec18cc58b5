"""A checked row: the customer that it makes where none is stored, and how it changes the one that is.

The columns come from section 2 of the wire contract, and are documented in `docs/importing.md`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.identity import imported_hashes
from stamkund.importing import checks
from stamkund.importing.checks import reason_of
from stamkund.importing.raw import ADDRESS_KEYS, CsvCustomer, RawCustomer, RawExternalId, RawSubscription
from stamkund.importing.report import RowProblem
from stamkund.rules import person_number, values
from stamkund.rules.account import Address, ExternalId
from stamkund.rules.customer import Customer, Subscription, merge_subscriptions
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Organisation
from stamkund.rules.person_number import PersonNumber
from stamkund.rules.subscription import ACTIVATED
from stamkund.rules.timestamps import zone
from stamkund.rules.values import Context, Invalid
from stamkund.store import EncodedCustomer

_NUMBER = "social_security_number"
_MAX_TEN_DIGIT_LENGTH = 11
"""Ten digits and a dash: a longer number includes its century."""
_MAX_CACHED = 1000
"""How many `RowColumns` are cached: most rows of a file give the same values."""

_TIMESTAMPS = ("valid_from", "valid_to", "external_start_date")
_ADDRESS_CHECKS = tuple((key, checks.NAME) for key in ADDRESS_KEYS)
# Each returns a tuple of texts: one call for a row instead of one for each column.
_CUSTOMER_TEXTS = attrgetter(*(name for name, _ in checks.CUSTOMER))
_ADDRESS_TEXTS = attrgetter(*ADDRESS_KEYS)
_SUBSCRIPTION_TEXTS = attrgetter(*(name for name, _ in checks.SUBSCRIPTION), *_TIMESTAMPS)


_Column = tuple[str, Callable[[str], Any]]
"""The name of a column, and its check."""
_Keys = tuple[str, ...] | None


class RowColumns(msgspec.Struct, frozen=True, array_like=True):
    """Which values a row gives: `fields` of the customer. The others of a stored customer stay.

    `address`, `external_ids`: only these keys are given, some of them perhaps to be cleared; None: all of them.
    `century_unknown`: the century of the number is a guess. `subscriptions_complete`: those that are not given have
    ended.
    """

    fields: tuple[str, ...]
    address: _Keys = None
    external_ids: _Keys = None
    century_unknown: bool = False
    subscriptions_complete: bool = True


@dataclass(slots=True)
class CustomerRow:
    """One row. `new`: the customer that it makes where none is stored, which holds all values that the row gives."""

    line: int
    new: Customer
    columns: RowColumns
    today: date

    @property
    def customer_number(self) -> str:
        return self.new.customer_number

    @property
    def encoded(self) -> EncodedCustomer | None:
        """Encoded by the store, and only if no such customer is stored."""
        return None

    @property
    def has_subscriptions(self) -> bool:
        return "subscriptions" in self.columns.fields

    def add_subscriptions(self, subscriptions: list[Subscription], *, complete: bool) -> None:
        """Adds those of a second file."""
        self.new.subscriptions = subscriptions
        self.columns = msgspec.structs.replace(
            self.columns, fields=(*self.columns.fields, "subscriptions"), subscriptions_complete=complete
        )

    def change(self, before: Customer | None) -> Customer:
        """The customer after this row; the same object where the row changes nothing."""
        return self.new if before is None else merged(before, self.new, self.columns, self.today)


def merged(before: Customer, new: Customer, columns: RowColumns, today: date) -> Customer:
    """A stored customer with the values that a row gives; the same object where none of them is another one."""
    fields: dict[str, Any] = {name: getattr(new, name) for name in columns.fields}
    if columns.century_unknown:
        fields[_NUMBER] = _with_century(fields[_NUMBER], before, today, columns)
    if columns.address is not None:
        address = {key: getattr(new.address, key) for key in columns.address}
        fields["address"] = msgspec.structs.replace(before.address, **address)
    if columns.external_ids is not None:
        fields["identity_mapping"] = _merge_external_ids(before, new, columns.external_ids)
    elif "identity_mapping" in fields:
        fields["identity_mapping"] = _in_stored_order(before.identity_mapping, new.identity_mapping)
    if "subscriptions" in fields:
        fields["subscriptions"] = merge_subscriptions(
            before.subscriptions, new.subscriptions, complete=columns.subscriptions_complete
        )
    after = msgspec.structs.replace(before, **fields)
    if after == before:
        return before
    after.updated = new.updated
    return after


def _with_century(number: PersonNumber, before: Customer, today: date, columns: RowColumns) -> PersonNumber:
    """The number with its stored century, otherwise with the one that the stored birth date implies."""
    stored = before.social_security_number
    if stored is not None and stored.ten == number.ten:
        return stored
    if before.birth_date is None or "birth_date" in columns.fields:
        return number
    return person_number.parse(number.ten, today, before.birth_date) or number


def _merge_external_ids(before: Customer, new: Customer, keys: Sequence[str]) -> list[ExternalId]:
    """The stored ids, those of these keys replaced or removed. Ids that stay keep their order."""
    imported = new.identity_mapping
    unchanged = [pair for pair in before.identity_mapping if pair.key not in keys or pair in imported]
    return unchanged + [pair for pair in imported if pair not in unchanged]


def _in_stored_order(stored: list[ExternalId], imported: list[ExternalId]) -> list[ExternalId]:
    """The imported ids, those that are stored first and in their order: another order is no change."""
    unchanged = [pair for pair in stored if pair in imported]
    return unchanged + [pair for pair in imported if pair not in unchanged]


class RowParser:
    """Checks raw rows for one organisation. `weak_hashes`: how many weak password hashes it met, by their scheme."""

    def __init__(self, organisation: Organisation, now: int) -> None:
        local = zone(organisation.timezone)
        self._now = now
        self._context = Context(local.today(now), organisation.requires_checksum)
        self._parse_timestamp = checks.timestamp_parser(local)
        timestamps = ((name, self._parse_timestamp) for name in _TIMESTAMPS)
        self._subscription: tuple[_Column, ...] = (*checks.SUBSCRIPTION, *timestamps)
        context = self._context
        self._parse_birth_date = lru_cache(checks.CACHE_SIZE)(lambda text: values.BIRTH_DATE.parse(text, context))
        self._row_columns = lru_cache(_MAX_CACHED)(RowColumns)
        self.weak_hashes: Counter[str] = Counter()

    def row(self, raw: RawCustomer, line: int) -> CustomerRow:
        """Checks a raw row. Raises RowProblem."""
        number = self.customer_number(raw.customer_number)
        fields = _texts(_CUSTOMER_TEXTS(raw), checks.CUSTOMER)
        if password_hash := fields.get("password_hash"):
            self._check_login(password_hash, fields.get("email"))
        century_unknown = False
        if raw.birth_date is not UNSET:
            fields["birth_date"] = self._birth_date(raw.birth_date)
        if raw.social_security_number is not UNSET:
            fields[_NUMBER], century_unknown = self._number(raw.social_security_number, fields.get("birth_date"))
        address, external_ids = self._parts(raw, fields)
        new = Customer(new_id(self._now), number, self._now, self._now, **fields)
        columns = self._row_columns(tuple(fields), address, external_ids, century_unknown)
        return CustomerRow(line, new, columns, self._context.today)

    def _check_login(self, password_hash: str, email: str | None) -> None:
        """Counts a hash that is weak. Raises RowProblem."""
        if not email:
            raise RowProblem("password_hash", "needs an email in the same row")
        imported = imported_hashes.parsed(password_hash)
        if imported is not None and imported.is_weak:
            self.weak_hashes[imported.scheme] += 1

    def _parts(self, raw: RawCustomer, fields: dict[str, Any]) -> tuple[_Keys, _Keys]:
        """Adds what a row may give in part; returns the keys of the address and of the external ids that it gives."""
        address = external_ids = None
        if raw.address is not UNSET:
            texts = _address(raw.address)
            address, fields["address"] = tuple(texts), Address(**texts)
        if not isinstance(raw, CsvCustomer):
            if raw.identity_mapping is not UNSET:
                fields["identity_mapping"] = _external_ids(raw.identity_mapping)
        elif raw.external_ids:
            ids = _external_id_columns(raw.external_ids)
            external_ids = tuple(ids)
            fields["identity_mapping"] = [ExternalId(key, value) for key, value in ids.items() if value is not None]
        if raw.subscriptions is not UNSET:
            fields["subscriptions"] = self._subscriptions(raw.subscriptions or [])
        return address, external_ids

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
        texts = _SUBSCRIPTION_TEXTS(raw)
        try:
            subscription = self._checked_subscription(*texts)
        except Invalid:
            _texts(texts, self._subscription, prefix)  # once more, to find the column
            raise
        start, end = subscription.valid_from, subscription.valid_to
        if start is not None and end is not None and end < start:
            raise RowProblem(f"{prefix}valid_to", "must not be before valid_from")
        return subscription

    def _checked_subscription(
        self,
        package_code: str,
        title_code: str | None,
        number: str | None,
        kind: str | None,
        state: str | None,
        service: str | None,
        start: str | None,
        end: str | None,
        external_start: str | None,
    ) -> Subscription:
        """Written out, because a loop over the columns takes three times as long. Raises Invalid."""
        parse = self._parse_timestamp
        return Subscription(
            new_id(self._now),
            checks.PACKAGE_CODE(package_code),
            checks.TITLE_CODE(title_code) if title_code else None,
            parse(start) if start else None,
            parse(end) if end else None,
            checks.SUBSCRIPTION_NUMBER(number) if number else None,
            checks.SUBSCRIPTION_TYPE(kind) if kind else None,
            checks.STATE(state) if state else ACTIVATED,
            checks.NAME(service) if service else None,
            parse(external_start) if external_start else None,
        )

    def _subscriptions(self, raws: list[RawSubscription]) -> list[Subscription]:
        try:
            return [self.subscription(raw) for raw in raws]
        except RowProblem:  # once more, with the index of the subscription in the reported column
            return [self.subscription(raw, f"subscriptions[{index}].") for index, raw in enumerate(raws)]

    def _birth_date(self, text: str | UnsetType | None) -> date | None:
        try:
            return self._parse_birth_date(text) if text else None
        except Invalid as error:
            raise RowProblem("birth_date", reason_of(error)) from None

    def _number(self, text: str | UnsetType | None, born: date | None) -> tuple[PersonNumber | None, bool]:
        """The number, and whether its century is a guess.

        The century is that of a twelve-digit number, otherwise of the birth date, otherwise the most recent one.
        """
        if not text:
            return None, False
        number = person_number.parse_lenient(text, self._context.today, born)
        if number is None:
            raise RowProblem(_NUMBER, "must be ten or twelve digits, with a dash before the last four or without")
        if self._context.checksum and number.century is None:
            raise RowProblem(_NUMBER, "must be a real date followed by a right check digit")
        return number, len(text) <= _MAX_TEN_DIGIT_LENGTH and (born is None or number.birth_date != born)


def _texts(texts: Iterable[Any], columns: Sequence[_Column], prefix: str = "") -> dict[str, Any]:
    """The checked values of the columns that a row has. Raises RowProblem."""
    fields: dict[str, Any] = {}
    name = ""
    try:
        for (name, check), text in zip(columns, texts, strict=True):
            if text is not UNSET:
                fields[name] = check(text) if text else None
    except Invalid as error:
        raise RowProblem(f"{prefix}{name}", reason_of(error)) from None
    return fields


_EMPTY_ADDRESS: dict[str, str | None] = dict.fromkeys(ADDRESS_KEYS)


def _address(raw: Any) -> dict[str, str | None]:
    """The address fields that the row has; for an address that is null, all of them, empty."""
    if raw is None:
        return _EMPTY_ADDRESS
    texts = _ADDRESS_TEXTS(raw)
    fields = {key: text or None for key, text in zip(ADDRESS_KEYS, texts, strict=True) if text is not UNSET}
    return fields if checks.are_names(fields.values()) else _texts(texts, _ADDRESS_CHECKS, "address.")


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
