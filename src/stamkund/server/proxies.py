"""The address of a caller behind reverse proxies, of which only those in the settings are believed."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from stamkund.rules.addresses import IpAddress, address_with_port
from stamkund.settings import Settings
from stamkund.wire.request import Request
from stamkund.wire.services import AddressOf, peer_address

_FORWARDED_FOR = b"x-forwarded-for"
MAX_HOPS = 16
"""How many addresses of the header are looked at, from the end on: a visitor can put thousands before them."""


def address_of(settings: Settings) -> AddressOf:
    """Finds the address in `X-Forwarded-For` where the connection comes from a trusted proxy (`trusted_proxies`).

    Raises ValueError for a setting that names something else than addresses and networks.
    """
    if not settings.trusted_proxies:
        return peer_address
    networks = trusted_networks(settings.trusted_proxies)

    def is_trusted(address: IpAddress) -> bool:
        return any(address in network for network in networks)

    def address(request: Request) -> str | None:
        peer = peer_address(request)
        proxy = None if peer is None else address_with_port(peer)
        if proxy is None or not is_trusted(proxy):
            return peer
        visitor: IpAddress | None = proxy
        for text in _forwarded(request):
            visitor = address_with_port(text)
            if visitor is None:
                return str(proxy)
            if not is_trusted(visitor):
                break
        return str(visitor)

    return address


def trusted_networks(text: str) -> list[IPv4Network | IPv6Network]:
    """The networks of a list of addresses and networks, separated by commas; `*` is all. Raises ValueError."""
    networks: list[IPv4Network | IPv6Network] = []
    for part in text.split(","):
        name = part.strip()
        if name == "*":
            networks += [ip_network("0.0.0.0/0"), ip_network("::/0")]
            continue
        try:
            networks.append(ip_network(name, strict=False))
        except ValueError:
            raise ValueError(
                f"the setting trusted_proxies names {name!r}, which is no address and no network"
            ) from None
    return networks


def _forwarded(request: Request) -> Iterable[str]:
    """What the proxies say, the last first. All lines are one list (RFC 9110, 5.3)."""
    forwarded = b",".join(value for name, value in request.header_lines if name == _FORWARDED_FOR)
    if not forwarded:
        return []
    return reversed(forwarded.decode("latin-1").rsplit(",", MAX_HOPS)[-MAX_HOPS:])
