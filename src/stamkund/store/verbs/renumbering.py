"""Which rows of a batch mean a customer who had another number before.

A row with `previous_customer_number` takes over the customer who has that number, unless the number belongs to another
row: then that row's customer has it now, and must have had another one too. Such rows are chains (a customer gets a
number that another one gives up), and a chain is followed as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import Enum


class MoveRefused(Enum):
    """Why a previous customer number is not followed."""

    BOTH_ACTIVE = "both customers have an account, so they stay two customers"
    IN_USE = "another row of the file is the customer with that number"
    TWICE = "two rows of the file name this number"


@dataclass
class Moves:
    """By place of the row: the number that its customer had before, or why that is not followed.

    `left`: numbers that one of these customers gives up, and another one gets.
    """

    followed: dict[int, str] = field(default_factory=dict)
    not_followed: dict[int, MoveRefused] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)


def moves_of(
    rows: Sequence[tuple[str, str | None]], has_account: Mapping[str, bool], just_written: Set[str] = frozenset()
) -> Moves:
    """The moves of rows, given as customer number and previous number; each customer number stands there once.

    `has_account`: of each customer number that is stored, whether its customer has an account. `just_written`: numbers
    whose customers an earlier batch of the same import has changed, so that they are the numbers of other rows.
    """
    moves = Moves()
    leads_to: dict[str, int] = {}
    for place, (number, previous) in enumerate(rows):
        if previous is None or previous == number or previous not in has_account:
            continue
        if previous in leads_to:
            moves.not_followed[place] = MoveRefused.TWICE
        else:
            leads_to[previous] = place
    places = {number: place for place, (number, _) in enumerate(rows)}
    moving = {place: previous for previous, place in leads_to.items()}
    ends = [place for place in moving if rows[place][0] not in leads_to]
    for end in ends:
        chain = list(_chain(end, moving, places))
        given_up = [moving[place] for place in chain]
        reason = _refusal(rows[end][0], given_up, places.keys() | just_written, has_account)
        if reason is not None:
            moves.not_followed.update(dict.fromkeys(chain, reason))
            continue
        moves.followed.update((place, moving[place]) for place in chain)
        moves.left.update(rows[place][0] for place in chain[1:])
    circles = moving.keys() - moves.followed.keys() - moves.not_followed.keys()
    moves.not_followed.update(dict.fromkeys(circles, MoveRefused.IN_USE))
    return moves


def _chain(end: int, moving: Mapping[int, str], places: Mapping[str, int]) -> Iterator[int]:
    """The rows of a chain, from the last number to the first."""
    place: int | None = end
    while place is not None and place in moving:
        yield place
        place = places.get(moving[place])


def _refusal(
    number: str, given_up: Sequence[str], in_use: Set[str], has_account: Mapping[str, bool]
) -> MoveRefused | None:
    """Why a chain is not followed that ends with a number; the numbers that are given up stand from last to first."""
    if given_up[-1] in in_use:
        return MoveRefused.IN_USE
    if has_account.get(number) and has_account[given_up[0]]:
        return MoveRefused.BOTH_ACTIVE
    return None
