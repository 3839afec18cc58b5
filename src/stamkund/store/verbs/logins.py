"""Verbs about logins: the account, or the customer with an imported password, that an e-mail belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from stamkund.rules import identifiers
from stamkund.rules.account import ACTIVE, ARCHIVED, Account
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier
from stamkund.rules.lockout import LockoutState
from stamkund.store.verb import Verbs, reads
from stamkund.store.verbs.candidates import CUSTOMER, any_in_use, claims
from stamkund.store.verbs.login_attempts import lockout_state
from stamkund.store.work import Execute, Row, Sql, Work, first
from stamkund.vault import CannotOpen

_ACCOUNT = Sql(
    "SELECT a.row, a.status, a.document, p.hash FROM identifiers i JOIN accounts a ON a.row = i.account "
    "LEFT JOIN passwords p ON p.account = a.row "
    f"WHERE i.organisation = $1 AND i.kind = $2 AND i.value = $3 AND a.status <> '{ARCHIVED}'"
)
# A sample: the logins whose e-mails come first, accounts and customers up to the same e-mail. The key has them in that
# order, so no others are read, and an e-mail says nothing about how its password is hashed.
_LAST_OF_SAMPLE = [
    Sql(
        f"SELECT value FROM {table} WHERE organisation = $1 AND kind = '{identifiers.EMAIL}' "
        "ORDER BY value LIMIT 1 OFFSET $2"
    )
    for table in ("identifiers", "customer_identifiers")
]


def _hashes(up_to: str) -> tuple[Sql, Sql]:
    """The statements for the hashes of accounts and of customers, with a condition on their e-mails `i.value`."""
    email = f"WHERE i.organisation = $1 AND i.kind = '{identifiers.EMAIL}'{up_to}"
    customers = f"FROM customer_identifiers i JOIN customers c ON c.row = i.customer {email} AND c.account IS NULL"
    return (
        Sql(f"SELECT p.hash FROM identifiers i JOIN passwords p ON p.account = i.account {email}"),
        Sql(
            f"SELECT c.document::jsonb ->> 'id' AS id, c.document::jsonb ->> 'password_hash' AS hash {customers}",
            sqlite="SELECT json_extract(c.document, '$.id') AS id, "
            f"json_extract(c.document, '$.password_hash') AS hash {customers}",
        ),
    )


# One for each number of ends. A condition that allows for a missing one would not be an end for the index.
_HASHES = [_hashes(up_to) for up_to in ("", " AND i.value <= $2", " AND i.value <= $2 AND i.value <= $3")]
_UNUSED_ID = "unused"
_UNUSED_IDENTIFIERS = [Identifier(identifiers.ID, _UNUSED_ID), Identifier(identifiers.ID, _UNUSED_ID)]
"""As many as most customers have: their number and their social security number. No id is like this."""


@dataclass(frozen=True)
class Login:
    """What is needed to check a password: the account's row (None for a customer not yet activated) and the hash.

    `lockout`: the login's failed attempts, and whether it is locked.
    `usable`: False where the account is not active, or logging in to it is disabled.
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
    def find(
        self, organisation: str, identifier: Identifier, browser: str | None = None, *, like_customer: bool = False
    ) -> Work[Login | None]:
        """The account with this e-mail or id, else the customer with it who has an imported password.

        `browser`: the trusted browser whose count and lockout matter, None for any other. `like_customer`: where there
        is neither, read as much as for such a customer; it is as much as for an account anyway.
        """
        key = (organisation, *identifier)
        row = first((yield Execute(_ACCOUNT, key)))
        if row is not None:
            account = self._documents.account(organisation, row["document"])
            lockout = yield from lockout_state(organisation, account.id, browser)
            return Login(row["row"], account, None, row["hash"], lockout, usable=row["status"] == ACTIVE)
        row = first((yield Execute(CUSTOMER, key)))
        customer = None
        if row is not None and row["account"] is None:
            customer = self._documents.customer(organisation, row["document"])
        if customer is None or customer.password_hash is None:
            if like_customer:
                yield from any_in_use(organisation, _UNUSED_IDENTIFIERS)
                yield from lockout_state(organisation, _UNUSED_ID)
            return None
        if (yield from any_in_use(organisation, claims(organisation, customer, self._documents))):
            return None
        lockout = yield from lockout_state(organisation, customer.id, browser)
        return Login(None, None, customer, customer.password_hash, lockout, usable=True)

    @reads
    def sample_hashes(self, organisation: str, size: int) -> Work[list[tuple[str, bool]]]:
        """The password hashes of some logins, and whether each is of a customer who has no account yet.

        Of all accounts and customers with a password, or of `size` of each: the same logins each time, as long as none
        comes or goes.
        """
        ends = []
        for last in _LAST_OF_SAMPLE:
            row = first((yield Execute(last, (organisation, size - 1))))
            ends += [] if row is None else [row["value"]]
        of_accounts, of_customers = _HASHES[len(ends)]
        accounts = yield Execute(of_accounts, (organisation, *ends))
        customers = yield Execute(of_customers, (organisation, *ends))
        hashes = [(row["hash"], False) for row in accounts]
        return hashes + [(hash_, True) for hash_ in self._imported_hashes(organisation, customers)]

    def _imported_hashes(self, organisation: str, customers: Iterable[Row]) -> Iterator[str]:
        """The imported hashes of customers, without those that are damaged: nobody can log in with one."""
        for row in customers:
            if row["hash"] is not None:
                with suppress(CannotOpen):
                    yield self._documents.password_hash(organisation, row["id"], row["hash"])
