"""The example responses of calls: JSON files beside their handlers."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from stamkund.wire.endpoint import Endpoint


class MissingExample(Exception):
    """A declaration names an example response that there is no file for; the message says where to write it."""


@cache
def example_response(endpoint: Endpoint) -> str:
    """The example of a call's response, as its file `examples/<name>.json` has it; empty where there is none."""
    name = endpoint.about.example.response
    if not name:
        return ""
    module = sys.modules[endpoint.handler.__module__]
    assert module.__file__ is not None
    path = Path(module.__file__).parent / "examples" / f"{name}.json"
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise MissingExample(f"{endpoint.method} {endpoint.paths[0]}: write its example response to {path}") from None
