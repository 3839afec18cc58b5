"""Mails to readers: what each is for and what it says, how many there may be, and when one is tried again.

A mail is queued in the transaction of the change that it is about (`store/verbs/mail_queue.py`) and delivered by a job
(`delivery/mail/`). What it says is a value of the class of its purpose; its fields are what the template may use.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, get_args

import msgspec

from stamkund.rules.timestamps import DAY, HOUR

SWEDISH, ENGLISH, FINNISH = "sv", "en", "fi"
LANGUAGES = (SWEDISH, ENGLISH, FINNISH)
"""The languages that mails are written in, as BCP 47 has them."""

MAX_PER_HOUR = 5
"""How many mails of one purpose an account may get within an hour, so that no inbox can be flooded."""
DELIVERY_SECONDS = 2 * DAY
"""How long a mail is tried to be delivered."""
_RETRY_SECONDS = (30, 2 * 60, 5 * 60, 15 * 60, 30 * 60, HOUR)
LONGEST_RETRY_SECONDS = _RETRY_SECONDS[-1]

WAITING, SENT, DEAD, DROPPED = "waiting", "sent", "dead", "dropped"
STATES = (WAITING, DEAD, DROPPED, SENT)
"""A mail waits until the server has accepted it (sent), refused it for good (dead), or its time is up (dropped)."""


class MailPurpose(StrEnum):
    """What a mail is for. All of them are about something that the reader or an operator did: none is advertising."""

    REGISTERED_ACCOUNT_CONFIRMED = "registered_account_confirmed"
    """Welcome: the account is there."""
    VERIFICATION = "verification"
    """A new account waits for the reader to say that the address is theirs."""
    PASSWORD_RESET = "password_reset"  # noqa: S105
    """A new password can be chosen, at our own page."""
    CUSTOM_PASSWORD_RESET = "custom_password_reset"  # noqa: S105
    """A new password can be chosen, at a page of the publisher's."""
    EMAIL_CHANGE = "email_change"
    """To the new address: is it the reader's?"""
    EMAIL_CHANGED = "email_changed"
    """To the old address: the account has another one now."""
    ONE_TIME_PASSWORD = "one_time_password"  # noqa: S105
    """A password that works once."""
    TEST = "test"
    """An operator tries whether mails arrive."""


class MailValues(msgspec.Struct, frozen=True, tag_field="purpose"):
    """What a mail says. `first_name` may be empty; `valid_until` is a timestamp, which templates get as a text.

    `url` is where the button leads: a whole address that holds the code.
    """

    purpose: ClassVar[MailPurpose]


class RegisteredAccountConfirmed(MailValues, frozen=True, tag=MailPurpose.REGISTERED_ACCOUNT_CONFIRMED.value):
    """`url`: the login page, or the site where the account was made."""

    purpose = MailPurpose.REGISTERED_ACCOUNT_CONFIRMED
    url: str
    first_name: str = ""


class Verification(MailValues, frozen=True, tag=MailPurpose.VERIFICATION.value):
    purpose = MailPurpose.VERIFICATION
    url: str
    valid_until: int
    first_name: str = ""


class PasswordReset(MailValues, frozen=True, tag=MailPurpose.PASSWORD_RESET.value):
    purpose = MailPurpose.PASSWORD_RESET
    url: str
    valid_until: int
    first_name: str = ""


class CustomPasswordReset(MailValues, frozen=True, tag=MailPurpose.CUSTOM_PASSWORD_RESET.value):
    purpose = MailPurpose.CUSTOM_PASSWORD_RESET
    url: str
    valid_until: int
    first_name: str = ""


class EmailChange(MailValues, frozen=True, tag=MailPurpose.EMAIL_CHANGE.value):
    purpose = MailPurpose.EMAIL_CHANGE
    url: str
    valid_until: int
    first_name: str = ""


class EmailChanged(MailValues, frozen=True, tag=MailPurpose.EMAIL_CHANGED.value):
    """`new_email` is shown as it is, so mask it (`rules/emails.py` `masked`). The old address may have a new owner."""

    purpose = MailPurpose.EMAIL_CHANGED
    new_email: str
    first_name: str = ""


class OneTimePassword(MailValues, frozen=True, tag=MailPurpose.ONE_TIME_PASSWORD.value):
    """`code` is the password itself."""

    purpose = MailPurpose.ONE_TIME_PASSWORD
    code: str
    url: str
    valid_until: int
    first_name: str = ""


class TestMail(MailValues, frozen=True, tag=MailPurpose.TEST.value):
    __test__ = False  # for pytest, which takes the name for that of its own
    purpose = MailPurpose.TEST


AnyMailValues = (
    RegisteredAccountConfirmed
    | Verification
    | PasswordReset
    | CustomPasswordReset
    | EmailChange
    | EmailChanged
    | OneTimePassword
    | TestMail
)
VALUES: dict[MailPurpose, type[Any]] = {kind.purpose: kind for kind in get_args(AnyMailValues)}


class MailContent(msgspec.Struct, frozen=True):
    """What is sealed of a mail that waits: to whom it goes and what it says."""

    address: str
    values: AnyMailValues


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to be queued.

    - `account`: the id of the account that it is about; None only for an operator's test.
    - `address`: where it goes to.
    - `language`: one of `LANGUAGES`; None, or any other, for the organisation's.
    - `ends`: when the code in it ends, if it has one: then there is no use in delivering it any more.
    """

    organisation: str
    account: str | None
    address: str
    values: AnyMailValues
    language: str | None = None
    ends: int | None = None

    @property
    def purpose(self) -> MailPurpose:
        return self.values.purpose

    def expires(self, now: int) -> int:
        """Until when a mail that is queued at `now` is tried."""
        latest = now + DELIVERY_SECONDS
        return latest if self.ends is None else min(latest, self.ends)


class TooManyMails(Exception):
    """The account got so many mails of this purpose within the last hour. `seconds`: until it may get another."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def retry_at(attempts: int, now: int) -> int:
    """When a mail is tried again whose attempt number `attempts` (from 1) failed at `now`."""
    return now + _RETRY_SECONDS[min(attempts, len(_RETRY_SECONDS)) - 1]
