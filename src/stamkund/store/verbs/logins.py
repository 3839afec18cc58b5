"""Verbs about logins: the account, or the customer with an imported password, that an e-mail belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from stamkund.rules.account import ACTIVE, Account
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier
from stamkund.rules.lockout import LockoutState
from stamkund.store.verb import Verbs, reads
from stamkund.store.verbs.candidates import CUSTOMER, any_in_use, claims
from stamkund.store.verbs.login_attempts import lockout_state
from stamkund.store.work import Execute, Sql, Work, first

_ACCOUNT = Sql(
    "SELECT a.row, a.status, a.document, p.hash FROM identifiers i JOIN accounts a ON a.row = i.account "
    "LEFT JOIN passwords p ON p.account = a.row WHERE i.organisation = $1 AND i.kind = $2 AND i.value = $3"
)


@dataclass(frozen=True)
class Login:
    """What is needed to check a password: the account's row (None for a customer not yet activated) and the hash.

    `lockout`: the login's failed attempts, and whether it is locked.
    `usable`: False where the account's status does not allow logging in.
    """

    row: int | None
    account: Account | None
    customer: Customer | None
    hash: str | None
    lockout: LockoutState
    usable: bool

    @property
    def id(self) -> str:
        """What the login's attempts are stored under: the account's id, else the customer's."""
        owner = self.account or self.customer
        assert owner is not None
        return owner.id


class LoginVerbs(Verbs):
    @reads
    def find(self, organisation: str, identifier: Identifier) -> Work[Login | None]:
        """The account with this e-mail or id, else the customer with it who has an imported password."""
        key = (organisation, *identifier)
        row = first((yield Execute(_ACCOUNT, key)))
        if row is not None:
            account = self._documents.account(organisation, row["document"])
            lockout = yield from lockout_state(organisation, account.id)
            return Login(row["row"], account, None, row["hash"], lockout, usable=row["status"] == ACTIVE)
        row = first((yield Execute(CUSTOMER, key)))
        if row is None or row["account"] is not None:
            return None
        customer = self._documents.customer(organisation, row["document"])
        if customer.password_hash is None:
            return None
        if (yield from any_in_use(organisation, claims(organisation, customer, self._documents))):
            return None
        lockout = yield from lockout_state(organisation, customer.id)
        return Login(None, None, customer, customer.password_hash, lockout, usable=True)
