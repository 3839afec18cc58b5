"""Health: is the process alive, and can it answer?"""

from __future__ import annotations

import msgspec

from stamkund import problems
from stamkund.wire.endpoint import Call, Example, endpoint


class Health(msgspec.Struct):
    """`status` is always `ok`: another answer has another status code."""

    status: str


_OK = Example(answer='{"status": "ok"}')


@endpoint(
    "GET",
    "/health/live",
    title="Alive",
    source="our own",
    public=True,
    answer=Health,
    example=_OK,
    group="Health",
)
async def live(_: Call) -> Health:
    """200 as long as the process answers at all. Ask no more often than every few seconds."""
    return Health("ok")


@endpoint(
    "GET",
    "/health/ready",
    title="Ready",
    source="our own",
    public=True,
    answer=Health,
    refusals=(problems.UNAVAILABLE,),
    example=_OK,
    group="Health",
)
async def ready(call: Call) -> Health:
    """200 when the database answers too, else 503 with Retry-After: send requests elsewhere meanwhile."""
    await call.services.store.ping()
    return Health("ok")
