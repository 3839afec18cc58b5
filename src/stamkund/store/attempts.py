"""Verbs about attempts to log in: where a login stands, what became of an attempt, the latest ones.

A login is known by its account's id, or by the customer's id while a customer who brought a password has no account.
An attempt is one transaction: whether the login is frozen is decided, and the attempt counted, behind one row lock, so
no two attempts at the same moment can both be the last one allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from stamkund.rules import identifiers
from stamkund.rules.attempts import (
    FAILED,
    FROZEN,
    MOST_KEPT,
    SUCCEEDED,
    UNTROUBLED,
    Attempt,
    Judged,
    Policy,
    Standing,
    Visit,
)
from stamkund.store.documents import Documents
from stamkund.store.work import Ask, Row, Sql, Work, one

_STANDING = Sql("SELECT failures, frozen_until FROM login_locks WHERE organisation = $1 AND login = $2")
_LOCK_IF_ANY = Sql(f"{_STANDING.postgres} FOR UPDATE", sqlite=_STANDING.sqlite)
# The row must be there before it can be locked; an update that changes nothing locks the one that is there already.
_LOCK = Sql(
    "INSERT INTO login_locks (organisation, login, failures, expires) VALUES ($1, $2, '[]', 0) "
    "ON CONFLICT (organisation, login) DO UPDATE SET expires = login_locks.expires RETURNING failures, frozen_until"
)
_SET = Sql(
    "UPDATE login_locks SET failures = $3, frozen_until = $4, expires = $5 WHERE organisation = $1 AND login = $2"
)
_CLEAR = Sql("DELETE FROM login_locks WHERE organisation = $1 AND login = $2")
_ADD = Sql(
    "INSERT INTO login_attempts (organisation, login, at, outcome, door, client, address, user_agent) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
_DROP_OLDER = Sql(
    "DELETE FROM login_attempts WHERE organisation = $1 AND login = $2 AND row <= (SELECT row FROM login_attempts "
    "WHERE organisation = $1 AND login = $2 ORDER BY row DESC LIMIT 1 OFFSET $3)"
)
_LATEST = Sql(
    "SELECT at, outcome, door, client, address, user_agent FROM login_attempts "
    "WHERE organisation = $1 AND login = $2 ORDER BY row DESC LIMIT $3"
)
_HAND_OVER = Sql("UPDATE login_attempts SET login = $3 WHERE organisation = $1 AND login = $2")
_CUSTOMERS_ACCOUNT = Sql(
    "SELECT c.account FROM customer_identifiers i JOIN customers c ON c.row = i.customer "
    "WHERE i.organisation = $1 AND i.kind = $2 AND i.value = $3 FOR UPDATE OF c",
    sqlite="SELECT c.account FROM customer_identifiers i JOIN customers c ON c.row = i.customer "
    "WHERE i.organisation = ?1 AND i.kind = ?2 AND i.value = ?3",
)
_ACCOUNT = Sql("SELECT document FROM accounts WHERE row = $1")
_AUDIT = Sql("INSERT INTO audit (organisation, at, event, client, account, detail) VALUES ($1, $2, $3, $4, $5, $6)")
_REMOVE_STALE = Sql(
    "DELETE FROM login_locks WHERE (organisation, login) IN (SELECT organisation, login FROM login_locks "
    "WHERE expires <= $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1",
    sqlite="DELETE FROM login_locks WHERE (organisation, login) IN (SELECT organisation, login FROM login_locks "
    "WHERE expires <= ?1 ORDER BY expires LIMIT ?2) RETURNING 1",
)


def standing(organisation: str, login: str) -> Work[Standing]:
    """Where a login stands, as it was written: ask it with the moment of now."""
    return _read(one((yield Ask(_STANDING, (organisation, login)))))


def latest(organisation: str, login: str) -> Work[list[Attempt]]:
    """The attempts that are kept, newest first."""
    rows = yield Ask(_LATEST, (organisation, login, MOST_KEPT))
    return [Attempt(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows]


def lift(organisation: str, login: str, now: int) -> Work[bool]:
    """Lifts a freeze and clears the count; answers whether there was a freeze."""
    found = _read(one((yield Ask(_LOCK_IF_ANY, (organisation, login)))))
    yield Ask(_CLEAR, (organisation, login))
    if not found.frozen(now):
        return False
    yield Ask(_AUDIT, (organisation, now, "login_unfrozen", None, login, None))
    return True


def hand_over(organisation: str, customer: str, account: str) -> Work[None]:
    """The customer has become an account: its attempts go along, its count does not, for the login has a new start."""
    yield Ask(_CLEAR, (organisation, customer))
    yield Ask(_HAND_OVER, (organisation, customer, account))


def judge_stranger(visit: Visit, key: str, policy: Policy) -> Work[Judged]:
    """Counts a failed attempt at nobody's login under `key`, a keyed hash, and freezes it like somebody's.

    So neither what is answered nor how long that takes tells whether there is such a login. The attempt itself is not
    kept: nobody could look at it.
    """
    before = yield from _locked(visit.organisation, key, False)
    after = before.after(False, policy, visit.at)
    outcome = FROZEN if before.frozen(visit.at) else FAILED
    if outcome == FAILED:
        yield from _keep(visit.organisation, key, after, policy)
    yield Ask(_AUDIT, (visit.organisation, visit.at, "login_refused", visit.client, None, outcome))
    return Judged(outcome, after)


def remove_stale(now: int, most: int) -> Work[int]:
    """Removes at most `most` counts that are over; answers how many."""
    rows = yield Ask(_REMOVE_STALE, (now, most))
    return len(rows)


class AttemptVerbs:
    """The verb that needs documents; `Store` runs it."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def judge(
        self, visit: Visit, login: str, policy: Policy, *, succeeded: bool, customer: bool, audited: bool
    ) -> Work[Judged]:
        """Decides what becomes of an attempt, counts it and keeps it.

        `customer`: the login was a customer's without an account when it was looked up. `audited`: it is written to the
        audit, because the door is ours.
        """
        if customer:
            login = yield from self._now_of(visit.organisation, login)
        before = yield from _locked(visit.organisation, login, succeeded)
        after = before.after(succeeded, policy, visit.at)
        if before.frozen(visit.at):
            outcome = FROZEN
        else:
            outcome = SUCCEEDED if succeeded else FAILED
            yield from _keep(visit.organisation, login, after, policy)
        yield Ask(_ADD, (visit.organisation, login, visit.at, outcome, *_origin(visit)))
        yield Ask(_DROP_OLDER, (visit.organisation, login, MOST_KEPT))
        if audited:
            event, detail = ("login_succeeded", visit.door) if outcome == SUCCEEDED else ("login_refused", outcome)
            yield Ask(_AUDIT, (visit.organisation, visit.at, event, visit.client, login, detail))
        if outcome == FAILED and after.frozen(visit.at):
            yield Ask(_AUDIT, (visit.organisation, visit.at, "login_frozen", visit.client, login, None))
        return Judged(outcome, after)

    def _now_of(self, organisation: str, customer: str) -> Work[str]:
        """What a customer's login is known by now: an activation may have come in between, and made an account."""
        row = one((yield Ask(_CUSTOMERS_ACCOUNT, (organisation, identifiers.ID, customer))))
        if row is None or row[0] is None:
            return customer
        account = one((yield Ask(_ACCOUNT, (row[0],))))
        return customer if account is None else self._documents.account(account[0]).id


def _locked(organisation: str, login: str, succeeded: bool) -> Work[Standing]:
    """Where the login stands, locked until the transaction ends. A success without failures before needs no row."""
    return _read(one((yield Ask(_LOCK_IF_ANY if succeeded else _LOCK, (organisation, login)))))


def _keep(organisation: str, login: str, after: Standing, policy: Policy) -> Work[None]:
    if after == UNTROUBLED:
        yield Ask(_CLEAR, (organisation, login))
    else:
        failures = msgspec.json.encode(after.failures).decode()
        yield Ask(_SET, (organisation, login, failures, after.frozen_until, after.expires(policy)))


def _read(row: Row | None) -> Standing:
    if row is None:
        return UNTROUBLED
    return Standing(msgspec.json.decode(row[0], type=tuple[int, ...]), row[1])


def _origin(visit: Visit) -> Sequence[Any]:
    return visit.door, visit.client, visit.address, visit.user_agent
