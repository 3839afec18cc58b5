"""For whom a password is hashed: what counts towards its share of the queue, and whether it still waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from stamkund.rules.addresses import source_of


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Requester:
    """Whoever waits. `sources`: what it is counted under, each by itself; `is_gone`: whether nobody waits any more."""

    sources: tuple[str, ...] = ()
    is_gone: Callable[[], bool] = _never

    def counted_under(self, *sources: str) -> Requester:
        """The same, counted under these too; under each once."""
        return replace(self, sources=tuple(dict.fromkeys((*self.sources, *sources))))


ANYBODY = Requester()
"""Counted under nothing, and never gone."""


def address_source(address: str | None) -> tuple[str, ...]:
    """What a visitor's address is counted under. Nothing where it is not known, or can't be a visitor's."""
    source = source_of(address)
    return () if source is None else (f"address {source}",)
