"""URLs that browsers are redirected to or call from, parsed so strictly that no browser can read them differently.

Browsers repair URLs: they take `\\` for `/`, drop tabs and line breaks, find a host in `https:evil.example`. So a URL
is parsed by one strict pattern and rebuilt from its parts, and what is compared is exactly what is sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import quote, urlsplit

MAX_LENGTH = 8000
_WEB = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?P<fragment>#.*)?",
    re.ASCII | re.IGNORECASE,
)
_PORT = re.compile(r":[0-9]+$")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.ASCII | re.IGNORECASE)
_UNESCAPED = "/:@!$&'()*+,;=~-._?#%[]"
_LOOPBACK = "http://127.0.0.1"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65_535
# Schemes whose URLs a browser runs or shows itself, without leaving to a site or an app.
_NOT_NAVIGABLE = frozenset({"about", "blob", "data", "file", "filesystem", "javascript", "vbscript", "view-source"})


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
    """The URL in one normalised spelling; None for anything that two parsers could read differently."""
    match = _WEB.fullmatch(text) if is_plain(text) else None
    host = None if match is None else _host(match["host"].lower())
    if match is None or host is None:
        return None
    scheme = match["scheme"].lower()
    port = int(match["port"] or _DEFAULT_PORTS[scheme])
    if not 0 < port <= _MAX_PORT:
        return None
    port_suffix = "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
    rest = (match["path"] or "/") + (match["query"] or "") + (match["fragment"] or "")
    return WebAddress(f"{scheme}://{host}{port_suffix}", encoded(rest))


def _host(host: str) -> str | None:
    """A host as browsers write it; None for brackets that hold no IPv6 address."""
    if not host.startswith("["):
        return host
    try:
        return f"[{IPv6Address(host[1:-1]).compressed}]"
    except ValueError:
        return None


def is_plain(text: str) -> bool:
    """Whether a text has nothing that browsers repair (controls, line breaks, backslashes), and is not too long."""
    return len(text) <= MAX_LENGTH and text.isprintable() and "\\" not in text


def encoded(text: str | bytes) -> str:
    """The part of a URL after the host, percent-encoded where it is not yet; bytes keep their value."""
    return quote(text, safe=_UNESCAPED)


def origin_of(address: str) -> str | None:
    """The origin of an http(s) URL; None for that of an app, and for anything that is not valid."""
    parsed = web_address(address)
    return None if parsed is None else parsed.origin


def form_target(address: str) -> str | None:
    """A redirect URI in a Content-Security-Policy: its origin, or an app's scheme with the colon.

    An app on the reader's own machine may listen on any port (RFC 8252, 7.3). IPv6 addresses are not in the policy's
    grammar, so for such an app the expression is its scheme alone.
    """
    origin = origin_of(address)
    if origin is None:
        scheme = _SCHEME.match(address)
        return None if scheme is None or scheme[1].lower() in _DEFAULT_PORTS else scheme[0].lower()
    if "[" in origin:
        return origin.partition("/")[0]
    return f"{_LOOPBACK}:*" if origin.startswith(f"{_LOOPBACK}:") or origin == _LOOPBACK else origin


def with_parameter(address: str, name: str, value: str) -> str:
    """A registered URL with one more parameter in its query."""
    base, mark, fragment = address.partition("#")
    return with_query(base, f"{name}={quote(value, safe='', errors='replace')}") + mark + fragment


def with_query(address: str, query: str) -> str:
    """An address without a fragment, with more in its query."""
    return f"{address}{'&' if '?' in address else '?'}{query}"


# What may be registered for a client ----------------------------------------------------------------------------


def is_origin(text: str) -> bool:
    """Whether `text` is a web origin exactly as browsers send it in the Origin header, with which it is compared.

    Scheme and host in lower case, no path, no default port. `*` and `null` are not accepted.
    """
    return origin_of(text) == text


def is_return_address(uri: str) -> bool:
    """Whether a login or logout may return to `uri`: a web page, or an app's own scheme (`com.example.app:/`).

    Absolute, printable ASCII, without a fragment; never a scheme such as `javascript:` or `data:`.
    """
    if not uri.isascii() or not uri.isprintable() or " " in uri or "\\" in uri or "#" in uri:
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    if parts.scheme in _NOT_NAVIGABLE:
        return False
    return bool(parts.scheme and (parts.netloc or "." in parts.scheme))
