"""What tests share that run printed command lines: a port for what the lines start, and the JSON that they print."""

from __future__ import annotations

import json
import socket
from typing import Any


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def json_objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects of a text in which they follow one another, with white space between or without."""
    decoder, values, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        values.append(value)
        rest = rest[end:].lstrip()
    return values
