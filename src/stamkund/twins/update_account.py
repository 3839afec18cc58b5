"""Update account: what its four versions do, with the account of a parameter or that of the access token.

Sources: the documentation pages "Update account" (Account API v1 and v2; Me API v1 and v3); wire contract, section 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from stamkund import problems
from stamkund.problems import Problem, Refused
from stamkund.rules import identifiers, values
from stamkund.rules.account import Account
from stamkund.rules.account_update import updated_account
from stamkund.rules.identifiers import Identifier
from stamkund.rules.timestamps import zone
from stamkund.store import AccountKey, UniqueConflict
from stamkund.twins.account_fields import (
    ALIAS,
    BIRTH_DATE,
    COMPANY_NAME,
    COMPANY_NUMBER,
    FIRST_NAME,
    LAST_NAME,
    MOBILE,
    ORIGIN,
    PERSON_NUMBER,
    TAGS,
)
from stamkund.wire.call import Call
from stamkund.wire.parameters import Parameter

EMAIL = Parameter(
    "email",
    values.EMAIL,
    "The account's e-mail address, with which its reader logs in from now on. Unique in the organisation.",
    unset=False,
)
OWN_FIELDS: tuple[Parameter[Any], ...] = (
    FIRST_NAME,
    LAST_NAME,
    ALIAS,
    MOBILE,
    PERSON_NUMBER,
    BIRTH_DATE,
    COMPANY_NUMBER,
)
"""What every version begins with, in the order of the documents."""
COMPANY_AND_ORIGIN: tuple[Parameter[Any], ...] = (COMPANY_NAME, ORIGIN)

_TAKEN: dict[str, Problem] = {
    identifiers.EMAIL: problems.EMAIL_TAKEN,
    identifiers.ALIAS: problems.ALIAS_TAKEN,
    identifiers.PERSON_NUMBER: problems.PERSON_NUMBER_TAKEN,
}
REFUSALS = (
    problems.ACCOUNT_NOT_FOUND,
    problems.EMAIL_TAKEN,
    problems.ALIAS_TAKEN,
    problems.PERSON_NUMBER_TAKEN,
)
"""What an update may be refused with, beside its parameters."""
REFUSALS_OF_ME = tuple(problem for problem in REFUSALS if problem is not problems.EMAIL_TAKEN)
"""The same for a reader's own account, whose e-mail is changed by another call."""


class UpdateError(msgspec.Struct):
    """Why one of the parameters changed nothing."""

    code: str
    field: str
    message: str


class Updated(msgspec.Struct):
    """`{"id": …}`. `errors`: what was not changed, there only where `atomic` is false."""

    id: str
    errors: list[UpdateError] | UnsetType = UNSET


def own_account(call: Call) -> list[Identifier]:
    """For `Limit`: the account that the access token stands for."""
    return [Identifier("account", str(call.caller.account_row))]


async def update_account(call: Call, key: AccountKey, fields: Sequence[Parameter[Any]]) -> Updated:
    """Changes what was sent of these fields, all of it or nothing.

    Where `atomic` is false, what is in use by another account is left out too, and reported with what was not valid.
    Raises Refused.
    """
    number = call.parameters.get(PERSON_NUMBER)
    if number is not None:  # whether an account has it could be tried out
        organisation = call.caller.organisation.id
        call.begin_look_up([call.services.store.documents.number_identifier(organisation, number.ten)])
    changes = _changes(call, fields)
    errors = call.parameters.errors
    today = zone(call.caller.organisation.timezone).today(call.now)

    def change(account: Account) -> Account:
        return updated_account(account, changes, today)

    while True:  # once more for each identifier that is left out
        try:
            done = await call.services.store.accounts.change(
                call.caller.organisation.id,
                key,
                change,
                call.caller.client.id,
                call.now,
                call.services.audit_budget.admit,
            )
        except UniqueConflict as conflict:
            problem = _TAKEN[conflict.kind]
            _count_number(call, problem)
            if errors is None:
                raise Refused(problem) from None
            del changes[conflict.kind]
            errors.append(problem)
            continue
        if done is None:
            raise Refused(problems.ACCOUNT_NOT_FOUND)
        return Updated(done.id, UNSET if errors is None else _in_order(errors, fields))


def _changes(call: Call, fields: Sequence[Parameter[Any]]) -> dict[str, Any]:
    """The new values by the names of the account's fields; None for what is emptied."""
    changes = {one.name: call.parameters.get(one) for one in fields if one in call.parameters}
    if TAGS.name in changes:
        changes[TAGS.name] = changes[TAGS.name] or []
    if ALIAS.name in changes:
        changes[ALIAS.name] = changes[ALIAS.name] or None
    return changes


def _count_number(call: Call, problem: Problem) -> None:
    """A social security number that an account has is a miss: only so many may be learned in a minute."""
    if problem is problems.PERSON_NUMBER_TAKEN:
        call.look_up.check()
        call.look_up.miss()


def _in_order(errors: list[Problem], fields: Sequence[Parameter[Any]]) -> list[UpdateError]:
    """The errors in the order of the document's parameters."""
    names = [one.name for one in fields]
    reported = [UpdateError(error.code, error.field or "", error.message) for error in errors]
    return sorted(reported, key=lambda error: names.index(error.field.partition(".")[0]))
