"""Tokens: refresh tokens rotate, a replay or a revocation takes the family along; stored and removed together."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from stamkund.rules.session import LOGGED_IN, Lifetime, Session
from stamkund.store import (
    ACCESS,
    CODE,
    REFRESH,
    Issue,
    NewToken,
    NotActive,
    Refresh,
    RefreshPolicy,
)
from stamkund.store.verbs import tokens as verbs_of_tokens
from stamkund.store.verbs.one_time_credentials import OneTimeCredentialVerbs
from stamkund.store.verbs.tokens import REPLAY_SECONDS, SPENT_SECONDS, TokenVerbs
from stamkund.store.work import Execute, MakeWork, Sql, Work
from tests.store.conftest import DAY, StoredOrganisation
from tests.store.verbs.conftest import ROTATING, CheckFailed, LoggedInReader
from tests.support.counting import CountingEngine
from tests.support.service import NOW
from tests.support.waiting import until

T = TypeVar("T")
LATER = NOW + REPLAY_SECONDS + 1


# Refresh tokens that rotate --------------------------------------------------------------------------------


async def test_each_use_gives_the_next_one(reader: LoggedInReader) -> None:
    token: bytes | None = await reader.refresh_token(expires=NOW + DAY)
    for used in range(1, 5):
        assert token is not None
        token = await reader.rotate(token)
        assert await reader.kinds() == {ACCESS: used, REFRESH: 1, "spent": used}


async def test_one_that_comes_again_revokes_the_whole_family(reader: LoggedInReader) -> None:
    first = await reader.refresh_token()
    second = await reader.rotate(first)
    assert second is not None
    third = await reader.rotate(second)
    assert third is not None
    bystander = await reader.paper.token(reader.row, family="another login")
    assert await reader.rotate(first, LATER) is None
    assert await reader.kinds() == {}
    assert await reader.rotate(third) is None
    assert await reader.paper.store.tokens.authenticate(bystander, None) is not None
    sql = "SELECT event FROM audit WHERE organisation = $1 AND event = 'token_reused'"
    assert len(await reader.paper.rows(sql, reader.paper.id)) == 1


async def test_another_clients_replay_revokes_nothing(reader: LoggedInReader, neighbour: StoredOrganisation) -> None:
    first = await reader.refresh_token()
    second = await reader.rotate(first)
    assert second is not None
    assert await reader.rotate(first, LATER, client=neighbour.client.id) is None
    assert await reader.rotate(second) is not None


async def test_of_many_uses_at_once_each_gets_a_sibling_and_one_is_spent(reader: LoggedInReader) -> None:
    token = await reader.refresh_token()
    stores = itertools.cycle((reader.paper.store, reader.paper.other))
    responses = await asyncio.gather(*(reader.rotate(token, store=next(stores)) for _ in range(20)))
    assert None not in responses
    assert await reader.kinds() == {ACCESS: 20, REFRESH: 20, "spent": 1}
    assert await reader.rotate(token, LATER) is None
    assert await reader.kinds() == {}


class HeldBeforeCommit(CountingEngine):
    """An engine whose transactions do not commit while they are `held`."""

    held = True
    reached = False

    async def write(self, make: MakeWork[T]) -> T:
        def work() -> Work[T]:
            result = yield from make()
            self.reached = True
            while self.held:
                yield Execute(Sql("SELECT pg_sleep(0.01)"))
            return result

        return await super().write(work)


async def _waits_for_a_lock(paper: StoredOrganisation) -> bool:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(await paper.rows(waiting))


async def test_a_replay_revokes_tokens_issued_at_the_same_time(reader: LoggedInReader) -> None:
    """Else whoever stole the family's newest token could keep it by using it while the theft is found out.

    On SQLite one transaction writes at a time, so there the tokens are issued just before the replay.
    """
    first = await reader.refresh_token()
    second = await reader.rotate(first)
    assert second is not None
    made, paper = reader.pair(), reader.paper
    engine = HeldBeforeCommit(paper.other.engine)
    engine.held = engine.name == "postgres"
    verbs = TokenVerbs(engine, paper.other.documents)
    use = verbs.use_refresh(second, paper.client.id, NOW, ROTATING, lambda _: made, paper.issue())
    using = asyncio.create_task(use)
    await until(lambda: engine.reached)
    replaying = asyncio.create_task(reader.rotate(first, LATER))
    if engine.held:
        await until(lambda: _waits_for_a_lock(paper))
        engine.held = False
    assert await replaying is None
    assert await using == reader.id
    assert await reader.kinds() == {}


async def _logged_in_session(reader: LoggedInReader) -> Session:
    paper = reader.paper
    session = Session(f"{paper.id}-s", paper.id, LOGGED_IN, reader.row, None, NOW, NOW, NOW, NOW + DAY)
    await paper.store.sessions.add(session)
    return session


@pytest.mark.parametrize("use", ["code", "refresh token"])
async def test_ending_a_session_finds_tokens_that_are_issued_at_the_same_time(reader: LoggedInReader, use: str) -> None:
    """On SQLite one transaction writes at a time, so there the tokens are issued just before the session is ended."""
    paper, sid = reader.paper, (await _logged_in_session(reader)).sid
    made = [replace(token, session=sid) for token in reader.pair()]
    engine = HeldBeforeCommit(paper.other.engine)
    engine.held = engine.name == "postgres"
    if use == "code":
        code = await reader.new_one_time(session=sid)
        credentials = OneTimeCredentialVerbs(engine, paper.other.documents)
        issuing: Any = credentials.exchange(code.digest, CODE, lambda _: None, lambda _: made, paper.issue())
    else:
        token = await reader.refresh_token(session=sid)
        tokens = TokenVerbs(engine, paper.other.documents)
        issuing = tokens.use_refresh(token, paper.client.id, NOW, ROTATING, lambda _: made, paper.issue())
    using = asyncio.create_task(issuing)
    await until(lambda: engine.reached)
    ending = asyncio.create_task(paper.store.sessions.terminate(paper.id, sid, NOW, paper.client.id))
    if engine.held:
        await until(lambda: _waits_for_a_lock(paper))
        engine.held = False
    assert await using is not None and await ending is not None
    assert await reader.kinds() == {}


async def test_ended_sessions_leave_other_logins_and_offline_access(reader: LoggedInReader) -> None:
    paper, sid = reader.paper, (await _logged_in_session(reader)).sid
    mine = await paper.token(reader.row, session=sid)
    narrow = await paper.token(reader.row, kind=REFRESH, scopes="/openid/offline_access", family=reader.family)
    others = [
        await paper.token(reader.row, session="another"),
        await paper.token(reader.row),
        await paper.token(),
        await paper.token(reader.row, family=reader.family),
    ]
    await paper.store.sessions.terminate(paper.id, sid, NOW, paper.client.id)
    assert await paper.store.tokens.authenticate(mine, None) is None
    assert None not in [await paper.store.tokens.authenticate(token, None) for token in (narrow, *others)]
    assert await paper.store.sessions.end_all(paper.id, reader.row, NOW, "operator", offline=False) == 0
    left = [await paper.store.tokens.authenticate(token, None) is not None for token in (narrow, *others)]
    assert left == [True, False, False, True, True], "the family was given offline access"
    await paper.store.sessions.end_all(paper.id, reader.row, NOW, "operator", offline=True)
    left = [await paper.store.tokens.authenticate(token, None) is not None for token in (narrow, *others)]
    assert left == [False, False, False, True, False]


async def test_a_spent_one_is_remembered_for_as_long_as_it_matters(reader: LoggedInReader) -> None:
    short = await reader.refresh_token(expires=NOW + DAY)
    long = await reader.refresh_token(expires=NOW + 180 * DAY)
    for token in (short, long):
        assert await reader.rotate(token) is not None
    sql = "SELECT expires FROM tokens WHERE kind = 'spent' AND family = $1 ORDER BY expires"
    ends = [row["expires"] for row in await reader.paper.rows(sql, reader.family)]
    assert ends == [NOW + DAY, NOW + SPENT_SECONDS]
    assert await reader.rotate(long, NOW + SPENT_SECONDS) is None
    assert (await reader.kinds())[REFRESH] == 2, "one that is forgotten is as unknown as any"


async def test_one_that_slides_is_not_spent(reader: LoggedInReader) -> None:
    token = await reader.refresh_token(expires=NOW + DAY)
    verbs, client = reader.paper.store.tokens, reader.paper.client.id
    sliding = RefreshPolicy(rotates=False, lifetime=Lifetime(2 * DAY, 400 * DAY))
    for at in (NOW, NOW + DAY, NOW + 2 * DAY):
        used = await verbs.use_refresh(token, client, at, sliding, lambda _: reader.pair()[:1], reader.paper.issue())
        assert used == reader.id
    assert await reader.kinds() == {ACCESS: 3, REFRESH: 1}


async def test_a_make_that_refuses_does_not_spend(reader: LoggedInReader) -> None:
    token = await reader.refresh_token()

    def refuse(_: Refresh) -> list[NewToken]:
        raise CheckFailed

    with pytest.raises(CheckFailed):
        await reader.paper.store.tokens.use_refresh(
            token, reader.paper.client.id, NOW, ROTATING, refuse, reader.paper.issue()
        )
    assert await reader.kinds() == {REFRESH: 1}
    assert await reader.rotate(token) is not None


async def test_the_tokens_of_an_inactive_account_are_not_refreshed(reader: LoggedInReader) -> None:
    token = await reader.refresh_token()
    await reader.paper.deactivate(reader.row)
    with pytest.raises(NotActive):
        await reader.rotate(token)
    assert await reader.kinds() == {REFRESH: 1}


# Revocation ------------------------------------------------------------------------------------------------


async def test_an_access_token_is_revoked_alone(reader: LoggedInReader) -> None:
    made = await reader.exchange(await reader.new_one_time())
    assert made is not None
    issue = Issue(reader.paper.id, reader.paper.client.id, "revocation", NOW)
    verbs = reader.paper.store.tokens
    assert await verbs.revoke(made[0].digest, reader.paper.client.id, issue)
    assert await reader.kinds() == {REFRESH: 1}
    assert not await verbs.revoke(made[0].digest, reader.paper.client.id, issue)


@pytest.mark.parametrize("which", ["newest", "spent"])
async def test_a_refresh_token_takes_its_family_along(
    reader: LoggedInReader, neighbour: StoredOrganisation, which: str
) -> None:
    first = await reader.refresh_token()
    second = await reader.rotate(first)
    assert second is not None
    issue = Issue(reader.paper.id, reader.paper.client.id, "revocation", NOW)
    verbs = reader.paper.store.tokens
    token = second if which == "newest" else first
    assert not await verbs.revoke(token, neighbour.client.id, issue)
    assert await reader.kinds() == {ACCESS: 1, REFRESH: 1, "spent": 1}
    assert await verbs.revoke(token, reader.paper.client.id, issue)
    assert await reader.kinds() == {}


# In a loop -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rotates", [True, False])
async def test_refreshing_in_a_loop_leaves_so_many_tokens(
    reader: LoggedInReader, monkeypatch: pytest.MonkeyPatch, rotates: bool
) -> None:
    """The newest stay: the access token that was issued last is valid, and the last replaced token is recognised."""
    monkeypatch.setattr(verbs_of_tokens, "MAX_USED_TOKENS", 10)
    token, policy, verbs = await reader.refresh_token(), RefreshPolicy(rotates), reader.paper.store.tokens
    replaced, made = token, reader.pair()

    def next_pair(_: Refresh) -> list[NewToken]:
        nonlocal made
        made = [replace(one, created=now) for one in reader.pair()]
        return made if rotates else made[:1]

    for now in range(NOW, NOW + 30):
        used = await verbs.use_refresh(token, reader.paper.client.id, now, policy, next_pair, reader.paper.issue())
        assert used == reader.id
        replaced, token = token, (made[1].digest if rotates else token)
    kinds = await reader.kinds()
    assert kinds.pop(REFRESH) == 1
    assert sum(kinds.values()) in (10, 11, 12), kinds
    assert await verbs.authenticate(made[0].digest, None) is not None
    if rotates:
        assert await reader.rotate(replaced, NOW + 3600) is None
        assert await reader.kinds() == {}


async def test_what_a_removed_refresh_token_replaced_goes_with_it(
    reader: LoggedInReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each login could leave as many as a family may have."""
    monkeypatch.setattr(verbs_of_tokens, "MAX_REFRESH_TOKENS", 2)
    for login in range(5):
        family = replace(reader, family=f"{reader.family}{login}")
        token: bytes | None = await family.refresh_token(expires=NOW + DAY + login)
        for _ in range(3):
            assert token is not None
            token = await family.rotate(token)
    kinds = await reader.kinds_of_all()
    assert (kinds[REFRESH], kinds["spent"]) == (2, 6)


# Storage ---------------------------------------------------------------------------------------------------


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
    policy = RefreshPolicy(rotates=False, lifetime=Lifetime(2 * DAY, 400 * DAY))

    async def use(token: bytes, at: int, client: str = paper.client.id) -> str | None:
        def make(existing: Refresh) -> list[NewToken]:
            seen.append(existing)
            return [new]

        return await paper.store.tokens.use_refresh(token, client, at, policy, make, paper.issue())

    assert await use(held, NOW + DAY) is None
    assert await use(held, NOW, neighbour.client.id) is None
    assert await use(await paper.token(row), NOW) is None
    assert seen == []
    assert await use(held, NOW + DAY - 1) == account_id
    assert seen == [Refresh(row, "a b", "family", NOW + 3 * DAY - 1)]
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
