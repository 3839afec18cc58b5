"""IP addresses of visitors: whether one can be a visitor's, and which of them are one source.

A private or loopback address is a proxy or a server of the publisher's: many visitors share it, so nothing is ever
counted against it, and nobody should block it.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_PRIVATE = tuple(
    ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/128", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
_IPV6_SOURCE_BITS = 64
"""What one subscriber of a network operator has at least: counting single addresses would count nothing."""


@lru_cache(maxsize=4096)
def public_address(text: str | None) -> str | None:
    """An address that can be a visitor's, in its usual form; None for a private one, or what is no address."""
    address = _parsed(text)
    return None if address is None or _is_private(address) else str(address)


@lru_cache(maxsize=4096)
def source_of(text: str | None) -> str | None:
    """What a visitor's address counts under: IPv4 by the address, IPv6 by the network of 64 bits; None as above."""
    address = _parsed(text)
    if address is None or _is_private(address):
        return None
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, _IPV6_SOURCE_BITS), strict=False))


def _parsed(text: str | None) -> IPv4Address | IPv6Address | None:
    """An address; IPv4 written as IPv6 (`::ffff:192.0.2.1`) is IPv4."""
    try:
        address = ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_private(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in _PRIVATE)
