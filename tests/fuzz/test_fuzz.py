"""The parts of the fuzz that need no schemathesis: they send what they should, and see what comes."""

from __future__ import annotations

import random
import time
from typing import Any

from tests.fuzz.credentials import Credentials
from tests.fuzz.malformed import HANG, malformed, send_malformed
from tests.support.connector import decoded
from tests.support.service import RunningService

CREDENTIALS = Credentials("c" * 24, "s" * 48, "token")


def test_malformed_requests_come_again_by_their_seed() -> None:
    first, second = ([malformed(chance) for _ in range(50)] for chance in (random.Random(7), random.Random(7)))
    assert first == second and len(set(first)) > 40


async def test_malformed_requests_end_and_are_no_fault_of_ours(service: RunningService) -> None:
    outcomes = await send_malformed(service.url, 150, seed=1)
    assert outcomes.total() == 150
    assert not [outcome for outcome in outcomes if outcome == HANG or outcome.startswith("5")], outcomes


def test_credentials_get_into_every_place() -> None:
    query: dict[str, Any] = {"params": {"t": "x", "client_id": "y", "r": "z"}, "headers": {"x-request-id": "1"}}
    request = CREDENTIALS.add_to(query, {"sid": "1"})
    assert request["headers"] == {"x-request-id": "1", "authorization": "Bearer token"}
    assert request["params"]["client_id"] == CREDENTIALS.client and request["params"]["t"].count(".") == 2
    body = CREDENTIALS.add_to({"json": {"t": "x"}}, {"sid": "1"})
    assert decoded(body["json"]["t"], CREDENTIALS.secret, int(time.time()))["sid"] == "1"
    form = CREDENTIALS.add_to({"data": {"grant_type": "none"}}, {})
    assert form["data"] == {"grant_type": "none", "client_id": CREDENTIALS.client, "client_secret": CREDENTIALS.secret}
    assert "authorization" not in form["headers"]
