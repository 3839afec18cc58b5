"""Forms, read as leniently as clients in the field write them.

Clients paste values into the body without percent-encoding them, so only `&` and `=` separate; `+` and `%xx` decode as
forms do, and everything else is taken literally (`^`, `/`, `@`, blanks, a `%` that begins nothing).
"""

from __future__ import annotations

from urllib.parse import unquote_plus


def parse_form(body: bytes) -> dict[str, str]:
    """Names and values; of a repeated name the first value. Bytes that are not UTF-8 are read as Latin-1."""
    fields: dict[str, str] = {}
    for part in body.strip(b"\r\n").split(b"&"):
        name, _, value = part.partition(b"=")
        if name:
            fields.setdefault(_decoded(name).strip(), _decoded(value))
    return fields


def _decoded(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        return unquote_plus(text, encoding="latin-1")
