"""The example responses of calls: JSON files beside their handlers."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from stamkund.wire.endpoint import Endpoint


@cache
def example_response(endpoint: Endpoint) -> str:
    """The example of a call's response, as its file `examples/<name>.json` has it; empty where there is none."""
    name = endpoint.about.example.response
    if not name:
        return ""
    module = sys.modules[endpoint.handler.__module__]
    assert module.__file__ is not None
    return (Path(module.__file__).parent / "examples" / f"{name}.json").read_text(encoding="utf-8").strip()
