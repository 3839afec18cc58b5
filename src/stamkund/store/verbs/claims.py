"""Who gets identifiers that several changes of one transaction want or give up: the changes are judged as a whole.

So two customers who swap a number in one batch contradict nobody, whichever of them is read first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeVar

Key = tuple[str, str]
"""Kind and value of an identifier."""
Owner = TypeVar("Owner")


class Claim(Protocol):
    """A change of somebody's identifiers."""

    @property
    def added(self) -> Collection[Key]: ...
    @property
    def dropped(self) -> Collection[Key]: ...


def conflicts(
    claims: Sequence[Claim], owners: Mapping[Key, object], conflicting: Mapping[int, Key] | None = None
) -> dict[int, Key]:
    """The changes that can't be made, by their place, each with an identifier that it wants and another one has.

    `owners`: identifiers that somebody has before. One is free where a change that is made gives it up; of several
    changes that want one, the first gets it. `conflicting`: changes that can't be made anyhow.
    """
    conflicting = dict(conflicting or {})
    places = [place for place, claim in enumerate(claims) if claim.added or claim.dropped]
    while True:
        made = [place for place in places if place not in conflicting]
        freed = {key for place in made for key in claims[place].dropped}
        claimed: set[Key] = set()
        new: dict[int, Key] = {}
        for place in made:
            added = claims[place].added
            key = next((key for key in added if key in claimed or (key in owners and key not in freed)), None)
            if key is None:
                claimed.update(added)
            else:
                new[place] = key
        if not new:
            return conflicting
        conflicting |= new  # what these gave up is not free after all
