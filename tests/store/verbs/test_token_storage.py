"""Tokens: stored together, refreshed by their client, removed when they have expired."""

from __future__ import annotations

import asyncio

import pytest

from stamkund.identity.passwords import Passwords
from stamkund.server import jobs
from stamkund.settings import Settings
from stamkund.store import REFRESH, NewToken, Refresh
from stamkund.wire.services import Services
from tests.store.conftest import DAY, StoredOrganisation
from tests.support.service import NOW


async def test_tokens_are_stored_together_or_not_at_all(paper: StoredOrganisation) -> None:
    existing = await paper.token()
    new = [NewToken(h, "access", paper.client.id, None, "", NOW, NOW + DAY, "f") for h in (b"new" + existing, existing)]
    with pytest.raises(Exception, match=r"(?i)unique"):
        await paper.store.tokens.add(new, paper.issue())
    assert await paper.store.tokens.authenticate(new[0].digest, None) is None
    assert await paper.store.tokens.authenticate(existing, None) is not None


async def test_a_refresh_token_is_its_clients_until_it_ends(
    paper: StoredOrganisation, neighbour: StoredOrganisation
) -> None:
    row, account_id = await paper.activate(await paper.customer())
    held = await paper.token(row, kind=REFRESH, scopes="a b", expires=NOW + DAY, family="family")
    new = NewToken(b"used" + held, "access", paper.client.id, row, "a", NOW, NOW + 60, "family")
    seen = []

    async def use(token: bytes, at: int, client: str = paper.client.id) -> str | None:
        def make(existing: Refresh) -> list[NewToken]:
            seen.append(existing)
            return [new]

        return await paper.store.tokens.use_refresh(token, client, at, NOW + 2 * DAY, make, paper.issue())

    assert await use(held, NOW + DAY) is None
    assert await use(held, NOW, neighbour.client.id) is None
    assert await use(await paper.token(row), NOW) is None
    assert seen == []
    assert await use(held, NOW + DAY - 1) == account_id
    assert seen == [Refresh(row, "a b", "family", NOW + DAY)]
    token = await paper.store.tokens.authenticate(new.digest, None)
    assert token is not None and token.expires == NOW + 60


async def test_expired_tokens_go_in_batches(paper: StoredOrganisation) -> None:
    """Those of long ago, so that other tests' tokens are not among them; both stores clean at once."""
    over = [await paper.token(expires=1000 - n) for n in range(25)]
    remaining = [await paper.token(expires=1001), await paper.token()]
    assert await paper.store.tokens.remove_expired(1000, 10) == 10
    assert await paper.store.tokens.authenticate(over[0], None) is not None, "the oldest go first"
    removed = await asyncio.gather(*(s.tokens.remove_expired(1000, 10) for s in (paper.store, paper.other)))
    assert sum(removed) + await paper.store.tokens.remove_expired(1000, 10) == 15
    assert await paper.store.tokens.remove_expired(1000, 10) == 0
    assert [await paper.store.tokens.authenticate(t, None) for t in over] == [None] * 25
    assert None not in [await paper.store.tokens.authenticate(t, None) for t in remaining]
    await paper.store.tokens.remove_expired(1001)


async def test_cleaning_removes_all_batch_after_batch(paper: StoredOrganisation) -> None:
    over = [
        NewToken(b"expired%d" % n, "access", paper.client.id, None, "", 0, 500, "f") for n in range(2 * jobs.BATCH + 1)
    ]
    await paper.store.tokens.add(over, paper.issue())
    settings = Settings(argon2_memory_kib=8)
    services = Services(settings, paper.store, paper.vault, Passwords(settings), lambda: 500)
    assert await jobs.remove_expired_tokens(services) == len(over)
    assert await jobs.remove_expired_tokens(services) == 0
    services.passwords.close()
