"""Verbs about account candidates: customers of the subscription system who may become accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stamkund.rules import identifiers
from stamkund.rules.customer import Customer
from stamkund.rules.identifiers import Identifier
from stamkund.rules.person_number import PersonNumber
from stamkund.store.documents import Documents
from stamkund.store.verb import Verbs, reads
from stamkund.store.work import Execute, Row, Sql, Work, first, for_update

CUSTOMER = Sql(
    "SELECT c.row, c.account, c.document FROM customer_identifiers i JOIN customers c ON c.row = i.customer "
    "WHERE i.organisation = $1 AND i.kind = $2 AND i.value = $3"
)
_LOGIN = Sql(
    "SELECT c.row FROM customer_identifiers i JOIN customers c ON c.row = i.customer "
    "WHERE i.organisation = $1 AND i.kind = $2 AND i.value = $3 AND c.account IS NULL AND c.row <> $4"
)
LOCK_CUSTOMER = for_update(CUSTOMER.postgres, "c")
_ACCOUNT_WITH = Sql("SELECT account FROM identifiers WHERE organisation = $1 AND kind = $2 AND value = $3")


@dataclass(frozen=True)
class Candidate:
    """A customer who may become an account.

    `in_use`: the customer has an account, or an account uses the customer's numbers. `email_in_use`: an account uses
    the e-mail that was asked about, or another customer can log in with it.
    """

    customer: Customer
    in_use: bool
    email_in_use: bool


class CandidateVerbs(Verbs):
    @reads
    def find(
        self,
        organisation: str,
        customer_identifiers: list[Identifier],
        email: str | None = None,
        number: PersonNumber | None = None,
    ) -> Work[Candidate | None]:
        """The one customer that all identifiers mean; None where there is none, or where they mean several.

        `email`, and `number` for a customer without one, are looked up for being an account's already.
        """
        rows: dict[int, Row] = {}
        for identifier in customer_identifiers:
            row = first((yield Execute(CUSTOMER, (organisation, *identifier))))
            if row is None:
                return None
            rows[row["row"]] = row
        if len(rows) != 1:
            return None
        (row,) = rows.values()
        customer = self._documents.customer(organisation, row["document"])
        in_use = row["account"] is not None
        if not in_use:
            in_use = yield from any_in_use(organisation, claims(organisation, customer, self._documents, number))
        email_in_use = False
        if email:
            key = identifiers.email(email)
            email_in_use = (yield from any_in_use(organisation, [key])) or (
                yield from is_login_of_other_customer(organisation, key, row["row"])
            )
        return Candidate(customer, in_use, email_in_use)


def any_in_use(organisation: str, claimed: Iterable[Identifier]) -> Work[bool]:
    """Whether an account has any of these identifiers."""
    for identifier in claimed:
        if (yield Execute(_ACCOUNT_WITH, (organisation, *identifier))):
            return True
    return False


def is_login_of_other_customer(organisation: str, email: Identifier, row: int) -> Work[bool]:
    """Whether a customer other than that of `row` can log in with the e-mail, by an imported password."""
    return bool((yield Execute(_LOGIN, (organisation, *email, row))))


def claims(
    organisation: str, customer: Customer, documents: Documents, sent: PersonNumber | None = None
) -> list[Identifier]:
    """The subscription system's identifiers that an account of this customer would have.

    `sent`: the number that the caller named, for a customer without one.
    """
    claimed = [Identifier(identifiers.CUSTOMER_NUMBER, customer.customer_number)]
    number = customer.social_security_number or sent
    if number is not None:
        claimed += documents.number_identifiers(organisation, number)
    return claimed
