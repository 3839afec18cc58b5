"""Health: is the process alive, and can it serve requests?"""

from __future__ import annotations

import msgspec

from stamkund import problems
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import endpoint


class Health(msgspec.Struct):
    """`status` is always `ok`: any other response has another status code."""

    status: str


def _about(title: str) -> About:
    return About(title=title, group="Health", source="our own", response=Health, example=Example(response="health"))


@endpoint("GET", "/health/live", public=True, about=_about("Alive"))
async def live(_: Call) -> Health:
    """200 as long as the process responds at all. Ask no more often than every few seconds."""
    return Health("ok")


@endpoint("GET", "/health/ready", public=True, refusals=(problems.UNAVAILABLE,), about=_about("Ready"))
async def ready(call: Call) -> Health:
    """200 when the database responds too, else 503 with Retry-After: send requests elsewhere meanwhile."""
    await call.services.store.ping()
    return Health("ok")
