"""Rows of JSON whose values have other types than ours: made usable value by value, where that is possible.

Most rows are decoded straight into their struct; only one that is not comes here. A whole number has one reading as
text. A value that identifies or entitles refuses its row or its subscription, any other is left out and noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from stamkund.importing.columns import ColumnNames
from stamkund.importing.raw import (
    ADDRESS_KEYS,
    Note,
    RawCustomer,
    RawSubscription,
    RawSubscriptionLine,
    RefusedPart,
    RepairedCustomer,
    RepairedLine,
)
from stamkund.importing.report import RowProblem
from stamkund.importing.texts import masked
from stamkund.importing.type_errors import PLAIN_KEY, validation_error

R = TypeVar("R")

_IDENTIFYING = frozenset({"customer_number", "previous_customer_number", "social_security_number"})
_ENTITLING = frozenset(
    {"customer_number", "package_code", "title_code", "valid_from", "valid_to", "subscription_number", "state"}
)
_TWO_NAMES = "is given twice, under two names, with different values"
_MAX_EXACT = 1 << 53
"""Whole numbers beyond this are not exact as floats."""


def as_text(value: Any) -> Any:
    """A whole number as text; anything else as it is."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MAX_EXACT:
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def repaired(row: Any, kind: type[R], names: ColumnNames) -> R:
    """A row of this kind out of decoded JSON. Raises RowProblem."""
    if not isinstance(row, dict):
        msgspec.convert(row, kind)  # raises, and says what there is instead
    made = _repaired_customer(row, names) if issubclass(kind, RawCustomer) else _repaired_line(row, names)
    assert isinstance(made, kind)
    return made


def _repaired_customer(row: Mapping[str, Any], names: ColumnNames) -> RawCustomer:
    notes: list[Note] = []
    refused_parts: list[RefusedPart] = []
    fields: dict[str, Any] = {}
    row, subscription = _divided(row, names)
    if subscription:
        _add_subscriptions([subscription], names, fields, notes, refused_parts)
    for name, value in _columns(row, names, RawCustomer, notes, _IDENTIFYING).items():
        if name.startswith("address.") and name.partition(".")[2] in ADDRESS_KEYS:
            address = fields.setdefault("address", {})
            if isinstance(address, dict):
                address[name.partition(".")[2]] = value
        elif name == "subscriptions":
            _add_subscriptions(value, names, fields, notes, refused_parts)
        elif name == "password_hash" and isinstance(value, dict):  # a credential as Keycloak exports it
            fields[name] = msgspec.json.encode(value).decode()
        else:
            fields[name] = value
    for name in list(fields):
        if name in ("address", "identity_mapping"):
            fields[name] = _parts(name, fields[name], notes)
            if fields[name] is msgspec.UNSET:
                del fields[name]
        elif name != "subscriptions":
            _check(RawCustomer, name, fields, notes, _IDENTIFYING)
    plain = msgspec.convert({k: v for k, v in fields.items() if k != "subscriptions"}, RawCustomer)
    values = {name: getattr(plain, name) for name in RawCustomer.__struct_fields__}
    if "subscriptions" in fields:
        values["subscriptions"] = fields["subscriptions"]
    return RepairedCustomer(**values, notes=notes, refused_parts=refused_parts)


def _divided(row: Mapping[str, Any], names: ColumnNames) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The keys of a customer, and those of a subscription beside them: a row of a join of both. Not with a list."""
    ours = {key: names.ours(key) for key in row}
    if "subscriptions" in ours.values():
        return row, {}
    columns = RawSubscription.__struct_fields__
    subscription = {key: value for key, value in row.items() if ours[key] in columns}
    return {key: value for key, value in row.items() if key not in subscription}, subscription


def _repaired_line(row: Mapping[str, Any], names: ColumnNames, prefix: str = "") -> RepairedLine:
    notes: list[Note] = []
    fields = _columns(row, names, RawSubscriptionLine, notes, _ENTITLING, prefix)
    for name in list(fields):
        _check(RawSubscriptionLine, name, fields, notes, _ENTITLING, prefix)
    return RepairedLine(**fields, notes=notes)


def _columns(
    row: Mapping[str, Any],
    names: ColumnNames,
    kind: type[msgspec.Struct],
    notes: list[Note],
    needed: frozenset[str],
    prefix: str = "",
) -> dict[str, Any]:
    """The values of columns that there are, whole numbers as text; others are noted.

    Of a column that has different values under two names, the first counts. Raises RowProblem where it is needed.
    """
    columns: dict[str, Any] = {}
    for key, value in row.items():
        name = names.ours(key)
        if name in kind.__struct_fields__ or (kind is RawCustomer and name.startswith("address.")):
            text = as_text(value)
            if columns.setdefault(name, text) == text:
                continue
            if name in needed:
                raise RowProblem(f"{prefix}{name}", _TWO_NAMES)
            notes.append(Note(f"{prefix}{name}", _TWO_NAMES, masked(text) if isinstance(text, str) else None))
        elif not names.is_left_out(key):
            label = f"{prefix}{key}" if PLAIN_KEY.fullmatch(key) else f"{prefix}…"
            notes.append(Note(label, "is an unknown key"))
    return columns


def _check(
    kind: type[msgspec.Struct],
    name: str,
    fields: dict[str, Any],
    notes: list[Note],
    needed: frozenset[str],
    prefix: str = "",
) -> None:
    """Removes a value of another type, or raises RowProblem where the column is needed."""
    try:
        msgspec.convert({name: fields[name]}, kind)
    except msgspec.ValidationError as error:
        column, reason = validation_error(str(error))
        if name in needed:
            raise RowProblem(f"{prefix}{column or name}", reason) from None
        del fields[name]
        notes.append(Note(f"{prefix}{column or name}", reason))


def _add_subscriptions(
    value: Any, names: ColumnNames, fields: dict[str, Any], notes: list[Note], refused_parts: list[RefusedPart]
) -> None:
    if value is not None and not isinstance(value, list):
        try:
            msgspec.convert({"subscriptions": value}, RawCustomer)
        except msgspec.ValidationError as error:
            refused_parts.append(RefusedPart("subscriptions", validation_error(str(error))[1]))
        return
    subscriptions: list[RawSubscription] = []
    for index, one in enumerate(value or []):
        prefix = f"subscriptions[{index}]."
        if not isinstance(one, dict):
            refused_parts.append(RefusedPart(prefix.rstrip("."), "must be an object"))
            continue
        try:
            line = _repaired_line(one, names, prefix)
        except RowProblem as problem:
            refused_parts.append(RefusedPart(problem.column, problem.reason))
            continue
        notes += line.notes
        subscriptions.append(RawSubscription(**{key: getattr(line, key) for key in RawSubscription.__struct_fields__}))
    fields["subscriptions"] = subscriptions


def _parts(column: str, value: Any, notes: list[Note]) -> Any:
    """An address or external ids without what has another type; UNSET where nothing of it can be used."""
    if isinstance(value, dict):
        parts = {key: as_text(one) for key, one in value.items()}
        for key in [key for key, one in parts.items() if not isinstance(one, str | None)]:
            del parts[key]
            notes.append(Note(_label(column, key), "must be text or null"))
        if column == "address":
            for key in [key for key in parts if key not in ADDRESS_KEYS]:
                del parts[key]
                notes.append(Note(_label(column, key), "is an unknown key"))
        return parts
    if isinstance(value, list) and column == "identity_mapping":
        return [pair for index, one in enumerate(value) if (pair := _pair(index, one, notes)) is not None]
    if value is None:
        return None
    notes.append(Note(column, "must be an object" if column == "address" else "must be a list or an object"))
    return msgspec.UNSET


def _pair(index: int, one: Any, notes: list[Note]) -> dict[str, str] | None:
    if isinstance(one, dict):
        pair = {key: as_text(value) for key, value in one.items()}
        if pair.keys() == {"key", "value"} and all(isinstance(text, str) for text in pair.values()):
            return pair
    notes.append(Note(f"identity_mapping[{index}]", "must be an object with key and value, both text"))
    return None


def _label(column: str, key: str) -> str:
    return f"{column}.{key}" if PLAIN_KEY.fullmatch(key) else f"{column}…"
