"""What the rest of the house may do with tokens, codes and tickets: `store.tokens`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from stamkund.store import look_ups, one_time, tokens
from stamkund.store.look_ups import TokenAsked
from stamkund.store.one_time import OneTime
from stamkund.store.tokens import Issue, NewToken, Refresh

if TYPE_CHECKING:
    from stamkund.store import Engine


class TokenStore:
    """The verbs of `tokens.py` and `one_time.py` on one engine. Every verb raises Unavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def asked(self, client: str, token_hash: bytes) -> TokenAsked | None:
        """The hot path: the client that asks and, in the same statement, the token that it asks about.

        None: there is no such client. The token's part is empty for one that is unknown or another organisation's.
        """
        found = look_ups.TOKEN
        row = await self._engine.look_up(found.single, found.batch, (client, token_hash))
        return None if row is None else look_ups.token_asked(row)

    async def add(self, new: list[NewToken], issue: Issue) -> str | None:
        """Keeps new tokens; answers the id of the account that they stand for. Raises NotActive."""
        return await self._engine.write(lambda: tokens.add_tokens(new, issue))

    async def use_refresh(
        self,
        token_hash: bytes,
        client: str,
        now: int,
        slides_to: int | None,
        make: Callable[[Refresh], list[NewToken]],
        issue: Issue,
    ) -> str | None:
        """Uses a refresh token for the tokens that `make` makes of it; answers whose they are, None: no such token.

        It lives on until `slides_to`, or with None is spent. One that was spent before revokes its whole family.
        Raises NotActive, and what `make` raises.
        """
        return await self._engine.write(lambda: tokens.use_refresh(token_hash, client, now, slides_to, make, issue))

    async def add_one_time(self, new: OneTime) -> None:
        """Keeps a new code or ticket."""
        await self._engine.write(lambda: one_time.add(new))

    async def exchange(
        self,
        hash_: bytes,
        kind: str,
        client: str,
        now: int,
        check: Callable[[OneTime], None],
        make: Callable[[OneTime], list[NewToken]],
        issue: Issue,
    ) -> tuple[OneTime, str] | None:
        """Spends a code or ticket for tokens; answers it with the reader's id. None: no such thing, or spent before.

        Raises NotActive, and what `check` and `make` raise: then nothing is changed.
        """
        return await self._engine.write(lambda: one_time.exchange(hash_, kind, client, now, check, make, issue))

    async def revoke(self, token_hash: bytes, client: str, issue: Issue) -> bool:
        """Revokes a client's token; with a refresh token all that came from the same login."""
        return await self._engine.write(lambda: tokens.revoke(token_hash, client, issue))

    async def refused(self, organisation: str, client: str, error: str, now: int) -> None:
        """Writes down that a client was refused a token, and how."""
        await self._engine.write(lambda: tokens.refused(organisation, client, error, now))

    async def remove_expired(self, now: int, most: int = 500) -> int:
        return await self._engine.write(lambda: tokens.remove_expired(now, most))

    async def remove_old_one_time(self, now: int, most: int = 500) -> int:
        return await self._engine.write(lambda: one_time.remove_old(now, most))
