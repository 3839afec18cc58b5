"""The texts of pages, one field for each sentence. A language is a value of `Texts`, so none can lack a sentence.

Braces are filled in by the methods below, never by templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The sentences of one language; `language` is its BCP 47 tag."""

    language: str
    error: str

    log_in: str
    email: str
    password: str
    log_in_button: str
    wrong: str
    one_left: str
    some_left: str
    locked: str
    email_missing: str
    password_missing: str
    try_again: str
    no_cookies: str

    logged_in: str
    logged_in_note: str
    log_out: str
    log_out_question: str
    log_out_button: str
    logged_out: str
    logged_out_note: str
    not_logged_in: str
    not_logged_in_note: str
    leads_nowhere: str
    log_in_again: str

    details: str
    refusals: dict[str, tuple[str, str]]
    """By problem code: a heading and a sentence. `""` is for every other code."""

    at: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]

    def attempts_left(self, attempts: int) -> str:
        """How many attempts are left before the login is locked."""
        return self.one_left if attempts == 1 else self.some_left.format(attempts)

    def locked_until(self, when: datetime) -> str:
        return self.locked.format(self.date_and_time(when))

    def date_and_time(self, when: datetime) -> str:
        """Date and time as people write them, in the zone of `when`."""
        return self.at.format(
            weekday=self.weekdays[when.weekday()],
            day=when.day,
            month=self.months[when.month - 1],
            year=when.year,
            hour=f"{when.hour:02}",
            minute=f"{when.minute:02}",
        )

    def refusal(self, code: str) -> tuple[str, str]:
        """Heading and sentence for a refusal of the API's."""
        return self.refusals.get(code) or self.refusals[""]
