"""The token endpoint's form, read as leniently as clients in the field write it.

They paste values into the body without percent-encoding them, so only `&` and `=` separate; `+` and `%xx` decode as
forms do, and everything else is taken as it comes (`^`, `/`, `@`, blanks, a `%` that begins nothing).
"""

from __future__ import annotations

from urllib.parse import unquote_plus


def form(body: bytes) -> dict[str, str]:
    """Names and values; of a repeated name the first is taken. Bytes that are no UTF-8 are read as Latin-1."""
    found: dict[str, str] = {}
    for part in body.strip(b"\r\n").split(b"&"):
        name, _, value = part.partition(b"=")
        if name:
            found.setdefault(_decoded(name).strip(), _decoded(value))
    return found


def _decoded(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        return unquote_plus(text, encoding="latin-1")
