"""Parts of verbs: storing accounts, whose account a row is, and whether its owner may log in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stamkund.rules.account import ACTIVE, Account
from stamkund.store.documents import Documents
from stamkund.store.work import Execute, ExecuteMany, Sql, Work, first

_STORE = Sql("UPDATE accounts SET status = $2, document = $3 WHERE row = $1")
_STATUS = Sql("SELECT id, status FROM accounts WHERE row = $1")


class NotActive(Exception):
    """The account does not exist any more, or has a status that does not allow logging in."""


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """As much of an account as a login needs. `status`: the one that channels go by (`Account.login_status`)."""

    id: str
    status: str


def store_accounts(documents: Documents, accounts: Iterable[tuple[int, str, Account]]) -> Work[None]:
    """Stores changed accounts, each with its row and organisation.

    Beside the document stands the status that every channel goes by (`Account.login_status`): whoever reads a token, a
    session or a login sees in the same statement whether its account may be logged in to. An account's id never
    changes. The caller has locked the rows.
    """
    yield ExecuteMany(
        _STORE,
        [(row, one.login_status, documents.sealed_text(organisation, one)) for row, organisation, one in accounts],
    )


def account_summary(row: int) -> Work[AccountSummary | None]:
    """The account of a row, whatever its status; None where there is none any more."""
    summary = first((yield Execute(_STATUS, (row,))))
    return None if summary is None else AccountSummary(summary["id"], summary["status"])


def active_account(row: int) -> Work[AccountSummary]:
    """The account of a row. Raises NotActive where there is none, or where it may not be logged in to."""
    summary = yield from account_summary(row)
    if summary is None or summary.status != ACTIVE:
        raise NotActive
    return summary
