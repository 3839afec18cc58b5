"""Sessions that were used are extended in batches, and none is forgotten when the database is away."""

from __future__ import annotations

import pytest

from stamkund.identity import sessions
from stamkund.identity.sessions import Sessions
from stamkund.rules.session import Session
from stamkund.store import Unavailable
from tests.support.service import NOW, Publisher

DAY = 86_400


@pytest.mark.both_engines
async def test_many_used_sessions_are_extended_in_batches_that_an_outage_does_not_lose(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_BATCH", 2)
    service = publisher.service
    mine = Sessions(service.store, service.settings)
    begun = [(await mine.begin(publisher.id, NOW, publisher.client.id))[0] for _ in range(5)]
    for session in begun:
        mine.mark_used(session, NOW + DAY // 2)
    extend = service.store.sessions.extend
    batches: list[int] = []

    async def extend_once(used: list[tuple[str, str, int, int]]) -> None:
        if batches:
            raise Unavailable("away")
        batches.append(len(used))
        await extend(used)

    monkeypatch.setattr(service.store.sessions, "extend", extend_once)
    with pytest.raises(Unavailable):
        await mine.write_used()
    assert batches == [2]
    assert await _expiries(publisher, begun) == [NOW + DAY] * 3 + [mine.lifetime.expiry(NOW + DAY // 2, NOW)] * 2
    monkeypatch.setattr(service.store.sessions, "extend", extend)
    await mine.write_used()
    assert await _expiries(publisher, begun) == [mine.lifetime.expiry(NOW + DAY // 2, NOW)] * 5


async def _expiries(publisher: Publisher, begun: list[Session]) -> list[int]:
    of_client = publisher.service.store.sessions.of_client
    lookups = [await of_client(publisher.client.id, session.sid) for session in begun]
    return sorted(lookup.session.expires for lookup in lookups if lookup and lookup.session)
