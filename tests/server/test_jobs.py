"""The token table does not grow for ever: expired tokens are removed, in small batches, and nothing else is."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stamkund.identity.passwords import Passwords
from stamkund.server import jobs
from stamkund.settings import Settings
from stamkund.store import ACCESS, REFRESH, Issue, NewToken
from stamkund.wire.services import Services
from tests.support.rows import rows
from tests.support.service import Publisher, RunningService
from tests.support.waiting import until

EXPIRED = 1_200
"""More than two batches."""


@pytest.fixture
async def cleaned(fresh_url: str, tmp_path: Path) -> AsyncIterator[RunningService]:
    async with RunningService(
        fresh_url, tmp_path / "stamkund.key", cleaning_seconds=1, access_token_seconds=100
    ) as service:
        yield service


async def test_expired_tokens_are_removed_in_the_background(cleaned: RunningService) -> None:
    publisher = await cleaned.publisher()
    await publisher.activated("reader@example.com")
    login = (await publisher.grant("password", username="reader@example.com", password="Df7Vdd8!!vnM")).json()
    with cleaned.clock.at(cleaned.clock.now + 50):
        later = await publisher.token()
    await add(publisher, *(over(publisher, ACCESS) for _ in range(EXPIRED)), over(publisher, REFRESH))
    assert await kinds(cleaned) == {ACCESS: EXPIRED + 3, REFRESH: 2}
    with cleaned.clock.at(cleaned.clock.now + 100):  # when the first tokens end, and not the later one
        await until(lambda: holds(cleaned, {ACCESS: 1, REFRESH: 1}))
        assert (await account(publisher, later)) == 200
        assert (await account(publisher, login["access_token"])) == 401
        refreshed = await publisher.grant("refresh_token", refresh_token=login["refresh_token"])
        assert refreshed.status_code == 200


async def test_a_batch_is_bounded(cleaned: RunningService) -> None:
    publisher = await cleaned.publisher()
    cleaned.clock.now = 0  # so that the background leaves them alone
    await add(publisher, *(expiring_at(publisher, expires) for expires in range(1, 11)))
    assert [await cleaned.store.tokens.remove_expired(9, 4) for _ in range(4)] == [4, 4, 1, 0]
    assert await rows(cleaned.settings.database_url, "SELECT expires FROM tokens") == [(10,)]


@pytest.mark.both_engines
async def test_cleaning_removes_all_batch_after_batch(cleaned: RunningService) -> None:
    publisher = await cleaned.publisher()
    cleaned.clock.now = 0  # so that the background leaves them alone
    await add(publisher, *(expiring_at(publisher, 500) for _ in range(2 * jobs.BATCH + 1)))
    settings = Settings(argon2_memory_kib=8)
    services = Services(settings, cleaned.store, cleaned.vault, Passwords(settings), lambda: 500)
    assert await jobs.remove_expired_tokens(services) == 2 * jobs.BATCH + 1
    assert await jobs.remove_expired_tokens(services) == 0
    services.passwords.close()


async def account(publisher: Publisher, token: str) -> int:
    query = {"email": "reader@example.com"}
    headers = {"authorization": f"Bearer {token}"}
    return (await publisher.service.http.get("/external/api/v1/accounts", params=query, headers=headers)).status_code


async def add(publisher: Publisher, *new: NewToken) -> None:
    await publisher.service.store.tokens.add(list(new), Issue(publisher.id, publisher.client.id, "none", 0))


def over(publisher: Publisher, kind: str) -> NewToken:
    """A token that ended before the service's first second but is removed only once the clock has gone on."""
    return expiring_at(publisher, publisher.service.clock.now + 60, kind)


def expiring_at(publisher: Publisher, expires: int, kind: str = ACCESS) -> NewToken:
    return NewToken(os.urandom(32), kind, publisher.client.id, None, "/external/me/w", 0, expires, "f")


async def kinds(service: RunningService) -> dict[str, int]:
    counted = await rows(service.settings.database_url, "SELECT kind, count(*) FROM tokens GROUP BY kind")
    return dict(counted)


async def holds(service: RunningService, expected: dict[str, int]) -> bool:
    return await kinds(service) == expected
