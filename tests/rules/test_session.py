"""Whose a session is: by user agent always, by address where both have one of the same version."""

from __future__ import annotations

import pytest

from stamkund.rules.ids import made_at, new_id
from stamkund.rules.session import ANONYMOUS, Session, Visitor


def session(visitor: Visitor | None, client: str | None = None) -> Session:
    return Session("sid", "org", ANONYMOUS, None, client, 0, None, 0, 1, visitor)


@pytest.mark.parametrize(
    ("seen", "sent", "same_agent", "other_address"),
    [
        (Visitor("a", "4.x"), Visitor("a", "4.x"), True, False),
        (Visitor("a", "4.x"), Visitor("b", "4.x"), False, False),
        (Visitor("a", "4.x"), Visitor("a", "4.y"), True, True),
        (Visitor("a", "4.x"), Visitor("a", "6.x"), True, False),
        (Visitor("a", "6.x"), Visitor("a", "6.y"), True, True),
        (Visitor("a", None), Visitor("a", "4.x"), True, False),
        (Visitor("a", "4.x"), Visitor("a", None), True, False),
        (None, Visitor("a", "4.x"), False, False),
    ],
)
def test_a_visitor_is_compared_with_the_sessions_browser(
    seen: Visitor | None, sent: Visitor, same_agent: bool, other_address: bool
) -> None:
    assert session(seen).has_agent_of(sent) is same_agent
    assert session(seen).has_other_address_than(sent) is other_address
    assert session(seen, "app").has_agent_of(sent) and not session(seen, "app").has_other_address_than(sent)


def test_a_session_and_a_visitor_print_as_nothing() -> None:
    assert "secret" not in repr(session(Visitor("secret", "4.secret"))) + repr(Visitor("secret", "4.secret"))


def test_an_id_says_when_it_was_made() -> None:
    assert made_at(new_id(1_768_478_400)) == 1_768_478_400
    assert [made_at(text) for text in ("", "f", "family", "x" * 24)] == [None] * 4
