"""Headers that tell browsers to trust a response with as little as it needs: on every response, whatever sends it.

A response that says otherwise itself keeps what it says: pages have a policy of their own. Everything else is nothing
that a browser should run, show in a frame or load into a page of another site. Scripts that may read it (CORS) still
may: `Cross-Origin-Resource-Policy` is about what is loaded without asking.
"""

from __future__ import annotations

from collections.abc import Sequence

from stamkund.settings import Settings

Field = tuple[bytes, bytes]

_DEFAULTS: tuple[Field, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


def with_security_headers(fields: Sequence[Field]) -> list[Field]:
    """The header fields of a response, and those of our own that it has not."""
    names = {name for name, _ in fields}
    return [*fields, *(field for field in _DEFAULTS if field[0] not in names)]


def headers_of_all_responses(settings: Settings) -> tuple[Field, ...]:
    """What follows from the settings: that browsers come by HTTPS alone, where they can (RFC 6797)."""
    if not settings.hsts_seconds or not settings.public_url.startswith("https:"):
        return ()
    return ((b"strict-transport-security", b"max-age=%d" % settings.hsts_seconds),)
