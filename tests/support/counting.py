"""How many statements a call took, on either database, how many hashes a login, and what was normalised for it."""

from __future__ import annotations

import threading
import unicodedata
from collections import Counter
from types import SimpleNamespace
from typing import Any, TypeVar

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

    def _counted(self, *arguments: Any, **options: Any) -> bool:
        self.computed[self.email] += 1
        return self._matches(*arguments, **options)


COMBINING = "a" + "\u0345" * 15_800 + "\u0316" * 15_800
"""What took four seconds to normalise: the time grows with the square of the length."""


class NormalisingRecorder:
    """Records how long the passwords were that were normalised, and by which threads, from when it is made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._calls: list[tuple[int, str]] = []
        monkeypatch.setattr(passwords, "unicodedata", SimpleNamespace(normalize=self._normalise))

    def assert_bounded(self) -> None:
        """None that is too long was normalised, and none on the event loop."""
        assert self._calls, "no password was hashed"
        assert max(length for length, _ in self._calls) <= 1024
        assert all(thread.startswith("stamkund-hashing") for _, thread in self._calls)

    def _normalise(self, form: str, text: str) -> str:
        self._calls.append((len(text), threading.current_thread().name))
        return unicodedata.normalize("NFC", text)


class HeldHashing:
    """Has every password that is verified wait, in its thread, until `release`; counts them. A context."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        self._released = threading.Event()
        self._matches = passwords._matches
        monkeypatch.setattr(passwords, "_matches", self._held)

    def __enter__(self) -> HeldHashing:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        self._released.set()

    def _held(self, *arguments: Any, **options: Any) -> bool:
        self.begun += 1
        assert self._released.wait(60)
        return self._matches(*arguments, **options)
