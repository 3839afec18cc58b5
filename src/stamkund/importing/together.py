"""Several rows of one customer become one: what a join of customers and subscriptions exports.

Their subscriptions add up. Of every other value, one that a row gives counts for the customer; where two rows give
different ones, the first stays, and the other is noted. Rows that can't be about one person are not put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from stamkund.importing.raw import Note
from stamkund.importing.report import RowProblem
from stamkund.importing.rows import CustomerRow
from stamkund.importing.texts import masked
from stamkund.rules.customer import Subscription

_NUMBER = "social_security_number"
_HASH = "password_hash"
_LISTS = ("address", "identity_mapping", "subscriptions", _NUMBER)


def contradiction(first: CustomerRow, other: CustomerRow) -> RowProblem | None:
    """Why another row with the same customer number is not about the same customer."""
    one, two = first.new.social_security_number, other.new.social_security_number
    if one is not None and two is not None and one.ten != two.ten:
        return RowProblem(_NUMBER, _reason(first))
    previous, other_previous = first.previous_customer_number, other.previous_customer_number
    if previous is not None and other_previous is not None and previous != other_previous:
        return RowProblem("previous_customer_number", _reason(first))
    return None


def add(first: CustomerRow, other: CustomerRow) -> list[Note]:
    """Adds to a row what another one gives. Returns what of it is not imported."""
    notes: list[Note] = []
    fields = dict.fromkeys(first.columns.fields)
    added = dict.fromkeys(other.columns.fields)
    if other.new.password_hash and first.new.email not in (None, other.new.email):  # it belongs to the other e-mail
        notes.append(Note(_HASH, "belongs to another email" + _than_in(first)))
        del added[_HASH]
    for name in added:
        if name not in _LISTS:
            _add_value(first, other, name, name in fields, notes)
    first.columns = msgspec.structs.replace(
        first.columns,
        fields=tuple(fields | added),
        address=_add_address(first, other, notes),
        external_ids=_add_external_ids(first, other, notes),
        century_unknown=_add_number(first, other),
        subscriptions_complete=first.columns.subscriptions_complete and other.columns.subscriptions_complete,
    )
    first.new.subscriptions = _added_subscriptions(first.new.subscriptions, other.new.subscriptions)
    first.more_lines += (other.line,)
    first.previous_customer_number = first.previous_customer_number or other.previous_customer_number
    return notes


def _than_in(first: CustomerRow) -> str:
    return f" than in line {first.line} of the same customer"


def _reason(first: CustomerRow) -> str:
    return "is another one" + _than_in(first)


def _add_value(first: CustomerRow, other: CustomerRow, name: str, is_given: bool, notes: list[Note]) -> None:
    present, new = getattr(first.new, name), getattr(other.new, name)
    if not is_given or present is None:
        setattr(first.new, name, new)
    elif new is not None and new != present:
        notes.append(Note(name, _reason(first), None if name == _HASH else masked(str(new))))


def _add_number(first: CustomerRow, other: CustomerRow) -> bool:
    """Takes over the social security number; returns whether its century is a guess."""
    if other.new.social_security_number is None:
        return first.columns.century_unknown
    if first.new.social_security_number is None or first.columns.century_unknown:
        first.new.social_security_number = other.new.social_security_number
        return other.columns.century_unknown
    return False


def _add_address(first: CustomerRow, other: CustomerRow, notes: list[Note]) -> tuple[str, ...] | None:
    keys, added = first.columns.address or (), other.columns.address or ()
    for key in added:
        present, new = getattr(first.new.address, key), getattr(other.new.address, key)
        if key not in keys or present is None:
            setattr(first.new.address, key, new)
        elif new is not None and new != present:
            notes.append(Note(f"address.{key}", _reason(first), masked(new)))
    return tuple(dict.fromkeys((*keys, *added))) or None


def _add_external_ids(first: CustomerRow, other: CustomerRow, notes: list[Note]) -> tuple[str, ...] | None:
    """Adds the ids; of a column for one key, a customer has one value."""
    keys, other_keys = first.columns.external_ids, other.columns.external_ids
    present = {pair.key: pair.value for pair in first.new.identity_mapping}
    for pair in other.new.identity_mapping:
        if other_keys is not None and present.get(pair.key, pair.value) != pair.value:
            notes.append(Note(f"identity_mapping.{pair.key}", _reason(first), masked(pair.value)))
        elif pair not in first.new.identity_mapping:
            first.new.identity_mapping = [*first.new.identity_mapping, pair]
    if other_keys is None:
        return keys
    return tuple(dict.fromkeys((*(keys or ()), *other_keys)))


def _added_subscriptions(present: list[Subscription], added: Sequence[Subscription]) -> list[Subscription]:
    """A subscription that is the same in every value is one: a join repeats it."""
    present_values = set(map(_without_id, present))
    return [*present, *(one for one in added if _without_id(one) not in present_values)]


def _without_id(subscription: Subscription) -> tuple[Any, ...]:
    return msgspec.structs.astuple(subscription)[1:]
