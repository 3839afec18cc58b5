"""IP addresses of visitors: whether one can be a visitor's, and which of them are one source.

A private or loopback address is a proxy or a server of the publisher's: many visitors share it, so nothing is ever
counted against it, and nobody should block it.
"""

from __future__ import annotations

import re
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
_ZONE = re.compile(r"%[^\]]*")
"""Behind an address; in brackets it ends with them."""
IpAddress = IPv4Address | IPv6Address
_MAX_LENGTH = 64
"""Longer than any address."""
_MAX_SENT_LENGTH = 2 * _MAX_LENGTH
"""How much is read from the end of what a site sends: an address with its zone and blanks."""
_IPV6_SOURCE_BITS = 64
"""What one subscriber of a network operator has at least: counting single addresses would count nothing."""


def parsed_address(text: str) -> IpAddress | None:
    """An address, None for anything else; IPv4 written as IPv6 (`::ffff:192.0.2.1`) is IPv4.

    One with a zone is none here: a zone may be any text of any length.
    """
    if len(text) > _MAX_LENGTH or "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def sent_address(text: object) -> str | None:
    """The address that a site's server sent of its visitor, in its usual form; None for what is none.

    Sites hand on a header as they got it: with blanks around, a port, a zone, or a list, whose last element was added
    by whoever is nearest to the site.
    """
    if not isinstance(text, str):
        return None
    last = text[-_MAX_SENT_LENGTH:].rpartition(",")[2].strip()
    address = address_with_port(_ZONE.sub("", last))
    return None if address is None else str(address)


def address_with_port(text: str) -> IpAddress | None:
    """An address, with or without a port; None for anything else."""
    text = text.strip(" \t")
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return parsed_address(text)


@lru_cache(maxsize=4096)
def public_address(text: str | None) -> str | None:
    """An address that can be a visitor's, in its usual form; None for a private one, or what is no address."""
    address = parsed_address(text or "")
    return None if address is None or _is_private(address) else str(address)


@lru_cache(maxsize=4096)
def source_of(text: str | None) -> str | None:
    """What a visitor's address counts under: IPv4 by the address, IPv6 by the network of 64 bits; None as above."""
    address = parsed_address(text or "")
    if address is None or _is_private(address):
        return None
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, _IPV6_SOURCE_BITS), strict=False))


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine, by an address or a name that leads nowhere else."""
    address = parsed_address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _is_private(address: IpAddress) -> bool:
    return any(address in network for network in _PRIVATE)
