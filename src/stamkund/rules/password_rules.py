"""Which passwords a reader may choose: how long they must be, and that nobody guesses them first.

Every organisation has rules for what its own pages ask readers to choose. Clients of the API decide themselves, within
the documented 6 to 1024 characters, unless the organisation lets its rules hold for them too. Passwords that exist
already, and imported ones, are not checked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources

import msgspec

from stamkund.rules.account import Account
from stamkund.rules.customer import Customer

LEAST_MIN_LENGTH, MOST_MIN_LENGTH = 6, 64
"""Between which an organisation chooses. The documented minimum is 6."""
_MAX_CHECKED_LENGTH = 128
"""Whoever types more than that has not chosen a common password; and checking takes time with each character."""
_SHORTEST_OWN_WORD = 4
_MIN_OTHER_CHARACTERS = 6
"""So many characters must be left of a password when the reader's own data is taken out of it."""
_WORD_BREAK = re.compile(r"[\s@.,/_+-]+")
_SEPARATORS = re.compile(r"[\s.,:/_-]+")
"""They make no other password of a date of birth or a name."""


class PasswordRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """An organisation's rules for passwords that readers choose.

    - `min_length`: in characters.
    - `block_list`: refuse the most common passwords, and those made of the reader's own data.
    - `for_api`: they hold for clients of the API too.
    """

    min_length: int = 8
    block_list: bool = True
    for_api: bool = False


class PasswordProblem(StrEnum):
    """Why a password is refused."""

    TOO_SHORT = "too_short"
    COMMON = "common"
    OWN_DATA = "own_data"


def problem_of(password: str, rules: PasswordRules, own_words: Iterable[str]) -> PasswordProblem | None:
    """What is wrong with a password; None where nothing is. `own_words`: see the function of that name."""
    if len(password) < rules.min_length:
        return PasswordProblem.TOO_SHORT
    if not rules.block_list or len(password) > _MAX_CHECKED_LENGTH:
        return None
    folded = unicodedata.normalize("NFC", password).casefold()
    if folded in common_passwords():
        return PasswordProblem.COMMON
    own_words = list(own_words)
    is_own = _is_made_of(folded, own_words) or _is_made_of(_SEPARATORS.sub("", folded), own_words)
    return PasswordProblem.OWN_DATA if is_own else None


def own_words(person: Account | Customer, *more: str | None) -> list[str]:
    """What others know of a reader, in lower case: names, e-mail, numbers, address, date of birth.

    `more`: what is not stored yet, such as the e-mail that the reader registers with, or the organisation's name.
    """
    texts = [
        *more,
        person.email,
        person.first_name,
        person.last_name,
        person.company_name,
        person.customer_number,
        person.mobile_phone_number,
        person.address.street,
        person.address.city,
        person.address.zip_code,
        person.alias if isinstance(person, Account) else None,
    ]
    words = {word for text in texts if text for word in _words_of(text)}
    number = person.social_security_number
    if number is not None:
        words.update((number.ten.replace("-", ""), number.ten[:6], number.ten[-4:], number.twelve or ""))
    born = person.birth_date or (number.birth_date if number else None)
    return sorted((*words, *_dates_of(born)), key=len, reverse=True)


@cache
def common_passwords() -> frozenset[str]:
    """The most common passwords, in lower case. Read at the first use."""
    text = resources.files(__package__).joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))


def _words_of(text: str) -> Iterator[str]:
    """The text as a whole, and the words in it."""
    folded = unicodedata.normalize("NFC", text[:_MAX_CHECKED_LENGTH]).casefold()
    yield folded
    yield from _WORD_BREAK.split(folded)


def _dates_of(born: date | None) -> list[str]:
    return [] if born is None else [born.strftime(form) for form in ("%Y%m%d", "%Y-%m-%d", "%y%m%d", "%Y")]


def _is_made_of(password: str, own_words: Iterable[str]) -> bool:
    """Whether a password has little beside these words, of which the longest come first."""
    rest = password
    for word in own_words:
        if len(word) >= _SHORTEST_OWN_WORD:
            rest = rest.replace(word, "")
    return rest != password and len(rest) < _MIN_OTHER_CHARACTERS
