"""Addresses that a client is set up with: where browsers return to, and which web origins may call."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from stamkund.rules.urls import origin_of

_HIGHEST_PORT = 65_535
# What a browser runs or shows by itself instead of going somewhere.
_NO_PLACE = frozenset({"about", "blob", "data", "file", "filesystem", "javascript", "vbscript", "view-source"})


def is_origin(text: str) -> bool:
    """Whether `text` is a web origin, spelt as browsers spell it in the Origin header: it is compared exactly.

    Scheme and host in lower case, no path, no default port. `*` and `null` are nobody's origin.
    """
    if origin_of(text) != text:
        return False
    host = text.partition("://")[2]
    port = host.rpartition(":")[2]
    if not host.endswith("]") and port.isdigit() and not 0 < int(port) <= _HIGHEST_PORT:
        return False
    return not host.startswith("[") or _is_short_ipv6(host[1 : host.index("]")])


def _is_short_ipv6(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return isinstance(address, IPv6Address) and address.compressed == text


def is_return_address(uri: str) -> bool:
    """Whether a login or logout may send a browser to `uri`: a web page, or an app's own scheme (`com.example.app:/`).

    Absolute, printable ASCII, without a fragment; never a scheme that runs or shows its own text.
    """
    if not uri.isascii() or not uri.isprintable() or " " in uri or "\\" in uri or "#" in uri:
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    if parts.scheme in _NO_PLACE:
        return False
    return bool(parts.scheme and (parts.netloc or "." in parts.scheme))
