"""Verbs about accounts: how they come into being, and what changes them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from stamkund.rules import identifiers
from stamkund.rules.account import ACTIVE, INACTIVE, Account
from stamkund.rules.customer import Customer
from stamkund.rules.events import Admit, AuditEntry, AuditEvent, OutboxEvent, admit_all
from stamkund.rules.identifiers import Identifier
from stamkund.rules.mail import Mail
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.verbs import events, login_attempts, mail_queue
from stamkund.store.verbs.account_changes import AccountChange, AccountKey, change_account, refuse_login_of_customer
from stamkund.store.verbs.account_keys import DOCUMENTED_ORDER, add_keys
from stamkund.store.verbs.candidates import LOCK_CUSTOMER, any_in_use, is_login_of_other_customer
from stamkund.store.work import Execute, Sql, UniqueConflict, Work, first

_COUNT = Sql(
    "INSERT INTO counters (organisation, name, value) VALUES ($1, $2, $3) "
    "ON CONFLICT (organisation, name) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)
_ADD = Sql("INSERT INTO accounts (organisation, id, status, document) VALUES ($1, $2, $3, $4) RETURNING row")
_ADD_PASSWORD = Sql("INSERT INTO passwords (account, hash) VALUES ($1, $2)")
_UPGRADE_PASSWORD = Sql("UPDATE passwords SET hash = $2 WHERE account = $1 AND hash = $3")
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
        yield from add_keys(organisation, account_row, self._documents.account_identifiers(organisation, account))
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
    def create(
        self,
        organisation: str,
        account: Account,
        password_hash: str,
        client: str,
        now: int,
        mail: Mail | None = None,
    ) -> Work[int]:
        """Stores a new account with everything that belongs to it; returns its row. `mail`: goes out with it.

        It gets a Tulo customer number. An identifier that only an unclaimed customer has is not in use, but for the
        e-mail of one who can log in with it. Raises UniqueConflict: the kind that comes first in `DOCUMENTED_ORDER`.
        """
        number = yield from _next_customer_number(organisation)
        account = msgspec.structs.replace(account, tulo_customer_number=number)
        account_row = yield from self._insert(organisation, account, password_hash)
        keys = self._documents.account_identifiers(organisation, account)
        yield from add_keys(organisation, account_row, keys, DOCUMENTED_ORDER)
        yield from refuse_login_of_customer(organisation, keys)
        yield from events.record(AuditEntry(organisation, now, AuditEvent.ACCOUNT_CREATED, client, account.id))
        yield from events.publish(organisation, now, OutboxEvent.NEW_ACCOUNT_REGISTERED, account.id)
        if mail is not None:
            yield from mail_queue.add(self._documents, mail, now)
        return account_row

    @reads
    def conflict(self, organisation: str, account: Account) -> Work[str | None]:
        """Why an account can't be created now: the kind of an identifier that is in use; None where it can be.

        To refuse what is refused anyway before a password is hashed. `create` decides.
        """
        keys = self._documents.account_identifiers(organisation, account)
        for kind in DOCUMENTED_ORDER:
            of_kind = [key for key in keys if key.kind == kind]
            if (yield from any_in_use(organisation, of_kind)):
                return kind
            try:
                yield from refuse_login_of_customer(organisation, of_kind)
            except UniqueConflict as conflict:
                return conflict.kind
        return None

    @writes
    def change(
        self,
        organisation: str,
        key: AccountKey,
        change: Callable[[Account], Account],
        client: str,
        now: int,
        admit: Admit = admit_all,
    ) -> Work[AccountChange | None]:
        """Changes what a caller says of an account, as `change_account` does; None where there is no such account.

        Where something changed, the audit has an entry with the names of the fields (if `admit` says that it has room),
        and other systems get one event. Nothing of the account's sessions and tokens ends. Raises UniqueConflict, and
        what `change` raises.
        """
        done = yield from change_account(self._documents, organisation, key, change, now)
        if done is not None and done.fields:
            detail = " ".join(done.fields)
            entry = AuditEntry(organisation, now, AuditEvent.ACCOUNT_CHANGED, client, done.id, detail)
            yield from events.record(entry, admit)
            yield from events.publish(organisation, now, OutboxEvent.ACCOUNT_CHANGED, done.id)
        return done

    @writes
    def upgrade_password(self, account_row: int, outdated: str, upgraded: str) -> Work[None]:
        """Replaces a password hash, unless the password was changed meanwhile."""
        yield Execute(_UPGRADE_PASSWORD, (account_row, upgraded, outdated))

    @writes
    def set_status(self, organisation: str, account_id: str, status: str, client: str, now: int) -> Work[str | None]:
        """Blocks an account (`inactive`) or lets it in again (`active`); returns its status before, None for none.

        An account with any other status stays as it is.
        """

        def change(account: Account) -> Account:
            changes = {account.status, status} == {ACTIVE, INACTIVE}
            return msgspec.structs.replace(account, status=status) if changes else account

        done = yield from change_account(self._documents, organisation, _by_id(account_id), change, now)
        if done is None:
            return None
        if done.fields:
            yield from events.record(
                AuditEntry(organisation, now, AuditEvent.ACCOUNT_STATUS_CHANGED, client, account_id, status)
            )
        return done.before.status

    @writes
    def set_login(
        self, organisation: str, account_id: str, client: str, now: int, *, disabled: bool
    ) -> Work[bool | None]:
        """Disables logging in to an account, or enables it; returns whether it was disabled before, None for none.

        Its sessions, tokens, codes and tickets are refused while it is disabled, and work again afterwards.
        """

        def change(account: Account) -> Account:
            return msgspec.structs.replace(account, login_disabled=disabled)

        done = yield from change_account(self._documents, organisation, _by_id(account_id), change, now)
        if done is None:
            return None
        if done.fields:
            detail = "disabled" if disabled else "enabled"
            entry = AuditEntry(organisation, now, AuditEvent.ACCOUNT_LOGIN_CHANGED, client, account_id, detail)
            yield from events.record(entry)
        return done.before.login_disabled

    def _insert(self, organisation: str, account: Account, password_hash: str) -> Work[int]:
        text = self._documents.sealed_text(organisation, account)
        account_row: int = (yield Execute(_ADD, (organisation, account.id, account.login_status, text)))[0]["row"]
        yield Execute(_ADD_PASSWORD, (account_row, password_hash))
        return account_row


def _by_id(account_id: str) -> Identifier:
    return Identifier(identifiers.ID, account_id)


def _next_customer_number(organisation: str) -> Work[str]:
    """The next number of Stamkund's own for an account: `tulo_customer_number`, at least five digits."""
    rows = yield Execute(_COUNT, (organisation, "tulo_customer_number", 1))
    return f"{rows[0]['value']:05}"
