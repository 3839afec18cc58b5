"""Addresses that browsers may be sent to or call from, read so strictly that no browser can read them otherwise.

Browsers forgive a lot: they take `\\` for `/`, drop tabs and line breaks, find a host in `https:evil.example`. So an
address is taken apart by one pattern that knows none of this, put together anew, and what is compared is what is sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import quote, urlsplit

LONGEST = 8000
_WEB = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?P<fragment>#.*)?",
    re.ASCII | re.IGNORECASE,
)
_PORT = re.compile(r":[0-9]+$")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.ASCII | re.IGNORECASE)
_KEPT = "/:@!$&'()*+,;=~-._?#%[]"
_LOOPBACK = "http://127.0.0.1"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HIGHEST_PORT = 65_535
# What a browser runs or shows by itself instead of going somewhere.
_NO_PLACE = frozenset({"about", "blob", "data", "file", "filesystem", "javascript", "vbscript", "view-source"})


@dataclass(frozen=True)
class WebAddress:
    """An absolute http(s) address: `origin` as browsers write it, `rest` from the path on, percent-encoded."""

    origin: str
    rest: str

    @property
    def text(self) -> str:
        return self.origin + self.rest

    @property
    def portless(self) -> str:
        """The origin without its port."""
        return _PORT.sub("", self.origin)


def web_address(text: str) -> WebAddress | None:
    """The address that a text is, in one spelling; None for whatever two readers could read differently."""
    match = _WEB.fullmatch(text) if is_plain(text) else None
    host = None if match is None else _host(match["host"].lower())
    if match is None or host is None:
        return None
    scheme = match["scheme"].lower()
    port = int(match["port"] or _DEFAULT_PORTS[scheme])
    if not 0 < port <= _HIGHEST_PORT:
        return None
    shown_port = "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
    rest = (match["path"] or "/") + (match["query"] or "") + (match["fragment"] or "")
    return WebAddress(f"{scheme}://{host}{shown_port}", encoded(rest))


def _host(host: str) -> str | None:
    """A host as browsers write it; None for what is in brackets and no IPv6 address."""
    if not host.startswith("["):
        return host
    try:
        return f"[{IPv6Address(host[1:-1]).compressed}]"
    except ValueError:
        return None


def is_plain(text: str) -> bool:
    """Whether a text has nothing that browsers repair: controls, line breaks, backslashes; and is not too long."""
    return len(text) <= LONGEST and text.isprintable() and "\\" not in text


def encoded(text: str | bytes) -> str:
    """The part of an address after the host, percent-encoded where it isn't yet; bytes as they are."""
    return quote(text, safe=_KEPT)


def origin_of(address: str) -> str | None:
    """The origin of an http(s) address; None for an app's, or for none."""
    found = web_address(address)
    return None if found is None else found.origin


def form_target(address: str) -> str | None:
    """What Content-Security-Policy calls the place of a redirect URI: an origin, or an app's scheme with its colon.

    An app on the reader's own machine may listen on any port (RFC 8252, 7.3). IPv6 addresses are not in the policy's
    grammar, so for such an app nothing narrower than its scheme can be named.
    """
    origin = origin_of(address)
    if origin is None:
        scheme = _SCHEME.match(address)
        return None if scheme is None or scheme[1].lower() in _DEFAULT_PORTS else scheme[0].lower()
    if "[" in origin:
        return origin.partition("/")[0]
    return f"{_LOOPBACK}:*" if origin.startswith(f"{_LOOPBACK}:") or origin == _LOOPBACK else origin


def with_parameter(address: str, name: str, value: str) -> str:
    """A registered address with one parameter more in its query."""
    before, mark, fragment = address.partition("#")
    return f"{before}{'&' if '?' in before else '?'}{name}={quote(value, safe='', errors='replace')}{mark}{fragment}"


# What a client may be set up with -------------------------------------------------------------------------------


def is_origin(text: str) -> bool:
    """Whether `text` is a web origin, spelt as browsers spell it in the Origin header: it is compared exactly.

    Scheme and host in lower case, no path, no default port. `*` and `null` are nobody's origin.
    """
    return origin_of(text) == text


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
