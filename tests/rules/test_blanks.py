"""Blanks around texts, in files and in e-mails."""

from __future__ import annotations

import time

import pytest

from stamkund.importing import texts
from stamkund.rules import blanks, emails


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \t\ufeff", ""),
        ("a", "a"),
        (" _a_\N{SOFT HYPHEN}", "_a_"),
        ("\u202aå b\u200b\u202c", "å b"),
        ("a\0", "a\0"),
        ("\0 a", "\0 a"),
    ],
)
def test_only_the_ends_are_trimmed(text: str, expected: str) -> None:
    assert blanks.trimmed(text) == expected


@pytest.mark.parametrize("text", ["-" + " " * 500_000 + "-", " " * 500_000 + "-", "-" + "\n \x00" * 200_000 + "-"])
def test_runs_of_blanks_take_linear_time(text: str) -> None:
    started = time.process_time()
    blanks.trimmed(text), texts.trimmed(text)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" a b+c  d@example.com ", "a+b+c++d@example.com"),
        ("a@b c.example", "a@b c.example"),
        ("no e-mail", "no e-mail"),
        (" ", ""),
    ],
)
def test_a_blank_before_the_at_sign_was_a_plus_sign(text: str, expected: str) -> None:
    assert emails.pasted(text) == expected


def test_an_email_that_is_too_long_is_not_looked_at() -> None:
    longest = f" {'a' * (emails.MAX_EMAIL_LENGTH - 1)}"
    assert emails.trimmed(longest) == longest[1:]
    assert emails.trimmed(f"{longest} ") == f"{longest} "
