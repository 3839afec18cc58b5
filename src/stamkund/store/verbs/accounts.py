"""Verbs about accounts."""

from __future__ import annotations

from collections.abc import Callable

from stamkund.rules import identifiers
from stamkund.rules.account import ACTIVE, INACTIVE, Account
from stamkund.rules.customer import Customer
from stamkund.rules.events import AuditEntry, AuditEvent, OutboxEvent
from stamkund.store.verb import Verbs, writes
from stamkund.store.verbs import events, login_attempts
from stamkund.store.verbs.account_status import store_accounts
from stamkund.store.verbs.candidates import LOCK_CUSTOMER, is_login_of_other_customer
from stamkund.store.work import Execute, Sql, UniqueConflict, Work, first, for_update

_COUNT = Sql(
    "INSERT INTO counters (organisation, name, value) VALUES ($1, $2, $3) "
    "ON CONFLICT (organisation, name) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)
_ADD = Sql("INSERT INTO accounts (organisation, id, status, document) VALUES ($1, $2, $3, $4) RETURNING row")
ADD_IDENTIFIER = Sql(
    "INSERT INTO identifiers (organisation, kind, value, account) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING RETURNING account"
)
_ADD_PASSWORD = Sql("INSERT INTO passwords (account, hash) VALUES ($1, $2)")
_UPGRADE_PASSWORD = Sql("UPDATE passwords SET hash = $2 WHERE account = $1 AND hash = $3")
_LOCK_BY_ID = for_update(
    "SELECT a.row, a.status, a.document FROM identifiers i JOIN accounts a ON a.row = i.account "
    "WHERE i.organisation = $1 AND i.kind = $2 AND i.value = $3",
    of="a",
)
_MARK_ACTIVATED = Sql("UPDATE customers SET account = $2 WHERE row = $1 AND account IS NULL RETURNING row")
_CANDIDATE = "candidate"


class AccountVerbs(Verbs):
    @writes
    def activate(
        self,
        organisation: str,
        candidate_id: str,
        make_account: Callable[[Customer], Account],
        password_hash: str,
        client: str,
        now: int,
    ) -> Work[tuple[int, str]]:
        """Turns a candidate into an account, with everything that belongs to it; returns its row and id.

        Raises UniqueConflict: `candidate` for one that is activated already, else the kind of the identifier that
        another account has, or of the e-mail that another customer logs in with; customer number and social security
        number are tried before the e-mail.
        """
        row = first((yield Execute(LOCK_CUSTOMER, (organisation, identifiers.ID, candidate_id))))
        if row is None or row["account"] is not None:
            raise UniqueConflict(_CANDIDATE)
        customer = self._documents.customer(organisation, row["document"])
        account = make_account(customer)
        account.tulo_customer_number = yield from _next_customer_number(organisation)
        account_row = yield from self._insert(organisation, account, password_hash)
        if not (yield Execute(_MARK_ACTIVATED, (row["row"], account_row))):
            raise UniqueConflict(_CANDIDATE)
        if (yield from is_login_of_other_customer(organisation, identifiers.email(account.email), row["row"])):
            raise UniqueConflict(identifiers.EMAIL)
        if customer.password_hash is not None:
            yield from login_attempts.hand_over(organisation, customer.id, account.id)
        yield from events.record(AuditEntry(organisation, now, AuditEvent.ACCOUNT_ACTIVATED, client, account.id))
        yield from events.publish(organisation, now, OutboxEvent.ACCOUNT_ACTIVATED, account.id)
        return account_row, account.id

    @writes
    def upgrade_password(self, account_row: int, outdated: str, upgraded: str) -> Work[None]:
        """Replaces a password hash, unless the password was changed meanwhile."""
        yield Execute(_UPGRADE_PASSWORD, (account_row, upgraded, outdated))

    @writes
    def set_status(self, organisation: str, account_id: str, status: str, client: str, now: int) -> Work[str | None]:
        """Blocks an account (`inactive`) or lets it in again (`active`); returns its status before, None for none.

        An account with any other status stays as it is.
        """
        row = first((yield Execute(_LOCK_BY_ID, (organisation, identifiers.ID, account_id))))
        if row is None:
            return None
        before: str = row["status"]
        if before != status and {before, status} == {ACTIVE, INACTIVE}:
            account = self._documents.account(organisation, row["document"])
            account.status, account.updated = status, now
            yield from store_accounts(self._documents, [(row["row"], organisation, account)])
            yield from events.record(
                AuditEntry(organisation, now, AuditEvent.ACCOUNT_STATUS_CHANGED, client, account_id, status)
            )
        return before

    def _insert(self, organisation: str, account: Account, password_hash: str) -> Work[int]:
        values = (organisation, account.id, account.status, self._documents.sealed_text(organisation, account))
        account_row: int = (yield Execute(_ADD, values))[0]["row"]
        for identifier in self._documents.account_identifiers(organisation, account):
            if not (yield Execute(ADD_IDENTIFIER, (organisation, *identifier, account_row))):
                raise UniqueConflict(identifier.kind)
        yield Execute(_ADD_PASSWORD, (account_row, password_hash))
        return account_row


def _next_customer_number(organisation: str) -> Work[str]:
    """The next number of Stamkund's own for an account: `tulo_customer_number`, at least five digits."""
    rows = yield Execute(_COUNT, (organisation, "tulo_customer_number", 1))
    return f"{rows[0]['value']:05}"
