"""For whom a password is hashed: what counts towards its share of the queue, and whether it still waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv6Address, IPv6Network, ip_address

_IPV6_SITE_BITS = 64
"""What one household or one machine may have: addresses within it cost nothing."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Requester:
    """Whoever waits. `sources`: what it is counted under, each by itself; `is_gone`: whether nobody waits any more."""

    sources: tuple[str, ...] = ()
    is_gone: Callable[[], bool] = _never

    def counted_under(self, *sources: str) -> Requester:
        return replace(self, sources=(*self.sources, *sources))


ANYBODY = Requester()
"""Counted under nothing, and never gone."""


def address_source(address: str | None) -> tuple[str, ...]:
    """What a visitor's address is counted under: of IPv6 the first half. Nothing where the address is not known."""
    if address is None:
        return ()
    try:
        parsed = ip_address(address)
    except ValueError:
        return ()
    if isinstance(parsed, IPv6Address):
        return (f"address {IPv6Network((parsed, _IPV6_SITE_BITS), strict=False)}",)
    return (f"address {parsed}",)
