"""Requests to all operations of /openapi.json that schemathesis makes up, as the document allows them and not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core import NOT_SET
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from tests.fuzz.credentials import Credentials

_MOST_EXAMPLES = 50
_CLAIMS = st.dictionaries(
    st.sampled_from(["sid", "usr", "pwd", "at", "lks", "ipa", "uas", "nbf", "exp", "iat", "aud", "cid", "iss"]),
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.text()),
    max_size=4,
)

Outcome = tuple[str, int]
"""An operation and the status that it responded with."""


class Generated:
    """Sends requests until there were `count`. `outcomes`: how often each came; `faults`: the requests behind a 5xx."""

    def __init__(self, http: httpx.Client, credentials: Credentials, count: int, first_seed: int) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.faults: dict[Outcome, str] = {}
        self._http = http
        self._credentials = credentials
        self._count = count
        self._seed = first_seed

    def run(self, document: dict[str, Any]) -> None:
        operations = list(_operations(document))
        modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        while self.outcomes.total() < self._count:
            share = (self._count - self.outcomes.total()) // (len(operations) * len(modes)) + 1
            for operation in operations:
                for mode in modes:
                    self._run_operation(operation, mode, min(share, _MOST_EXAMPLES))
            print(f"{self.outcomes.total()} requests so far, {len(self.faults)} kinds of 5xx", flush=True)

    def _run_operation(self, operation: Any, mode: GenerationMode, examples: int) -> None:
        self._seed += 1

        @seed(self._seed)
        @settings(
            max_examples=examples,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), claims=_CLAIMS)
        def send(case: Any, claims: dict[str, Any]) -> None:
            self._send(case, claims)

        send()

    def _send(self, case: Any, claims: dict[str, Any]) -> None:
        request = _encoded(self._credentials.add_to(_request(case), claims))
        try:
            response = self._http.request(case.method, case.path, **request)
        except (httpx.InvalidURL, httpx.LocalProtocolError, ValueError):
            return  # nothing that a client could send
        outcome = f"{case.method} {case.path}", response.status_code
        self.outcomes[outcome] += 1
        if response.status_code >= 500:
            self.faults.setdefault(outcome, repr(request)[:2000])


def _operations(document: dict[str, Any]) -> Iterator[Any]:
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(result, Ok), result
        yield result.ok()


def _request(case: Any) -> dict[str, Any]:
    """The case as arguments of `httpx.Client.request`."""
    headers = {str(name): str(value) for name, value in dict(case.headers or {}).items()}
    request: dict[str, Any] = {"params": dict(case.query or {}), "headers": headers}
    if case.body is not NOT_SET:
        headers.setdefault("Content-Type", str(case.media_type))
        is_form = case.media_type == "application/x-www-form-urlencoded" and isinstance(case.body, dict)
        request["data" if is_form else "json"] = dict(case.body) if isinstance(case.body, dict) else case.body
    return request


def _encoded(request: dict[str, Any]) -> dict[str, Any]:
    """The same with its JSON as bytes, because schemathesis makes values that httpx does not encode."""
    body = request.pop("json", NOT_SET)
    if body is not NOT_SET:
        request["content"] = body if isinstance(body, bytes) else json.dumps(body, default=str).encode()
    return request
