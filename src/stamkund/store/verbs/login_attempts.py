"""Verbs about login attempts: whether a login is locked, the result of an attempt, the latest attempts.

A login is known by its account's id, or by the customer's id while a customer with an imported password has no account.
An attempt is one transaction: whether the login is locked is decided, and the attempt counted, behind one row lock, so
no two attempts at the same moment can both be the last one allowed.
"""

from __future__ import annotations

import msgspec

from stamkund.rules import identifiers
from stamkund.rules.events import Admit, AuditEntry, AuditEvent, admit_all
from stamkund.rules.ids import ID_LENGTH
from stamkund.rules.lockout import (
    FAILED,
    FROZEN,
    LOGIN_PAGE,
    MAX_ATTEMPTS_STORED,
    NO_FAILURES,
    PASSWORD_GRANT,
    REPORTED,
    REPORTED_AGAIN_SECONDS,
    SUCCEEDED,
    Attempt,
    AttemptResult,
    LockoutPolicy,
    LockoutState,
    LoginContext,
)
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.verbs import events
from stamkund.store.work import Execute, Row, Sql, Work, delete_batch, delete_oldest, first, for_update

_STATE = Sql(
    "SELECT failures, locked_until, times_locked FROM lockouts WHERE organisation = $1 AND login = $2 AND browser = $3"
)
_LOCK_IF_ANY = for_update(_STATE.postgres)
# The row must be there before it can be locked; an update that changes nothing locks the one that is there already.
_LOCK = Sql(
    "INSERT INTO lockouts (organisation, login, browser, failures, times_locked, expires) "
    "VALUES ($1, $2, $3, '[]', 0, 0) ON CONFLICT (organisation, login, browser) DO UPDATE "
    "SET expires = lockouts.expires RETURNING failures, locked_until, times_locked"
)
_SET = Sql(
    "UPDATE lockouts SET failures = $4, locked_until = $5, times_locked = $6, expires = $7 "
    "WHERE organisation = $1 AND login = $2 AND browser = $3"
)
_CLEAR = Sql("DELETE FROM lockouts WHERE organisation = $1 AND login = $2 AND browser = $3")
_CLEAR_ALL = Sql("DELETE FROM lockouts WHERE organisation = $1 AND login = $2 RETURNING locked_until")
_ADD = Sql(
    "INSERT INTO login_attempts (organisation, login, at, outcome, channel, client, address, user_agent) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
_ADD_NOTHING = Sql("UPDATE login_attempts SET at = at WHERE organisation = $1 AND login = $2")
_DROP_OLDER = Sql(
    "DELETE FROM login_attempts WHERE organisation = $1 AND login = $2 AND row <= (SELECT row FROM login_attempts "
    "WHERE organisation = $1 AND login = $2 ORDER BY row DESC LIMIT 1 OFFSET $3)"
)
# The oldest attempt that the report can be about. The login's count is locked, so no other report can take it.
_REPORTED_AGAIN = Sql(
    "UPDATE login_attempts SET reported = $6, address = coalesce($7, address), user_agent = coalesce($8, user_agent) "
    "WHERE row = (SELECT row FROM login_attempts WHERE organisation = $1 AND login = $2 AND client = $3 "
    f"AND channel = '{PASSWORD_GRANT}' AND CASE WHEN outcome = '{SUCCEEDED}' THEN 1 ELSE 0 END = $4 AND at > $5 "
    "AND reported IS NULL ORDER BY row LIMIT 1) RETURNING outcome"
)
_LATEST = Sql(
    "SELECT at, outcome, channel, client, address, user_agent FROM login_attempts "
    "WHERE organisation = $1 AND login = $2 ORDER BY row DESC LIMIT $3"
)
_LATEST_VISITORS = 1_000
_VISITORS_ADDRESSES = Sql(
    "SELECT DISTINCT address FROM login_attempts WHERE row > (SELECT max(row) FROM login_attempts) - $2 "
    "AND channel = $1 AND address IS NOT NULL"
)
_HAND_OVER = Sql("UPDATE login_attempts SET login = $3 WHERE organisation = $1 AND login = $2")
_ACCOUNT_OF_CUSTOMER = for_update(
    "SELECT c.account FROM customer_identifiers i JOIN customers c ON c.row = i.customer "
    "WHERE i.organisation = $1 AND i.kind = $2 AND i.value = $3",
    "c",
)
_ACCOUNT_ID = Sql("SELECT id FROM accounts WHERE row = $1")
_REMOVE_EXPIRED = delete_batch("lockouts", "organisation, login, browser", "expires <= $1", "expires")
_UNKNOWN = f"length(login) > {ID_LENGTH}"  # a keyed hash is longer than an id
_REMOVE_UNKNOWN = delete_batch("lockouts", "organisation, login, browser", f"expires <= $1 AND {_UNKNOWN}", "expires")
_EXPIRY_OF_UNKNOWN = Sql(f"SELECT expires FROM lockouts WHERE {_UNKNOWN} ORDER BY expires DESC LIMIT 1 OFFSET $1")
_REMOVE_OLDER = delete_oldest("login_attempts")

CountKey = tuple[str, str, str]
"""What failed attempts are counted under: organisation, login, and a trusted browser (empty for all others)."""


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
        admit: Admit = admit_all,
    ) -> Work[AttemptResult]:
        """Decides the result of an attempt, counts it and stores it.

        `customer`: `login` is the id of a customer who had no account when it was looked up. `audited`: the attempt is
        written to the audit too, because it came through a channel of our own, as far as `admit` finds room for it.
        """
        if customer:
            login = yield from _present_login(context.organisation, login)
        key = (context.organisation, login, context.browser or "")
        before = yield from _locked_state(key, succeeded)
        if context.channel == REPORTED:
            counted = yield from _counted_already(context, login, succeeded)
            if counted is not None:
                return AttemptResult(counted, before)
        after = before.after(succeeded, policy, context.at)
        if before.locked(context.at):
            outcome = FROZEN
        else:
            outcome = SUCCEEDED if succeeded else FAILED
            yield from _store_state(key, after, policy)
        origin = (context.channel, context.client, context.address, context.user_agent)
        yield Execute(_ADD, (context.organisation, login, context.at, outcome, *origin))
        yield Execute(_DROP_OLDER, (context.organisation, login, MAX_ATTEMPTS_STORED))
        if audited:
            yield from events.record(_audit_entry(context, login, outcome), admit)
        if outcome == FAILED and after.locked(context.at):
            yield from events.record(_entry(context, AuditEvent.LOGIN_FROZEN, login, None))
        return AttemptResult(outcome, after)

    @writes
    def record_unknown(
        self,
        context: LoginContext,
        key: str,
        policy: LockoutPolicy,
        *,
        like_customer: bool = False,
        admit: Admit = admit_all,
    ) -> Work[AttemptResult]:
        """Counts a failed attempt with an unknown e-mail under `key`, a keyed hash, and locks it like a login.

        So neither the response nor the time that it takes tells whether there is such a login. The attempt itself is
        not stored, because nobody could look at it, nor is the lockout, of which anybody could cause any number; but as
        many statements are sent as for an account's login, or for that of a customer (`like_customer`).
        """
        if like_customer:
            yield Execute(_ACCOUNT_OF_CUSTOMER, (context.organisation, identifiers.ID, key))
        count = (context.organisation, key, "")
        before = yield from _locked_state(count, False)
        after = before.after(False, policy, context.at)
        outcome = FROZEN if before.locked(context.at) else FAILED
        if outcome == FAILED:
            yield from _store_state(count, after, policy)
        yield Execute(_ADD_NOTHING, (context.organisation, key))
        yield Execute(_DROP_OLDER, (context.organisation, key, MAX_ATTEMPTS_STORED))
        yield from events.record(_audit_entry(context, None, outcome), admit)
        if outcome == FAILED and after.locked(context.at):
            yield from events.record_nothing()
        return AttemptResult(outcome, after)

    @writes
    def unlock(self, organisation: str, login: str, now: int) -> Work[bool]:
        """Lifts a lockout and clears the counts, those of trusted browsers too; returns whether any was locked."""
        ends = [row["locked_until"] for row in (yield Execute(_CLEAR_ALL, (organisation, login)))]
        if not any(end is not None and now < end for end in ends):
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

    @reads
    def visitors_addresses(self) -> Work[set[str]]:
        """The addresses that the latest visitors of the login pages came from, as far as attempts are stored."""
        rows = yield Execute(_VISITORS_ADDRESSES, (LOGIN_PAGE, _LATEST_VISITORS))
        return {row["address"] for row in rows}

    @writes
    def remove_expired_lockouts(self, now: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` counts that have expired; returns how many."""
        return len((yield Execute(_REMOVE_EXPIRED, (now, at_most))))

    @writes
    def remove_unknown(self, keep: int, at_most: int = 500) -> Work[int]:
        """Removes counts of unknown e-mails beyond the `keep` that last longest, at most `at_most`; returns how many.

        Only somebody who tries very many e-mails makes so many.
        """
        row = first((yield Execute(_EXPIRY_OF_UNKNOWN, (keep,))))
        return 0 if row is None else len((yield Execute(_REMOVE_UNKNOWN, (row["expires"], at_most))))

    @writes
    def remove_older(self, than: int, at_most: int = 500) -> Work[int]:
        """Removes at most `at_most` attempts from before `than`; returns how many."""
        return len((yield Execute(_REMOVE_OLDER, (than, at_most))))


def lockout_state(organisation: str, login: str, browser: str | None = None) -> Work[LockoutState]:
    """The failed attempts and lockout of a login, or of a trusted browser at that login, as they were stored.

    Ask the state with the present time.
    """
    return _state_of(first((yield Execute(_STATE, (organisation, login, browser or "")))))


def hand_over(organisation: str, customer: str, account: str) -> Work[None]:
    """A customer has become an account: the attempts go along, the count is cleared, for the login starts afresh."""
    yield Execute(_CLEAR_ALL, (organisation, customer))
    yield Execute(_HAND_OVER, (organisation, customer, account))


def _present_login(organisation: str, customer: str) -> Work[str]:
    """What a customer's login is known by now: an activation may have come in between, and made an account."""
    row = first((yield Execute(_ACCOUNT_OF_CUSTOMER, (organisation, identifiers.ID, customer))))
    if row is None or row["account"] is None:
        return customer
    account = first((yield Execute(_ACCOUNT_ID, (row["account"],))))
    return customer if account is None else account["id"]


def _locked_state(key: CountKey, succeeded: bool) -> Work[LockoutState]:
    """The state of a count, its row locked until the transaction ends. A success without failures needs no row."""
    return _state_of(first((yield Execute(_LOCK_IF_ANY if succeeded else _LOCK, key))))


def _counted_already(context: LoginContext, login: str, succeeded: bool) -> Work[str | None]:
    """The outcome of the attempt that a report is about, where we made it ourselves just now; None where we did not.

    The report knows the reader's address and user agent, which the request for a token did not.
    """
    address = context.address if context.from_visitor else None
    since = context.at - REPORTED_AGAIN_SECONDS
    values = (context.organisation, login, context.client, int(succeeded), since, context.at)
    row = first((yield Execute(_REPORTED_AGAIN, (*values, address, context.user_agent))))
    return None if row is None else str(row["outcome"])


def _store_state(key: CountKey, state: LockoutState, policy: LockoutPolicy) -> Work[None]:
    if state == NO_FAILURES:
        yield Execute(_CLEAR, key)
    else:
        failures = msgspec.json.encode(state.failures).decode()
        yield Execute(_SET, (*key, failures, state.locked_until, state.times_locked, state.expires(policy)))


def _state_of(row: Row | None) -> LockoutState:
    if row is None:
        return NO_FAILURES
    failures = msgspec.json.decode(row["failures"], type=tuple[int, ...])
    return LockoutState(failures, row["locked_until"], row["times_locked"])


def _audit_entry(context: LoginContext, login: str | None, outcome: str) -> AuditEntry:
    if outcome == SUCCEEDED:
        return _entry(context, AuditEvent.LOGIN_SUCCEEDED, login, context.channel)
    return _entry(context, AuditEvent.LOGIN_REFUSED, login, outcome)


def _entry(context: LoginContext, event: AuditEvent, login: str | None, detail: str | None) -> AuditEntry:
    address = context.visitor_address
    return AuditEntry(context.organisation, context.at, event, context.client, login, detail, address)
