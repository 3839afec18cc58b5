"""Which language a page is in, and that the languages say the same things."""

from __future__ import annotations

import string
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from stamkund import problems
from stamkund.endpoints import declared_endpoints
from stamkund.pages.english import ENGLISH
from stamkund.pages.language import LANGUAGES, choose_texts
from stamkund.pages.swedish import SWEDISH
from stamkund.problems import Problem


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("sv", "sv"),
        ("SV-se", "sv"),
        ("sv-SE,sv;q=0.9,en-US;q=0.8,en;q=0.7", "sv"),
        ("en-US,en;q=0.9,sv;q=0.8", "en"),
        ("en;q=0.1, sv;q=0.2", "sv"),
        ("sv;q=0.1, en;q=0.2", "en"),
        ("sv, en", "sv"),
        ("en, sv", "en"),
        ("nb, da, sv;q=0.5", "sv"),
        ("nb, da", "en"),
        ("de, *;q=0.1", "en"),
        ("*", "en"),
        ("sv;q=0", "en"),
        ("sv;q=0, en;q=0", "en"),
        ("sv; q = 0.5 , en;q=0.4", "sv"),
        ("sv;q=x, en;q=0.1", "en"),
        ("sv;q=nan, en;q=0.1", "en"),
        ("sv;q=-1, en;q=0.1", "en"),
        ("sv;q=9, en", "sv"),
        (",,;;q=;=,sv", "sv"),
        ("svenska", "en"),
        ("sv_SE", "sv"),
    ],
)
def test_the_browsers_preference(header: str, language: str) -> None:
    assert choose_texts(header).language == language


@pytest.mark.parametrize(
    ("locales", "language"),
    [("sv", "sv"), ("nb sv en", "sv"), ("en-GB sv", "en"), ("de fr", "en"), ("", "en"), ("x\0", "en")],
)
def test_the_languages_of_the_link_come_first(locales: str, language: str) -> None:
    assert choose_texts("en", locales).language == language
    if locales in ("de fr", ""):
        assert choose_texts("sv", locales).language == "sv"


def holes(text: Any) -> Any:
    """The braces of a text, or of all texts inside it."""
    if isinstance(text, str):
        return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    if isinstance(text, dict):
        return {key: holes(value) for key, value in text.items()}
    return [holes(one) for one in text]


@pytest.mark.parametrize("name", [f.name for f in fields(ENGLISH)])
def test_the_languages_say_the_same_things(name: str) -> None:
    english, swedish = getattr(ENGLISH, name), getattr(SWEDISH, name)
    assert sorted(map(str, holes(english))) == sorted(map(str, holes(swedish)))
    assert type(english) is type(swedish) and len(holes(english)) == len(holes(swedish))
    assert english != swedish
    assert all(text for text in _texts(english)) and all(text for text in _texts(swedish))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for one in (value.values() if isinstance(value, dict) else value) for text in _texts(one)]


def _problems() -> list[Problem]:
    """Every refusal that a page may have to show."""
    declared = [p for e in declared_endpoints() if e.refusal_page is not None for p in e.refusals]
    return [*dict.fromkeys(declared), problems.too_many_requests(1), problems.internal("x"), problems.PAYLOAD_TOO_LARGE]


@pytest.mark.parametrize("problem", _problems(), ids=lambda p: p.message[:40])
def test_every_refusal_of_a_page_has_words(problem: Problem) -> None:
    for texts in LANGUAGES:
        assert problem.code in texts.refusals


def test_times_are_written_as_people_do() -> None:
    at = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)
    assert ENGLISH.date_and_time(at) == "Sunday 1 March 2026 at 09:05"
    assert SWEDISH.date_and_time(at) == "söndag 1 mars 2026 kl. 09.05"
    assert len(ENGLISH.weekdays) == len(SWEDISH.weekdays) == 7 and len(ENGLISH.months) == len(SWEDISH.months) == 12
