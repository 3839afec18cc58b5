"""Every response that the application gave while tests ran, to be compared with what openapi.json documents.

Requests that are handled in this process pass `Dispatch.respond`, whichever server or client they come through; it is
wrapped when the tests start. A server in a process of its own logs each request with its call and status, which
`ServerProcess` passes on. What is not recorded: servers that log no requests (`stamkund demo`), and responses that no
call gave (an unknown path or method, a preflight, what the HTTP parser refuses).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from stamkund.endpoints import declared_endpoints
from stamkund.wire.dispatch import Dispatch
from stamkund.wire.request import Request
from stamkund.wire.response import Response

_METHOD_NOT_ALLOWED = 405
"""That no call gave, also to HEAD where GET is declared."""

Observation = tuple[str, str, int]
"""Method, documented path and status."""

responses: dict[Observation, str] = {}
"""What was seen, and during which test first."""


def record_responses() -> None:
    """From now on, records each response of this process."""
    respond = Dispatch.respond

    async def recording(self: Dispatch, request: Request) -> Response | None:
        response = await respond(self, request)
        declared = self._methods(request.path)  # an installation may leave some calls out
        if declared and response is not None and response.status != _METHOD_NOT_ALLOWED:
            _add(request.method, request.path, response.status)
        return response

    Dispatch.respond = recording  # type: ignore[method-assign]


def record_log(log: str) -> None:
    """Records the responses that a server's log has lines of."""
    for line in log.splitlines():
        if '"event":"request"' in line and (call := _logged(line)) is not None:
            _add(*call)


def undocumented(document: Mapping[str, Any], seen: Mapping[Observation, str] = responses) -> list[str]:
    """A line for each response whose status the document does not list for its call."""
    return [
        f"{method} {path} responded with {status}, which openapi.json does not list; first seen in {test}"
        for (method, path, status), test in sorted(seen.items())
        if path in document["paths"]  # a test may have calls of its own
        and str(status) not in document["paths"][path][method.lower()]["responses"]
    ]


def _add(method: str, path: str, status: int) -> None:
    documented_path = _documented().get((_documented_method(method), path.removesuffix("/") or "/"))
    if documented_path is not None:
        responses.setdefault((_documented_method(method), documented_path, status), _present_test())


def _documented_method(method: str) -> str:
    """HEAD is documented with GET."""
    return "GET" if method == "HEAD" else method


def _documented() -> Mapping[tuple[str, str], str]:
    """The paths of all calls, with and without a slash at their end."""
    if not _paths:
        _paths.update(((method, path.removesuffix("/") or "/"), path) for method, path in _declared())
    return _paths


_paths: dict[tuple[str, str], str] = {}


def _declared() -> Iterator[tuple[str, str]]:
    for endpoint in declared_endpoints():
        for path in endpoint.paths:
            yield endpoint.method, path


def _logged(line: str) -> Observation | None:
    """The call of a request's line; None for one that was cut off, and for an unknown path."""
    try:
        fields = json.loads(line)
        method, _, path = (fields["call"] or "").partition(" ")
        return (method, path, fields["status"]) if path else None
    except (ValueError, KeyError):
        return None


def _present_test() -> str:
    return os.environ.get("PYTEST_CURRENT_TEST", "no test (setup)").rpartition(" (")[0]
