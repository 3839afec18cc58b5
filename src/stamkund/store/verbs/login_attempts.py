"""Verbs about login attempts: whether a login is locked, the result of an attempt, the latest attempts.

A login is known by its account's id, or by the customer's id while a customer with an imported password has no account.
An attempt is one transaction: whether the login is locked is decided, and the attempt counted, behind one row lock, so
no two attempts at the same moment can both be the last one allowed.
"""

from __future__ import annotations

import msgspec

from stamkund.rules import identifiers
from stamkund.rules.events import AuditEntry, AuditEvent
from stamkund.rules.lockout import (
    FAILED,
    FROZEN,
    MAX_ATTEMPTS_STORED,
    NO_FAILURES,
    SUCCEEDED,
    Attempt,
    AttemptResult,
    LockoutPolicy,
    LockoutState,
    LoginContext,
)
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.verbs import events
from stamkund.store.work import Execute, Row, Sql, Work, delete_batch, first, for_update

_STATE = Sql("SELECT failures, locked_until FROM lockouts WHERE organisation = $1 AND login = $2")
_LOCK_IF_ANY = for_update(_STATE.postgres)
# The row must be there before it can be locked; an update that changes nothing locks the one that is there already.
_LOCK = Sql(
    "INSERT INTO lockouts (organisation, login, failures, expires) VALUES ($1, $2, '[]', 0) "
    "ON CONFLICT (organisation, login) DO UPDATE SET expires = lockouts.expires RETURNING failures, locked_until"
)
_SET = Sql("UPDATE lockouts SET failures = $3, locked_until = $4, expires = $5 WHERE organisation = $1 AND login = $2")
_CLEAR = Sql("DELETE FROM lockouts WHERE organisation = $1 AND login = $2")
_ADD = Sql(
    "INSERT INTO login_attempts (organisation, login, at, outcome, channel, client, address, user_agent) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
_DROP_OLDER = Sql(
    "DELETE FROM login_attempts WHERE organisation = $1 AND login = $2 AND row <= (SELECT row FROM login_attempts "
    "WHERE organisation = $1 AND login = $2 ORDER BY row DESC LIMIT 1 OFFSET $3)"
)
_LATEST = Sql(
    "SELECT at, outcome, channel, client, address, user_agent FROM login_attempts "
    "WHERE organisation = $1 AND login = $2 ORDER BY row DESC LIMIT $3"
)
_HAND_OVER = Sql("UPDATE login_attempts SET login = $3 WHERE organisation = $1 AND login = $2")
_ACCOUNT_OF_CUSTOMER = for_update(
    "SELECT c.account FROM customer_identifiers i JOIN customers c ON c.row = i.customer "
    "WHERE i.organisation = $1 AND i.kind = $2 AND i.value = $3",
    "c",
)
_ACCOUNT_ID = Sql("SELECT id FROM accounts WHERE row = $1")
_REMOVE_EXPIRED = delete_batch("lockouts", "organisation, login", "expires <= $1", "expires")


class LoginAttemptVerbs(Verbs):
    @writes
    def record(
        self,
        context: LoginContext,
        login: str,
        policy: LockoutPolicy,
        *,
        succeeded: bool,
        customer: bool,
        audited: bool,
    ) -> Work[AttemptResult]:
        """Decides the result of an attempt, counts it and stores it.

        `customer`: `login` is the id of a customer who had no account when it was looked up. `audited`: the attempt is
        written to the audit too, because it came through a channel of our own.
        """
        if customer:
            login = yield from _present_login(context.organisation, login)
        before = yield from _locked_state(context.organisation, login, succeeded)
        after = before.after(succeeded, policy, context.at)
        if before.locked(context.at):
            outcome = FROZEN
        else:
            outcome = SUCCEEDED if succeeded else FAILED
            yield from _store_state(context.organisation, login, after, policy)
        origin = (context.channel, context.client, context.address, context.user_agent)
        yield Execute(_ADD, (context.organisation, login, context.at, outcome, *origin))
        yield Execute(_DROP_OLDER, (context.organisation, login, MAX_ATTEMPTS_STORED))
        if audited:
            yield from events.record(_audit_entry(context, login, outcome))
        if outcome == FAILED and after.locked(context.at):
            entry = AuditEntry(context.organisation, context.at, AuditEvent.LOGIN_FROZEN, context.client, login)
            yield from events.record(entry)
        return AttemptResult(outcome, after)

    @writes
    def record_unknown(self, context: LoginContext, key: str, policy: LockoutPolicy) -> Work[AttemptResult]:
        """Counts a failed attempt with an unknown e-mail under `key`, a keyed hash, and locks it like a login.

        So neither the response nor the time that it takes tells whether there is such a login. The attempt itself is
        not stored: nobody could look at it.
        """
        before = yield from _locked_state(context.organisation, key, False)
        after = before.after(False, policy, context.at)
        outcome = FROZEN if before.locked(context.at) else FAILED
        if outcome == FAILED:
            yield from _store_state(context.organisation, key, after, policy)
        yield from events.record(_audit_entry(context, None, outcome))
        return AttemptResult(outcome, after)

    @writes
    def unlock(self, organisation: str, login: str, now: int) -> Work[bool]:
        """Lifts a lockout and clears the count; returns whether the login was locked."""
        before = _state_of(first((yield Execute(_LOCK_IF_ANY, (organisation, login)))))
        yield Execute(_CLEAR, (organisation, login))
        if not before.locked(now):
            return False
        yield from events.record(AuditEntry(organisation, now, AuditEvent.LOGIN_UNFROZEN, account=login))
        return True

    @reads
    def latest(self, organisation: str, login: str) -> Work[list[Attempt]]:
        """The attempts that are stored, newest first."""
        rows = yield Execute(_LATEST, (organisation, login, MAX_ATTEMPTS_STORED))
        return [
            Attempt(
                at=row["at"],
                outcome=row["outcome"],
                channel=row["channel"],
                client=row["client"],
                address=row["address"],
                user_agent=row["user_agent"],
            )
            for row in rows
        ]

    @writes
    def remove_expired_lockouts(self, now: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` counts that have expired; returns how many."""
        return len((yield Execute(_REMOVE_EXPIRED, (now, at_most))))


def lockout_state(organisation: str, login: str) -> Work[LockoutState]:
    """A login's failed attempts and lockout, as they were stored: ask the state with the present time."""
    return _state_of(first((yield Execute(_STATE, (organisation, login)))))


def hand_over(organisation: str, customer: str, account: str) -> Work[None]:
    """A customer has become an account: the attempts go along, the count is cleared, for the login starts afresh."""
    yield Execute(_CLEAR, (organisation, customer))
    yield Execute(_HAND_OVER, (organisation, customer, account))


def _present_login(organisation: str, customer: str) -> Work[str]:
    """What a customer's login is known by now: an activation may have come in between, and made an account."""
    row = first((yield Execute(_ACCOUNT_OF_CUSTOMER, (organisation, identifiers.ID, customer))))
    if row is None or row["account"] is None:
        return customer
    account = first((yield Execute(_ACCOUNT_ID, (row["account"],))))
    return customer if account is None else account["id"]


def _locked_state(organisation: str, login: str, succeeded: bool) -> Work[LockoutState]:
    """The state of a login, its row locked until the transaction ends. A success without failures needs no row."""
    return _state_of(first((yield Execute(_LOCK_IF_ANY if succeeded else _LOCK, (organisation, login)))))


def _store_state(organisation: str, login: str, state: LockoutState, policy: LockoutPolicy) -> Work[None]:
    if state == NO_FAILURES:
        yield Execute(_CLEAR, (organisation, login))
    else:
        failures = msgspec.json.encode(state.failures).decode()
        yield Execute(_SET, (organisation, login, failures, state.locked_until, state.expires(policy)))


def _state_of(row: Row | None) -> LockoutState:
    if row is None:
        return NO_FAILURES
    return LockoutState(msgspec.json.decode(row["failures"], type=tuple[int, ...]), row["locked_until"])


def _audit_entry(context: LoginContext, login: str | None, outcome: str) -> AuditEntry:
    if outcome == SUCCEEDED:
        event, detail = AuditEvent.LOGIN_SUCCEEDED, context.channel
    else:
        event, detail = AuditEvent.LOGIN_REFUSED, outcome
    return AuditEntry(context.organisation, context.at, event, context.client, login, detail)
