"""Reading and setting cookies."""

from __future__ import annotations

from collections.abc import Mapping

OURS = "__Host-stamkund"
"""How the names of all our cookies begin."""


def cookies(headers: Mapping[bytes, bytes]) -> Mapping[str, str]:
    """The cookies of a request, of a repeated one the first.

    Split by hand: the standard library drops every cookie that comes after one that it can't read, and what others on
    the same domain set (JSON, for one) is not ours to choose.
    """
    values: dict[str, str] = {}
    for part in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        name, equals_sign, value = part.strip().partition("=")
        if equals_sign:
            values.setdefault(name, value)
    return values


def set_cookie(name: str, value: str, seconds: int) -> tuple[bytes, bytes]:
    """The header that sets one of our cookies; 0 seconds removes it."""
    cookie = f"{name}={value}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Lax"
    return b"set-cookie", cookie.encode("ascii")
