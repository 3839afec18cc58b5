"""`docs/coverage.md`: which of Payway's documented calls are answered, worked out of the declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from stamkund.reference.described import anchor
from stamkund.reference.documented_calls import DOCUMENTED, GROUPS_OUT, DocumentedCall
from stamkund.reference.markdown import code, table
from stamkund.wire.endpoint import Endpoint

MADE = (
    "<!-- Made by `stamkund docs` from src/stamkund/reference/documented_calls.py and the declarations: "
    "change it there. -->"
)
Route = tuple[str, str]


def coverage(endpoints: Sequence[Endpoint]) -> str:
    """`docs/coverage.md`."""
    return "\n\n".join(_document(answered(endpoints))) + "\n"


def answered(endpoints: Sequence[Endpoint]) -> dict[Route, Endpoint]:
    """The declarations by method and path."""
    return {_route(endpoint.method, path): endpoint for endpoint in endpoints for path in endpoint.paths}


def route_of(call: DocumentedCall) -> Route:
    return _route(call.method, call.path)


def _route(method: str, path: str) -> Route:
    """What a parameter in a path is called makes no difference."""
    return method, re.sub(r"\{[^}]*\}", "{}", path)


def _document(known: dict[Route, Endpoint]) -> Iterator[str]:
    out = sum(1 for call in DOCUMENTED if call.out)
    done = sum(1 for call in DOCUMENTED if route_of(call) in known)
    yield "# Coverage"
    yield MADE
    yield (
        f"Of the {len(DOCUMENTED)} calls that Payway's public documentation names, **{done} are answered**, "
        f"{out} are out and {len(DOCUMENTED) - out - done} are not yet answered. Those that are not answered say 404, "
        "or 405 where the same path answers another method."
    )
    for group, calls in groupby(DOCUMENTED, key=lambda call: call.group):
        yield f"## {group}"
        yield table(
            ("Call", "Method and path", "Version", "Scope", "Identity", "Status"),
            (_row(call, known.get(route_of(call))) for call in calls),
        )
    yield "## Whole groups that are out"
    yield table(("Group", "Reason"), GROUPS_OUT)


def _row(call: DocumentedCall, endpoint: Endpoint | None) -> tuple[str, ...]:
    return (
        call.title,
        code(f"{call.method} {call.path}"),
        _version(call.path),
        code(call.scope),
        "yes" if call.identity else "no",
        _status(call, endpoint),
    )


def _version(path: str) -> str:
    found = re.match(r"/external/api/(v\d+)/", path)
    return found[1] if found else ""


def _status(call: DocumentedCall, endpoint: Endpoint | None) -> str:
    if endpoint is not None:
        return f"[answered](api.md#{anchor(endpoint.about.title)})"
    return f"out: {call.out}" if call.out else "not yet"
