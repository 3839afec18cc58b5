"""PostgreSQL's batched look-ups when the database lets them down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from stamkund.store import Unavailable
from tests.store.conftest import StoredOrganisation, new_paper
from tests.support.postgres_server import PostgresServer
from tests.support.service import open_new

_WAITING = "SELECT pid FROM pg_locks WHERE relation = 'tokens'::regclass AND NOT granted"


@pytest.fixture
async def url(postgres: PostgresServer) -> str:
    return postgres.new_database("batches")


@pytest.fixture
async def paper(url: str, tmp_path: Path) -> AsyncIterator[StoredOrganisation]:
    installation = await open_new(url, tmp_path / "a.key")
    yield await new_paper(installation, installation)
    await installation.close()


async def test_a_batch_that_fails_is_unavailable_and_the_others_succeed(url: str, paper: StoredOrganisation) -> None:
    """Connections are cut while two batches wait for a lock; those that come after find their rows."""
    tokens = [await paper.token() for _ in range(300)]
    admin = await asyncpg.connect(url)
    async with asyncio.timeout(60), admin.transaction():
        await admin.execute("LOCK TABLE tokens IN ACCESS EXCLUSIVE MODE")
        lookups = [asyncio.ensure_future(paper.store.tokens.authenticate(token, None)) for token in tokens]
        while len(waiting := await admin.fetch(_WAITING)) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for row in waiting:
            await admin.execute("SELECT pg_terminate_backend($1)", row["pid"])
        failed, _ = await asyncio.wait(lookups, return_when=asyncio.FIRST_COMPLETED)
        assert all(isinstance(task.exception(), Unavailable) for task in failed)
    await admin.close()
    responses = await asyncio.gather(*lookups, return_exceptions=True)
    failures = [r for r in responses if isinstance(r, BaseException)]
    assert all(type(r) is Unavailable for r in failures) and 2 <= len(failures) < 300
    assert all(not isinstance(r, BaseException) and r is not None for r in responses[256:])
    again = await asyncio.gather(*(paper.store.tokens.authenticate(token, None) for token in tokens))
    assert all(r is not None and r.client.id == paper.client.id for r in again)
