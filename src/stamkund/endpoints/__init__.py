"""The calls: one folder for each subject, with its calls and what only they share.

A call has a file, or shares it with its neighbours (showing a page and its form, ending a session and asking about it).
It declares itself with `@endpoint` and handles the request in about ten lines: read the parameters, ask the rules, call
one verb of the store, return the response. No folder imports another; what two share is further
down. There is no list of calls: a call is found by being declared in a module of this package.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache

from stamkund.wire.endpoint import Endpoint


@cache
def declared_endpoints() -> tuple[Endpoint, ...]:
    """Every declared call, by group, path and method."""
    return tuple(sorted(set(_endpoints()), key=lambda e: (e.about.group, e.paths[0], e.method)))


def _endpoints() -> Iterator[Endpoint]:
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Endpoint):
                yield value
