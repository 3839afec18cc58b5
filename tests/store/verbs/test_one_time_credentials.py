"""Codes and tickets: spent once; a replay revokes what they gave."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client
from stamkund.store import (
    ACCESS,
    CODE,
    REFRESH,
    TICKET,
    NotActive,
    OneTimeCredential,
)
from stamkund.store.verbs.one_time_credentials import REMEMBERED_SECONDS
from tests.store.conftest import StoredOrganisation
from tests.store.verbs.conftest import CheckFailed, LoggedInReader
from tests.support.service import NOW


async def test_a_code_is_exchanged_once(reader: LoggedInReader) -> None:
    code = await reader.new_one_time()
    seen: list[OneTimeCredential] = []
    made = await reader.exchange(code, NOW + 59, seen.append)
    assert made is not None and seen == [code]
    assert await reader.kinds() == {ACCESS: 1, REFRESH: 1}
    token = await reader.paper.store.tokens.authenticate(made[0].digest, None)
    assert token is not None and token.account_row == reader.row


@pytest.mark.parametrize("kind", [CODE, TICKET])
async def test_a_replay_revokes_what_the_code_gave(reader: LoggedInReader, kind: str) -> None:
    code = await reader.new_one_time(kind)
    made = await reader.exchange(code)
    assert made is not None
    assert await reader.rotate(made[1].digest) is not None
    assert await reader.exchange(code) is None
    assert await reader.kinds() == {}


@pytest.mark.parametrize("kind", [CODE, TICKET])
async def test_of_many_exchanges_at_once_one_succeeds(reader: LoggedInReader, kind: str) -> None:
    code = await reader.new_one_time(kind)
    stores = itertools.cycle((reader.paper.store, reader.paper.other))
    responses = await asyncio.gather(*(reader.exchange(code, store=next(stores)) for _ in range(20)))
    assert sum(response is not None for response in responses) == 1
    assert await reader.kinds() == {}, "the others were replays"


async def test_what_is_not_a_codes_own_does_not_spend_it(reader: LoggedInReader, neighbour: StoredOrganisation) -> None:
    code = await reader.new_one_time()
    other = Client(new_id(NOW + 1), reader.paper.id, "Other", NOW, [], [])
    await reader.paper.store.clients.add(other)
    others: list[dict[str, Any]] = [
        {"client": other.id},
        {"client": neighbour.client.id},
        {"organisation": neighbour.id},
        {"kind": TICKET},
    ]
    for wrong in (*others, {"digest": b"unknown"}):
        assert await reader.exchange(code, **wrong) is None
    assert await reader.exchange(code, NOW + 60) is None, "it has expired"
    assert await reader.exchange(code, NOW + 59) is not None
    for wrong in others:
        assert await reader.exchange(code, **wrong) is None
    assert await reader.kinds() == {ACCESS: 1, REFRESH: 1}, "nor do they replay it"


async def test_a_replay_after_its_time_revokes_too(reader: LoggedInReader) -> None:
    code = await reader.new_one_time()
    assert await reader.exchange(code) is not None
    assert await reader.exchange(code, NOW + 3600) is None
    assert await reader.kinds() == {}


async def test_a_check_that_refuses_does_not_spend(reader: LoggedInReader) -> None:
    code = await reader.new_one_time()

    def refuse(_: OneTimeCredential) -> None:
        raise CheckFailed

    with pytest.raises(CheckFailed):
        await reader.exchange(code, check=refuse)
    assert await reader.kinds() == {}
    assert await reader.exchange(code) is not None


async def test_a_code_of_a_reader_who_may_not_log_in_gives_nothing(reader: LoggedInReader) -> None:
    code = await reader.new_one_time()
    await reader.paper.deactivate(reader.row)
    with pytest.raises(NotActive):
        await reader.exchange(code)
    assert await reader.kinds() == {}


async def test_codes_are_removed_when_they_have_expired(reader: LoggedInReader) -> None:
    """Ones of long ago, so that other tests' are not among them."""
    over = [await reader.new_one_time(created=0, expires=1000 - n) for n in range(5)]
    remaining = await reader.new_one_time(created=0, expires=1001)
    verbs = reader.paper.store.one_time_credentials
    assert await verbs.remove_expired(995, 500) == 0
    assert [await verbs.remove_expired(1000, 2) for _ in range(4)] == [2, 2, 1, 0]
    left = await reader.paper.rows("SELECT digest FROM one_time_credentials WHERE family = $1", reader.family)
    assert [bytes(row["digest"]) for row in left] == [remaining.digest] and remaining not in over
    assert await verbs.remove_expired(1001, 500) == 1


async def test_one_that_was_spent_is_recognised_for_a_day(reader: LoggedInReader) -> None:
    code = await reader.new_one_time()
    assert await reader.exchange(code) is not None
    [row] = await reader.paper.rows("SELECT spent, expires FROM one_time_credentials WHERE digest = $1", code.digest)
    assert row["expires"] == row["spent"] + REMEMBERED_SECONDS
