"""Verbs about accounts: finding a candidate, activating one, logging in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stamkund.rules import identifiers
from stamkund.rules.account import Account
from stamkund.rules.attempts import UNTROUBLED, Standing
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier, NumberHashes
from stamkund.rules.person_number import PersonNumber
from stamkund.store import attempts
from stamkund.store.documents import Documents
from stamkund.store.work import Ask, Row, Sql, Taken, Work, one

_CUSTOMER = Sql(
    "SELECT c.row, c.account, c.document FROM customer_identifiers i JOIN customers c ON c.row = i.customer "
    "WHERE i.organisation = $1 AND i.kind = $2 AND i.value = $3"
)
_LOCK_CUSTOMER = Sql(f"{_CUSTOMER.postgres} FOR UPDATE OF c", sqlite=_CUSTOMER.sqlite)
_ACCOUNT_WITH = Sql("SELECT account FROM identifiers WHERE organisation = $1 AND kind = $2 AND value = $3")
_ACCOUNT_TO_LOG_IN = Sql(
    "SELECT a.row, a.document, p.hash FROM identifiers i JOIN accounts a ON a.row = i.account "
    "LEFT JOIN passwords p ON p.account = a.row WHERE i.organisation = $1 AND i.kind = $2 AND i.value = $3"
)
_COUNT = Sql(
    "INSERT INTO counters (organisation, name, value) VALUES ($1, $2, $3) "
    "ON CONFLICT (organisation, name) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)
_ADD_ACCOUNT = Sql("INSERT INTO accounts (organisation, document) VALUES ($1, $2) RETURNING row")
_ADD_IDENTIFIER = Sql(
    "INSERT INTO identifiers (organisation, kind, value, account) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING RETURNING account"
)
_ADD_PASSWORD = Sql("INSERT INTO passwords (account, hash) VALUES ($1, $2)")
_UPGRADE_PASSWORD = Sql("UPDATE passwords SET hash = $2 WHERE account = $1 AND hash = $3")
_SPEND = Sql("UPDATE customers SET account = $2 WHERE row = $1 AND account IS NULL RETURNING row")
_AUDIT = Sql("INSERT INTO audit (organisation, at, event, client, account, detail) VALUES ($1, $2, $3, $4, $5, $6)")
_EMIT = Sql("INSERT INTO outbox (organisation, at, event, account) VALUES ($1, $2, $3, $4)")


@dataclass(frozen=True)
class Candidate:
    """A customer who may become an account.

    `taken`: it has an account, or an account uses its numbers. `email_taken`: an account uses the e-mail asked about.
    """

    customer: Customer
    taken: bool
    email_taken: bool


@dataclass(frozen=True)
class Login:
    """What is needed to check a password: the account's row (None for a customer not yet activated) and the hash.

    `standing`: its failures, and whether it is frozen.
    """

    row: int | None
    account: Account | None
    customer: Customer | None
    hash: str | None
    standing: Standing = UNTROUBLED

    @property
    def id(self) -> str:
        """What the login's attempts are kept by: the account's id, else the customer's."""
        holder = self.account or self.customer
        assert holder is not None
        return holder.id

    @property
    def usable(self) -> bool:
        return self.account is None or self.account.status == "active"


class AccountVerbs:
    """Verbs as generators; `Store` runs them."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._hashes: NumberHashes = documents.vault.number_hashes

    def find_candidate(
        self,
        organisation: str,
        asked: list[Identifier],
        email: str | None = None,
        number: PersonNumber | None = None,
    ) -> Work[Candidate | None]:
        """The one customer that all identifiers of `asked` mean, or None; `email`, and `number` for a customer without
        one, are looked at for being taken."""
        rows: dict[int, Row] = {}
        for identifier in asked:
            found = one((yield Ask(_CUSTOMER, (organisation, *identifier))))
            if found is None:
                return None
            rows[found[0]] = found
        if len(rows) != 1:
            return None
        row = next(iter(rows.values()))
        customer = self._documents.customer(row[2])
        taken = row[1] is not None or (yield from self._any_taken(organisation, self._claims(customer, number)))
        wanted = [identifiers.email(email)] if email else []
        return Candidate(customer, taken, (yield from self._any_taken(organisation, wanted)))

    def activate(
        self,
        organisation: str,
        candidate_id: str,
        make_account: Callable[[Customer], Account],
        password_hash: str,
        client: str,
        now: int,
    ) -> Work[tuple[int, str]]:
        """Turns a candidate into an account, with everything that belongs to it; answers its row and id.

        Raises Taken: `candidate` for one that is spent, else the kind of the identifier that another account has;
        customer number and social security number are tried before the e-mail.
        """
        row = one((yield Ask(_LOCK_CUSTOMER, (organisation, identifiers.ID, candidate_id))))
        if row is None or row[1] is not None:
            raise Taken("candidate")
        customer = self._documents.customer(row[2])
        account = make_account(customer)
        number = (yield Ask(_COUNT, (organisation, "tulo_customer_number", 1)))[0][0]
        account.tulo_customer_number = f"{number:05}"
        account_row = yield from self._add(organisation, account, password_hash)
        if not (yield Ask(_SPEND, (row[0], account_row))):
            raise Taken("candidate")
        if customer.password_hash is not None:
            yield from attempts.hand_over(organisation, customer.id, account.id)
        yield Ask(_AUDIT, (organisation, now, "account_activated", client, account.id, None))
        yield Ask(_EMIT, (organisation, now, "account_activated_for_existing_customer", account.id))
        return account_row, account.id

    def _add(self, organisation: str, account: Account, password_hash: str) -> Work[int]:
        rows = yield Ask(_ADD_ACCOUNT, (organisation, self._documents.text(account)))
        account_row: int = rows[0][0]
        for identifier in identifiers.of_account(account, self._hashes):
            added = yield Ask(_ADD_IDENTIFIER, (organisation, *identifier, account_row))
            if not added:
                raise Taken(identifier.kind)
        yield Ask(_ADD_PASSWORD, (account_row, password_hash))
        return account_row

    def login(self, organisation: str, identifier: Identifier) -> Work[Login | None]:
        """The account with this e-mail or id, else the customer who brought a password from elsewhere with it."""
        key = (organisation, *identifier)
        row = one((yield Ask(_ACCOUNT_TO_LOG_IN, key)))
        if row is not None:
            account = self._documents.account(row[1])
            return Login(row[0], account, None, row[2], (yield from attempts.standing(organisation, account.id)))
        row = one((yield Ask(_CUSTOMER, key)))
        if row is None or row[1] is not None:
            return None
        customer = self._documents.customer(row[2])
        if customer.password_hash is None or (yield from self._any_taken(organisation, self._claims(customer))):
            return None
        known = yield from attempts.standing(organisation, customer.id)
        return Login(None, None, customer, customer.password_hash, known)

    def upgrade_password(self, account_row: int, before: str, after: str) -> Work[None]:
        """Replaces a hash, unless the password was changed meanwhile."""
        yield Ask(_UPGRADE_PASSWORD, (account_row, after, before))

    def _any_taken(self, organisation: str, claims: list[Identifier]) -> Work[bool]:
        for identifier in claims:
            if (yield Ask(_ACCOUNT_WITH, (organisation, *identifier))):
                return True
        return False

    def _claims(self, customer: Customer, sent: PersonNumber | None = None) -> list[Identifier]:
        """What an account of this customer would be known by in the subscription system."""
        claims = [Identifier(identifiers.CUSTOMER_NUMBER, customer.customer_number)]
        number = customer.social_security_number or sent
        if number is not None:
            claims += identifiers.person_numbers(number, self._hashes)
        return claims
