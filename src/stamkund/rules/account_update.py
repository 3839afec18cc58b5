"""What becomes of an account when some of its fields get new values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from stamkund.rules.account import Account
from stamkund.rules.person_number import with_century_of

_DECIDING_CENTURY = frozenset(("social_security_number", "birth_date"))


def updated_account(account: Account, values: Mapping[str, Any], today: date) -> Account:
    """The account with new values of these fields. `account` itself stays as it is.

    Where an account came from never changes once it is known.
    """
    fields = dict(values)
    if account.account_origin is not None:
        fields.pop("account_origin", None)
    after = msgspec.structs.replace(account, **fields)
    number = after.social_security_number
    if number is not None and not _DECIDING_CENTURY.isdisjoint(fields):
        after.social_security_number = with_century_of(number, after.birth_date, today)
    return after


def changed_fields(before: Account, after: Account) -> list[str]:
    """The names of the fields that differ."""
    return [name for name in Account.__struct_fields__ if getattr(before, name) != getattr(after, name)]
