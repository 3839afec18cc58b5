"""A checked row: the customer that it makes where none is stored, and how it changes the one that is.

The columns come from section 2 of the wire contract, and are documented in `docs/importing.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from stamkund.importing import checks
from stamkund.importing.checks import reason_of
from stamkund.importing.dates import Dates
from stamkund.importing.raw import (
    ADDRESS_KEYS,
    CsvCustomer,
    Note,
    RawCustomer,
    RawExternalId,
    RawSubscription,
    RefusedPart,
    RepairedCustomer,
)
from stamkund.importing.report import RowProblem
from stamkund.importing.steps import DEFAULT_READING, Reading
from stamkund.importing.texts import NOTHING, masked, trimmed
from stamkund.rules import person_number
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
_PASSWORD = "password_hash"  # noqa: S105
"""Of which a mask may say too much: it can be a password in plain text."""
_TEN_DIGITS = 10
"""A longer number includes its century."""
_MAX_CACHED = 1000
"""How many `RowColumns` are cached: most rows of a file give the same values."""

# Each returns a tuple of texts: one call for a row instead of one for each column.
_CUSTOMER_TEXTS = attrgetter(*(name for name, _ in checks.CUSTOMER))
_ADDRESS_TEXTS = attrgetter(*ADDRESS_KEYS)
_ADDRESS_CHECKS = tuple((key, checks.NAME) for key in ADDRESS_KEYS)
_SUBSCRIPTION_TEXTS = attrgetter(
    "package_code",
    "title_code",
    "valid_from",
    "valid_to",
    "subscription_number",
    "subscription_type",
    "state",
    "provision_service",
    "external_start_date",
)
_MUST_BE_GIVEN = "must be given"
_NEVER_HOLDS = "is before valid_from, so the subscription holds on no day"


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
    """One row. `new`: the customer that it makes where none is stored, which holds all values that the row gives.

    `notes`: values that are not imported as they stand. `refused_parts`: subscriptions that are not imported.
    `more_lines`: those of other rows of the customer, which were added to this one.
    """

    line: int
    new: Customer
    columns: RowColumns
    today: date
    previous_customer_number: str | None = None
    notes: Sequence[Note] = ()
    refused_parts: Sequence[RefusedPart] = ()
    more_lines: tuple[int, ...] = ()

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
        """Adds those of a second file. `complete`: all of them could be read."""
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
    """Checks raw rows for one organisation."""

    def __init__(self, organisation: Organisation, now: int, reading: Reading = DEFAULT_READING) -> None:
        local = zone(organisation.timezone)
        self._now = now
        self._context = Context(local.today(now), organisation.requires_checksum)
        self._dates = Dates(local, self._context.today, exclusive=reading.exclusive_dates)
        self._firebase = reading.firebase
        self._row_columns = lru_cache(_MAX_CACHED)(RowColumns)

    def row(self, raw: RawCustomer, line: int, number: str) -> CustomerRow:
        """Checks a raw row, whose customer number has been checked. Raises RowProblem."""
        previous = self._previous_number(raw.previous_customer_number) if raw.previous_customer_number else None
        notes: list[Note] = []
        refused_parts: list[RefusedPart] = []
        if isinstance(raw, RepairedCustomer):
            notes, refused_parts = list(raw.notes), list(raw.refused_parts)
        fields = _texts(_CUSTOMER_TEXTS(raw), checks.CUSTOMER, notes)
        if fields.get("password_hash"):
            _check_login(fields, notes, firebase=self._firebase)
        century_unknown = False
        if raw.birth_date is not UNSET:
            self._birth_date(raw.birth_date, fields, notes)
        if raw.social_security_number is not UNSET:
            fields[_NUMBER], century_unknown = self._number(raw.social_security_number, fields.get("birth_date"))
        address, external_ids = self._parts(raw, fields, notes)
        if raw.subscriptions is not UNSET:
            place = "" if isinstance(raw, CsvCustomer) else "subscriptions[{}]."
            fields["subscriptions"] = self._subscriptions(raw.subscriptions or [], place, notes, refused_parts)
        new = Customer(new_id(self._now), number, self._now, self._now, **fields)
        columns = self._row_columns(tuple(fields), address, external_ids, century_unknown, not refused_parts)
        return CustomerRow(line, new, columns, self._context.today, previous, notes or (), refused_parts or ())

    def _parts(self, raw: RawCustomer, fields: dict[str, Any], notes: list[Note]) -> tuple[_Keys, _Keys]:
        """Adds what a row may give in part; returns the keys of the address and of the external ids that it gives."""
        address = external_ids = None
        if raw.address is not UNSET:
            texts = _address(raw.address, notes)
            address, fields["address"] = tuple(texts), Address(**texts)
        if not isinstance(raw, CsvCustomer):
            if raw.identity_mapping is not UNSET:
                ids_read = fields["identity_mapping"] = _external_ids(raw.identity_mapping, notes)
                if any(note.column.startswith("identity_mapping") for note in notes):  # those left out stay stored
                    external_ids = tuple(one.key for one in ids_read)
        elif raw.external_ids:
            ids = _external_id_columns(raw.external_ids, notes)
            external_ids = tuple(ids)
            fields["identity_mapping"] = [ExternalId(key, value) for key, value in ids.items() if value is not None]
        return address, external_ids

    def customer_number(self, text: str | None, column: str = "customer_number") -> str:
        """The checked number. Raises RowProblem."""
        try:
            number = checks.CUSTOMER_NUMBER(text) if text else None
        except Invalid as error:
            raise RowProblem(column, reason_of(error)) from None
        if number is None:
            raise RowProblem(column, _MUST_BE_GIVEN)
        return number

    def _previous_number(self, text: str) -> str | None:
        return self.customer_number(text, "previous_customer_number") if trimmed(text) else None

    def subscription(self, raw: RawSubscription, notes: list[Note], prefix: str = "") -> Subscription:
        """Checks a raw subscription and gives it a new id. Raises RowProblem."""
        if not raw.package_code:
            raise RowProblem(f"{prefix}package_code", _MUST_BE_GIVEN)
        try:
            subscription = self._checked_subscription(*_SUBSCRIPTION_TEXTS(raw))
        except Invalid:
            subscription = self._readable_subscription(raw, notes, prefix)
        if subscription.package_code is None:
            raise RowProblem(f"{prefix}package_code", _MUST_BE_GIVEN)
        start, end = subscription.valid_from, subscription.valid_to
        if start is not None and end is not None and end < start:
            notes.append(Note(f"{prefix}valid_to", _NEVER_HOLDS))
        return subscription

    def _checked_subscription(
        self,
        package_code: str,
        title_code: str | None,
        start: str | None,
        end: str | None,
        number: str | None,
        kind: str | None,
        state: str | None,
        service: str | None,
        external_start: str | None,
    ) -> Subscription:
        """Written out, because a loop over the columns takes three times as long. Raises Invalid."""
        return Subscription(
            new_id(self._now),
            checks.PACKAGE_CODE(package_code),  # type: ignore[arg-type]  # `subscription` looks for None
            checks.TITLE_CODE(title_code) if title_code else None,
            self._dates.start(start) if start else None,
            self._dates.end(end) if end else None,
            checks.SUBSCRIPTION_NUMBER(number) if number else None,
            checks.SUBSCRIPTION_TYPE(kind) if kind else None,
            (checks.STATE(state) if state else None) or ACTIVATED,
            checks.SERVICE(service) if service else None,
            self._dates.start(external_start) if external_start else None,
        )

    def _readable_subscription(self, raw: RawSubscription, notes: list[Note], prefix: str) -> Subscription:
        """As much of it as can be used. Raises RowProblem where what can't says which it is or what it entitles to."""
        fields: dict[str, Any] = {}
        times = (("valid_from", self._dates.start), ("valid_to", self._dates.end))
        for name, check in (*checks.ENTITLING, *times):
            try:
                fields[name] = check(text) if (text := getattr(raw, name)) else None
            except Invalid as error:
                raise RowProblem(f"{prefix}{name}", reason_of(error)) from None
        columns = (*checks.DECORATING, ("external_start_date", self._dates.start))
        fields |= _texts((getattr(raw, name) for name, _ in columns), columns, notes, prefix)
        fields["state"] = fields["state"] or ACTIVATED
        return Subscription(new_id(self._now), **fields)

    def _subscriptions(
        self, raws: list[RawSubscription], place: str, notes: list[Note], refused_parts: list[RefusedPart]
    ) -> list[Subscription]:
        """`place`: what stands before the names of their columns in a report, with a place for the number."""
        subscriptions = []
        for index, raw in enumerate(raws):
            if _says_nothing(raw):
                continue
            try:
                subscriptions.append(self.subscription(raw, notes, place.format(index)))
            except RowProblem as problem:
                refused_parts.append(RefusedPart(problem.column, problem.reason))
        return subscriptions

    def _birth_date(self, text: str | None, fields: dict[str, Any], notes: list[Note]) -> None:
        try:
            fields["birth_date"] = self._dates.day(text) if text else None
        except Invalid as error:
            notes.append(Note("birth_date", reason_of(error), masked(text or "")))

    def _number(self, text: str | None, born: date | None) -> tuple[PersonNumber | None, bool]:
        """The number, and whether its century is a guess. Raises RowProblem.

        The century is that of a twelve-digit number, otherwise of the birth date, otherwise the most recent one.
        """
        clean = trimmed(text) if text else None
        if clean is None:
            return None, False
        number = person_number.parse_lenient(clean, self._context.today, born)
        if number is None:
            raise RowProblem(_NUMBER, "must be ten or twelve digits, with a dash before the last four or without")
        if self._context.checksum and number.century is None:
            raise RowProblem(_NUMBER, "must be a real date followed by a right check digit")
        is_short = sum(map(str.isalnum, clean)) <= _TEN_DIGITS and "+" not in clean
        return number, is_short and (born is None or number.birth_date != born)


def _check_login(fields: dict[str, Any], notes: list[Note], *, firebase: bool) -> None:
    """Leaves out a password that nobody could log in with."""
    email = fields.get("email")
    if not email:
        reason = "needs an email in the same row"
    elif not checks.can_log_in_with(email):
        reason = "needs an email that can be logged in with"
    elif not firebase and checks.needs_firebase(fields["password_hash"]):
        reason = "needs the setting STAMKUND_FIREBASE_SIGNER_KEY"
    else:
        return
    del fields["password_hash"]
    notes.append(Note("password_hash", reason))


def _says_nothing(raw: RawSubscription) -> bool:
    """Whether no column has a value: what an outer join gives for a customer without subscriptions."""
    code = raw.package_code
    if code and code[:1].isalnum() and code not in NOTHING:
        return False
    return all(not text or trimmed(text) is None for text in _SUBSCRIPTION_TEXTS(raw))


def _texts(texts: Iterable[Any], columns: Sequence[_Column], notes: list[Note], prefix: str = "") -> dict[str, Any]:
    """The checked values of the columns that a row has; those that can't be used are noted and left out."""
    fields: dict[str, Any] = {}
    for (name, check), text in zip(columns, texts, strict=True):
        if text is UNSET:
            continue
        try:
            fields[name] = check(text) if text else None
        except Invalid as error:
            notes.append(Note(f"{prefix}{name}", reason_of(error), None if name == _PASSWORD else masked(text)))
    return fields


_EMPTY_ADDRESS: dict[str, str | None] = dict.fromkeys(ADDRESS_KEYS)


def _address(raw: Any, notes: list[Note]) -> dict[str, str | None]:
    """The address fields that the row has; for an address that is null, all of them, empty."""
    if raw is None:
        return _EMPTY_ADDRESS
    texts = _ADDRESS_TEXTS(raw)
    fields = {key: text or None for key, text in zip(ADDRESS_KEYS, texts, strict=True) if text is not UNSET}
    return fields if checks.are_names(fields.values()) else _texts(texts, _ADDRESS_CHECKS, notes, "address.")


def _external_id_columns(columns: dict[str, str | None], notes: list[Note]) -> dict[str, str | None]:
    checked: dict[str, str | None] = {}
    for key, value in columns.items():
        try:
            checked[key] = checks.EXTERNAL_ID(value) if value else None
        except Invalid as error:
            notes.append(Note(f"identity_mapping.{key}", reason_of(error), masked(value or "")))
    return checked


def _external_ids(
    raw: list[RawExternalId] | dict[str, str | None] | UnsetType | None, notes: list[Note]
) -> list[ExternalId]:
    """The complete list of external ids, from either of its two forms."""
    if isinstance(raw, dict):
        named = (_external_id(key, value, "identity_mapping", notes) for key, value in raw.items() if value)
        return [pair for pair in named if pair is not None]
    pairs: list[ExternalId] = []
    for index, pair in enumerate(raw or []):
        new = _external_id(pair.key, pair.value, f"identity_mapping[{index}]", notes)
        if new is not None and new not in pairs:
            pairs.append(new)
    return pairs


def _external_id(key: str, value: str, column: str, notes: list[Note]) -> ExternalId | None:
    try:
        clean_key, clean_value = checks.EXTERNAL_ID(key), checks.EXTERNAL_ID(value)
    except Invalid as error:
        notes.append(Note(column, f"key and value: each {reason_of(error)}", masked(value)))
        return None
    if clean_value is None:
        return None
    if clean_key is None:
        notes.append(Note(column, "key and value: each must be given"))
        return None
    return ExternalId(clean_key, clean_value)
