"""Login attempts, counts of unknown e-mails and the outbox are kept for a stated time, and removed in bulk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stamkund.rules.lockout import LOGIN_PAGE, LockoutPolicy, LoginContext
from tests.store.conftest import DAY, StoredOrganisation, new_paper
from tests.support.service import NOW, open_new

POLICY = LockoutPolicy()


@pytest.fixture
async def paper(fresh_url: str, tmp_path: Path) -> AsyncIterator[StoredOrganisation]:
    """The only organisation in its database: what is removed in bulk is removed of all."""
    installation = await open_new(fresh_url, tmp_path / "a.key")
    yield await new_paper(installation, installation)
    await installation.close()


def context(paper: StoredOrganisation, at: int = NOW, **more: Any) -> LoginContext:
    return LoginContext(paper.id, LOGIN_PAGE, paper.client.id, "192.0.2.7", "Tests/1", at, **more)


async def fail(paper: StoredOrganisation, login: str, at: int = NOW, **more: Any) -> None:
    await paper.store.login_attempts.record(
        context(paper, at, **more), login, POLICY, succeeded=False, customer=False, audited=True
    )


async def test_old_attempts_are_removed_oldest_first_and_so_many_at_once(paper: StoredOrganisation) -> None:
    attempts = paper.store.login_attempts
    for number in range(6):
        await fail(paper, "a" * 24, NOW + number * DAY)
    assert await attempts.remove_older(NOW) == 0
    assert [await attempts.remove_older(NOW + 4 * DAY, 3) for _ in range(3)] == [3, 1, 0]
    assert [attempt.at for attempt in await attempts.latest(paper.id, "a" * 24)] == [NOW + 5 * DAY, NOW + 4 * DAY]


async def test_events_for_other_systems_are_removed_after_their_time(paper: StoredOrganisation) -> None:
    await paper.activate(await paper.customer())
    assert await paper.store.outbox.remove_older(NOW) == 0
    assert await paper.store.outbox.remove_older(NOW + 1) == 1
    assert await paper.count("outbox") == 0


async def test_counts_of_unknown_emails_are_bounded_and_those_of_readers_stay(paper: StoredOrganisation) -> None:
    """Those that would expire first go first."""
    attempts = paper.store.login_attempts
    await fail(paper, "a" * 24, NOW - 100)
    for number in range(8):
        await attempts.record_unknown(context(paper, NOW + number), f"{number:032}", POLICY)
    assert await attempts.remove_unknown(10) == 0
    assert [await attempts.remove_unknown(3, 4) for _ in range(3)] == [4, 1, 0]
    left = await paper.rows("SELECT login FROM lockouts WHERE organisation = $1 ORDER BY login", paper.id)
    assert [row["login"] for row in left] == [f"{n:032}" for n in (5, 6, 7)] + ["a" * 24]


async def test_an_entry_of_the_audit_has_the_visitors_address(paper: StoredOrganisation) -> None:
    await fail(paper, "a" * 24)
    await fail(paper, "a" * 24, from_visitor=True)
    rows = await paper.rows("SELECT address FROM audit WHERE organisation = $1 ORDER BY row", paper.id)
    assert [row["address"] for row in rows] == [None, "192.0.2.7"]
