"""A reader of the paper, with the tokens and codes of one login."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from stamkund.identity.tokens import token_digest
from stamkund.rules.ids import new_id
from stamkund.store import (
    ACCESS,
    CODE,
    REFRESH,
    Issue,
    NewToken,
    OneTimeCredential,
    RefreshPolicy,
    Store,
    UniqueConflict,
)
from tests.store.conftest import DAY, StoredOrganisation
from tests.support.service import NOW

_count = itertools.count(1)
ROTATING = RefreshPolicy(rotates=True)


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
        reader = await tokens.use_refresh(token, client, now, ROTATING, lambda _: made, self.paper.issue())
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

    async def kinds_of_all(self) -> dict[str, int]:
        """How many tokens of each kind the organisation has, of whatever family."""
        sql = "SELECT kind, count(*) AS number FROM tokens WHERE organisation = $1 GROUP BY kind"
        return {row["kind"]: row["number"] for row in await self.paper.rows(sql, self.paper.id)}


@pytest.fixture
async def reader(paper: StoredOrganisation) -> LoggedInReader:
    row, account_id = await paper.activate(await paper.customer())
    return LoggedInReader(paper, row, account_id, new_id(NOW))


async def conflicting_kind(work: Awaitable[object]) -> str:
    """The kind of identifier that stood in the way."""
    with pytest.raises(UniqueConflict) as caught:
        await work
    return caught.value.kind
