"""Token families on every engine: a one-time credential works once, and a second use revokes its whole family."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pytest

from stamkund.identity.tokens import token_digest
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Client
from stamkund.store import (
    ACCESS,
    CODE,
    REFRESH,
    TICKET,
    Issue,
    NewToken,
    NotActive,
    OneTimeCredential,
    Refresh,
    Store,
)
from stamkund.store.verbs.one_time_credentials import REMEMBERED_SECONDS
from stamkund.store.verbs.tokens import SPENT_SECONDS, TokenVerbs
from stamkund.store.work import Execute, MakeWork, Sql, Work
from tests.store.conftest import DAY, StoredOrganisation
from tests.support.counting import CountingEngine
from tests.support.service import NOW

T = TypeVar("T")
_count = itertools.count(1)


class CheckFailed(Exception):
    """What a test's own `check` or `make` raises."""


def unique(what: str) -> bytes:
    return token_digest(f"{what} {next(_count)}".encode())


@dataclass
class LoggedInReader:
    """A reader of the paper, and the tokens that came from one login."""

    paper: StoredOrganisation
    row: int
    id: str
    family: str

    async def refresh_token(self, **fields: Any) -> bytes:
        return await self.paper.token(self.row, kind=REFRESH, family=self.family, **fields)

    def pair(self) -> list[NewToken]:
        """An access token and the next refresh token."""
        new = NewToken(unique("a"), ACCESS, self.paper.client.id, self.row, "a b", NOW, NOW + 3600, self.family)
        return [new, replace(new, digest=unique("r"), kind=REFRESH, expires=NOW + DAY)]

    async def rotate(self, token: bytes, now: int = NOW, store: Store | None = None, client: str = "") -> bytes | None:
        """The next refresh token for this one, None where it is refused."""
        made = self.pair()
        tokens = (store or self.paper.store).tokens
        client = client or self.paper.client.id
        reader = await tokens.use_refresh(token, client, now, None, lambda _: made, self.paper.issue())
        assert reader in (None, self.id)
        return None if reader is None else made[1].digest

    async def new_one_time(self, kind: str = CODE, **fields: Any) -> OneTimeCredential:
        made = OneTimeCredential(
            organisation=self.paper.id,
            digest=unique("o"),
            kind=kind,
            client=self.paper.client.id,
            account=self.row,
            scopes="a b",
            created=NOW,
            expires=NOW + 60,
            family=self.family,
            detail='{"nonce": "n"}',
        )
        made = replace(made, **fields)
        await self.paper.store.one_time_credentials.add(made)
        return made

    async def exchange(
        self,
        credential: OneTimeCredential,
        now: int = NOW,
        check: Callable[[OneTimeCredential], None] = lambda _: None,
        store: Store | None = None,
        **fields: Any,
    ) -> list[NewToken] | None:
        """The tokens that a code is exchanged for, None where it is refused."""
        sent, made = replace(credential, **fields), self.pair()
        verbs = (store or self.paper.store).one_time_credentials
        issue = Issue(sent.organisation, sent.client, "authorization_code", now)
        exchanged = await verbs.exchange(sent.digest, sent.kind, check, lambda _: made, issue)
        assert exchanged is None or exchanged[1] == self.id
        return None if exchanged is None else made

    async def kinds(self) -> dict[str, int]:
        """How many tokens of each kind the family has."""
        sql = "SELECT kind, count(*) AS number FROM tokens WHERE family = $1 GROUP BY kind"
        return {row["kind"]: row["number"] for row in await self.paper.rows(sql, self.family)}


@pytest.fixture
async def reader(paper: StoredOrganisation) -> LoggedInReader:
    row, account_id = await paper.activate(await paper.customer())
    return LoggedInReader(paper, row, account_id, new_id(NOW))


async def deactivated(reader: LoggedInReader) -> None:
    """Past the product, as a call that archives accounts would."""

    def work() -> Work[None]:
        yield Execute(Sql("UPDATE accounts SET status = 'inactive' WHERE row = $1"), (reader.row,))

    await reader.paper.store.engine.write(work)


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
    assert await reader.rotate(first) is None
    assert await reader.kinds() == {}
    assert await reader.rotate(third) is None
    assert await reader.paper.store.tokens.authenticate(bystander, None) is not None
    sql = "SELECT event FROM audit WHERE organisation = $1 AND event = 'token_reused'"
    assert len(await reader.paper.rows(sql, reader.paper.id)) == 1


async def test_another_clients_replay_revokes_nothing(reader: LoggedInReader, neighbour: StoredOrganisation) -> None:
    first = await reader.refresh_token()
    second = await reader.rotate(first)
    assert second is not None
    assert await reader.rotate(first, client=neighbour.client.id) is None
    assert await reader.rotate(second) is not None


async def test_of_many_uses_at_once_one_succeeds_and_the_family_is_gone_after(reader: LoggedInReader) -> None:
    token = await reader.refresh_token()
    stores = itertools.cycle((reader.paper.store, reader.paper.other))
    responses = await asyncio.gather(*(reader.rotate(token, store=next(stores)) for _ in range(20)))
    assert sum(response is not None for response in responses) == 1
    assert await reader.kinds() == {}


class SlowToCommit(CountingEngine):
    """An engine whose transactions wait before they commit, where the database lets others work meanwhile."""

    async def write(self, make: MakeWork[T]) -> T:
        def slow() -> Work[T]:
            result = yield from make()
            if self.name == "postgres":
                yield Execute(Sql("SELECT pg_sleep(0.5)"))
            return result

        return await super().write(slow)


async def test_a_replay_revokes_tokens_issued_at_the_same_time(reader: LoggedInReader) -> None:
    """Else whoever stole the family's newest token could keep it by using it while the theft is found out."""
    first = await reader.refresh_token()
    second = await reader.rotate(first)
    assert second is not None
    made, paper = reader.pair(), reader.paper
    verbs = TokenVerbs(SlowToCommit(paper.other.engine), paper.other.documents)
    use = verbs.use_refresh(second, paper.client.id, NOW, None, lambda _: made, paper.issue())
    using = asyncio.create_task(use)
    await asyncio.sleep(0.2)
    assert await reader.rotate(first) is None
    assert await using == reader.id
    assert await reader.kinds() == {}


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
    for at in (NOW, NOW + DAY, NOW + 2 * DAY):
        extend_to = at + 2 * DAY
        used = await verbs.use_refresh(token, client, at, extend_to, lambda _: reader.pair()[:1], reader.paper.issue())
        assert used == reader.id
    assert await reader.kinds() == {ACCESS: 3, REFRESH: 1}


async def test_a_make_that_refuses_does_not_spend(reader: LoggedInReader) -> None:
    token = await reader.refresh_token()

    def refuse(_: Refresh) -> list[NewToken]:
        raise CheckFailed

    with pytest.raises(CheckFailed):
        await reader.paper.store.tokens.use_refresh(
            token, reader.paper.client.id, NOW, None, refuse, reader.paper.issue()
        )
    assert await reader.kinds() == {REFRESH: 1}
    assert await reader.rotate(token) is not None


async def test_the_tokens_of_an_inactive_account_are_not_refreshed(reader: LoggedInReader) -> None:
    token = await reader.refresh_token()
    await deactivated(reader)
    with pytest.raises(NotActive):
        await reader.rotate(token)
    assert await reader.kinds() == {REFRESH: 1}


# Codes and tickets -----------------------------------------------------------------------------------------


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
    others: list[dict[str, Any]] = [{"client": other.id}, {"client": neighbour.client.id}, {"kind": TICKET}]
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
    await deactivated(reader)
    with pytest.raises(NotActive):
        await reader.exchange(code)
    assert await reader.kinds() == {}


async def test_codes_are_removed_a_day_after_they_expired(reader: LoggedInReader) -> None:
    """Ones of long ago, so that other tests' are not among them."""
    over = [await reader.new_one_time(created=0, expires=1000 - n) for n in range(5)]
    remaining = await reader.new_one_time(created=0, expires=1001)
    forgotten = 1000 + REMEMBERED_SECONDS
    verbs = reader.paper.store.one_time_credentials
    assert await verbs.remove_expired(forgotten - 5, 500) == 0
    assert [await verbs.remove_expired(forgotten, 2) for _ in range(4)] == [2, 2, 1, 0]
    left = await reader.paper.rows("SELECT hash FROM one_time_credentials WHERE family = $1", reader.family)
    assert [bytes(row["hash"]) for row in left] == [remaining.digest] and remaining not in over
    assert await verbs.remove_expired(forgotten + 1, 500) == 1


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
