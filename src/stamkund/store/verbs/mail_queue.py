"""Queuing a mail, as part of other verbs: in the transaction of the change that it is about.

    yield from mail_queue.add(self._documents, Mail(organisation, account_id, email, PasswordReset(…), ends=…), now)

The mail is there when the change is there, and is delivered soon after. Where the account got as many mails of this
purpose as it may, `TooManyMails` is raised: let it pass, so that nothing of the change happens. A call that declares
`mails=True` then responds with 429. A code that an earlier mail brought works on.
"""

from __future__ import annotations

from stamkund.rules.ids import new_id
from stamkund.rules.mail import DROPPED, MAX_PER_HOUR, WAITING, Mail, MailContent, MailPurpose, TooManyMails
from stamkund.rules.timestamps import HOUR
from stamkund.store.documents import Documents
from stamkund.store.work import Execute, Sql, Work

_MAX_SEALED = 32 * 1024
"""How long the sealed content of a mail may be. Values have bounds of their own; this one holds whatever they are."""

# Two requests at once would both count four mails. SQLite has one writer at a time and needs no lock.
_LOCK = Sql("SELECT pg_advisory_xact_lock(7312, hashtext($1))", sqlite="SELECT $1")
# What the clock says may have jumped: mails from a time that has not come yet count for an hour of it at most.
_RECENT = Sql(
    "SELECT at FROM mails WHERE organisation = $1 AND account = $2 AND purpose = $3 AND at > $4 AND at < $5 "
    "ORDER BY at DESC LIMIT $6"
)
_ADD = Sql(
    "INSERT INTO mails "
    "(id, organisation, account, purpose, language, at, expires, state, due, attempts, beat, content) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $6, 0, 0, $9)"
)
_DROP = Sql(
    f"UPDATE mails SET state = '{DROPPED}', finished = $3, reason = 'no longer needed', content = NULL "
    f"WHERE organisation = $1 AND account = $2 AND state = '{WAITING}'"
)
_DROP_PURPOSE = Sql(f"{_DROP.postgres} AND purpose = $4")


def add(documents: Documents, mail: Mail, now: int) -> Work[str]:
    """Queues a mail; returns its id. Raises TooManyMails, and ValueError for what no caller may let through."""
    if (mail.account is None) != (mail.purpose is MailPurpose.TEST):
        raise ValueError("a mail is about an account, unless it is an operator's test")
    if mail.account is not None:
        yield from _check_number(mail.organisation, mail.account, mail.purpose, now)
    mail_id = new_id(now)
    content = documents.sealed_mail(mail.organisation, mail_id, MailContent(mail.address, mail.values))
    if len(content) > _MAX_SEALED:
        raise ValueError("the values of a mail are too long")
    values = (mail_id, mail.organisation, mail.account, mail.purpose.value, mail.language)
    yield Execute(_ADD, (*values, now, mail.expires(now), WAITING, content))
    return mail_id


def drop(organisation: str, account: str, now: int, *purposes: MailPurpose) -> Work[None]:
    """Drops what waits for an account, of these purposes or, without any, of all: their codes ended, or it is archived.

    A mail that is being sent at this moment may still go out.
    """
    if not purposes:
        yield Execute(_DROP, (organisation, account, now))
    for purpose in purposes:
        yield Execute(_DROP_PURPOSE, (organisation, account, now, purpose.value))


def _check_number(organisation: str, account: str, purpose: MailPurpose, now: int) -> Work[None]:
    yield Execute(_LOCK, (f"{organisation} {account}",))
    rows = yield Execute(_RECENT, (organisation, account, purpose.value, now - HOUR, now + HOUR, MAX_PER_HOUR))
    if len(rows) >= MAX_PER_HOUR:
        raise TooManyMails(min(HOUR, max(1, rows[-1]["at"] + HOUR - now)))
