"""Verbs as methods: `@reads` and `@writes` turn a generator method into one that runs on the store's engine.

A verb is written as a generator (`work.py`) and called as a coroutine, `await store.accounts.activate(…)`. Each call is
one transaction. What two verbs share is an undecorated generator, used with `yield from`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from stamkund.store.documents import Documents
from stamkund.store.engine import Engine
from stamkund.store.work import Work

T = TypeVar("T")
P = ParamSpec("P")
V = TypeVar("V", bound="Verbs")


class Verbs:
    """The verbs about one subject. Every verb raises Unavailable when the database is out of reach."""

    def __init__(self, engine: Engine, documents: Documents) -> None:
        self._engine = engine
        self._documents = documents


def reads(verb: Callable[Concatenate[V, P], Work[T]]) -> Callable[Concatenate[V, P], Coroutine[Any, Any, T]]:
    """A verb that only reads, in one snapshot."""

    @wraps(verb)
    async def run(self: V, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._engine.read(lambda: verb(self, *args, **kwargs))

    return run


def writes(verb: Callable[Concatenate[V, P], Work[T]]) -> Callable[Concatenate[V, P], Coroutine[Any, Any, T]]:
    """A verb that is a transaction of its own; what it wrote is durable when the call returns."""

    @wraps(verb)
    async def run(self: V, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._engine.write(lambda: verb(self, *args, **kwargs))

    return run
