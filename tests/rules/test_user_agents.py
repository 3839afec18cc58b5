"""User agents as browsers, apps and sites send them: stored, shown and compared without what steers a terminal."""

from __future__ import annotations

import pytest

from stamkund.rules import user_agents

LONG = "a" * (user_agents.MAX_USER_AGENT_LENGTH + 1)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (None, None),
        (b"Mozilla/5.0", "Mozilla/5.0"),
        ("Läsare/1".encode(), "Läsare/1"),
        ("Läsare/1".encode("latin-1"), "Läsare/1"),
        (b"a\x1b[2J\x07b", "a [2J b"),
        (b"a\xc2\x9bb", "a b"),
        (LONG.encode(), LONG[:-1]),
    ],
)
def test_of_a_header(raw: bytes | None, text: str | None) -> None:
    assert user_agents.of_header(raw) == text


@pytest.mark.parametrize(("sent", "text"), [("a\nb", "a b"), (None, None), (7, None), (["a"], None), (LONG, LONG[:-1])])
def test_as_a_site_says_it(sent: object, text: str | None) -> None:
    assert user_agents.printable(sent) == text


@pytest.mark.parametrize("text", [" Mozilla/5.0  (X11)", "Mozilla/5.0 (X11)\r\n", "Mozilla/5.0\t(X11)"])
def test_what_frameworks_do_to_a_header_makes_no_other_browser(text: str) -> None:
    assert user_agents.comparable(text) == "Mozilla/5.0 (X11)"
