"""How many statements a call took, on either database, and how many hashes a login."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

import argon2
import pytest

from stamkund.identity import passwords
from stamkund.store import Engine
from stamkund.store.work import MakeWork, Row, Sql, Work

T = TypeVar("T")


class CountingEngine:
    """Stands before an engine and counts what goes through it. A look-up is one statement, a verb each of its steps."""

    def __init__(self, engine: Engine) -> None:
        self.name = engine.name
        self.errors = engine.errors
        self.statements = 0
        self._engine = engine

    async def open(self) -> None:
        await self._engine.open()

    async def close(self) -> None:
        await self._engine.close()

    async def look_up(self, single: Sql, batch: Sql, values: tuple[object, ...]) -> Row | None:
        self.statements += 1
        return await self._engine.look_up(single, batch, values)

    async def read(self, make: MakeWork[T]) -> T:
        return await self._engine.read(lambda: self._counted(make()))

    async def write(self, make: MakeWork[T]) -> T:
        return await self._engine.write(lambda: self._counted(make()))

    def _counted(self, work: Work[T]) -> Work[T]:
        try:
            step = next(work)
            while True:
                self.statements += 1
                step = work.send((yield step))
        except StopIteration as finished:
            response: T = finished.value
            return response


class HashCounter:
    """Counts the password hashes that are computed, from when it is made, for each `email` that is set meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.email = ""
        self.computed: Counter[str] = Counter()
        self._matches = passwords._matches
        monkeypatch.setattr(passwords, "_matches", self._counted)

    def _counted(self, hasher: argon2.PasswordHasher, stored_hash: str, password: str) -> bool:
        self.computed[self.email] += 1
        return self._matches(hasher, stored_hash, password)
