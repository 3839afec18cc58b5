"""Which rows of a batch mean a customer who had another number before."""

from __future__ import annotations

import pytest

from stamkund.store.verbs.renumbering import MoveRefused, Moves, moves_of

BOTH_ACTIVE, IN_USE, TWICE = MoveRefused


CASES: dict[str, tuple[list[tuple[str, str | None]], Moves]] = {
    "a new number": ([("b", "a")], Moves({0: "a"})),
    "nothing moves": ([("b", None), ("c", "unknown"), ("d", "d")], Moves()),
    "a chain": ([("c", "b"), ("b", "a")], Moves({0: "b", 1: "a"}, left={"b"})),
    "a longer one": ([("b", "a"), ("d", "c"), ("c", "b")], Moves({0: "a", 1: "c", 2: "b"}, left={"b", "c"})),
    "the number stays in use": ([("b", "a"), ("a", None)], Moves(not_followed={0: IN_USE})),
    "so does that of a chain": ([("c", "b"), ("b", "a"), ("a", None)], Moves(not_followed={0: IN_USE, 1: IN_USE})),
    "a circle": ([("a", "b"), ("b", "a")], Moves(not_followed={0: IN_USE, 1: IN_USE})),
    "two rows name one customer": ([("c", "a"), ("d", "a")], Moves({0: "a"}, {1: TWICE})),
    "two accounts": ([("y", "x")], Moves(not_followed={0: BOTH_ACTIVE})),
    "two at the end of a chain": ([("x", "a"), ("y", "x")], Moves(not_followed={0: BOTH_ACTIVE, 1: BOTH_ACTIVE})),
    "an account within a chain": ([("z", "x"), ("y", None), ("x", "a")], Moves({0: "x", 2: "a"}, left={"x"})),
}


@pytest.mark.parametrize(("rows", "expected"), CASES.values(), ids=CASES)
def test_moves(rows: list[tuple[str, str | None]], expected: Moves) -> None:
    """Stored are a to d without accounts, and x and y with."""
    assert moves_of(rows, {**dict.fromkeys("abcd", False), **dict.fromkeys("xy", True)}) == expected
