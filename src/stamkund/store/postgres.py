"""The engine for many processes: PostgreSQL through asyncpg.

Look-ups that arrive in the same turn of the event loop become one statement, which doubles the number that a worker can
handle; a batch of one is the single statement. Connections are not reset between uses, because no verb leaves state on
one. A lost connection raises Unavailable, and the next use opens a new one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from stamkund.store import certificates
from stamkund.store.work import BulkInsert, Execute, MakeWork, Row, Sql, Statement, Unavailable, Work

T = TypeVar("T")

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 10
_LOOK_UP_CONNECTIONS = 2
_MAX_BATCH = 128
_MAX_ATTEMPTS = 4

# Out of reach, shutting down, full, out of connections or refusing the login: nothing that another statement could
# change. asyncpg raises InternalClientError for a connection that the server has ended but not yet closed.
_OUT_OF_REACH = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidTransactionStateError,
)
_RETRIED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class PostgresEngine:
    """Runs verbs on a PostgreSQL database, through at most `connections` connections of this process."""

    name = "postgres"
    errors: tuple[type[Exception], ...] = (asyncpg.PostgresError,)

    def __init__(self, url: str, connections: int = 6, *, unlimited: bool = False) -> None:
        """`unlimited`: statements take as long as they need, instead of STATEMENT_SECONDS at most."""
        self.url = url
        self._statement_seconds = None if unlimited else STATEMENT_SECONDS
        self._max_connections = max(connections, _LOOK_UP_CONNECTIONS + 1)
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._batches: dict[Sql, _Batches] = {}

    async def open(self) -> None:
        """Connects. Raises Unavailable, ValueError."""
        with _unavailable():
            try:
                certificates.check(self.url, os.environ)
                self._pool = await self._new_pool()
            except certificates.UnusableCertificate as error:
                raise ValueError(str(error)) from None
            except ValueError:  # its message may quote the password
                raise ValueError(
                    "the database URL must be like postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special "
                    "characters in its parts percent-encoded"
                ) from None

    async def _new_pool(self) -> asyncpg.Pool[asyncpg.Record]:
        return await asyncpg.create_pool(
            self.url,
            min_size=1,
            max_size=self._max_connections,
            timeout=CONNECT_SECONDS,
            command_timeout=self._statement_seconds,
            reset=_no_reset,
            server_settings={
                "application_name": "stamkund",
                "jit": "off",
                "plan_cache_mode": "force_generic_plan",
                # Every statement looks up by key. A plan made while the tables are empty would scan them, and be kept;
                # with these off it uses the index and nested loops, whatever the statistics say.
                "enable_seqscan": "off",
                "enable_hashjoin": "off",
                "enable_mergejoin": "off",
                "timezone": "UTC",
            },
        )

    async def close(self) -> None:
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), CONNECT_SECONDS)
            except TimeoutError:
                self._pool.terminate()
            self._pool = None

    async def look_up(self, single: Sql, batch: Sql, values: tuple[Any, ...]) -> Row | None:
        """The row of a hot-path look-up. `batch` is the same for arrays of values; its column `place` counts from 1."""
        batches = self._batches.get(single)
        if batches is None:
            batches = self._batches[single] = _Batches(self, single.postgres, batch.postgres)
        return await batches.get(values)

    async def read(self, make: MakeWork[T]) -> T:
        """Runs a verb that only reads, in one snapshot. Raises Unavailable, and what the verb raises."""
        return await self._transact(make, isolation="repeatable_read", readonly=True)

    async def write(self, make: MakeWork[T]) -> T:
        """Runs a verb in a transaction of its own; it is durable when this returns."""
        return await self._transact(make, isolation="read_committed", readonly=False)

    async def _transact(self, make: MakeWork[T], *, isolation: Any, readonly: bool) -> T:
        for _ in range(_MAX_ATTEMPTS - 1):
            try:
                return await self._run_transaction(make, isolation=isolation, readonly=readonly)
            except _RETRIED:
                continue
        try:
            return await self._run_transaction(make, isolation=isolation, readonly=readonly)
        except _RETRIED as error:
            raise Unavailable(str(error)) from error

    async def _run_transaction(self, make: MakeWork[T], *, isolation: Any, readonly: bool) -> T:
        async with (
            self.connection() as connection,
            connection.transaction(isolation=isolation, readonly=readonly),
        ):
            return await _run(connection, make())

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy[asyncpg.Record]]:
        """A connection of the pool. Raises Unavailable where the database is out of reach."""
        if self._pool is None:
            raise Unavailable("not connected")
        await _in_task()
        with _unavailable():
            async with self._pool.acquire(timeout=CONNECT_SECONDS) as connection:
                yield connection


class _unavailable:
    """Raises Unavailable for errors that mean that the database is out of reach."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, _OUT_OF_REACH):
            raise Unavailable(f"{type(error).__name__}: {error}") from error


async def _in_task() -> None:
    """The server begins a request outside a task, and a request that waits goes on in one (`server/protocol.py`).

    asyncpg's time limits belong to a task, so a request that has not waited before waits for a turn here.
    """
    if asyncio.current_task() is None:
        await asyncio.sleep(0)


async def _no_reset(_: Any) -> None:
    """No verb leaves state on a connection, and asyncpg's own reset halves the rate of look-ups."""


class _Batches:
    """Batches the look-ups of one query that arrive while others are running."""

    def __init__(self, engine: PostgresEngine, single: str, batch: str) -> None:
        self._engine = engine
        self._single = single
        self._batch = batch
        self._waiting: list[tuple[tuple[Any, ...], asyncio.Future[Row | None]]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._scheduled = False

    async def get(self, values: tuple[Any, ...]) -> Row | None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Row | None] = loop.create_future()
        self._waiting.append((values, future))
        if not self._scheduled and len(self._running) < _LOOK_UP_CONNECTIONS:
            self._scheduled = True
            loop.call_soon(self._start)
        return await future

    def _start(self) -> None:
        self._scheduled = False
        while self._waiting and len(self._running) < _LOOK_UP_CONNECTIONS:
            batch, self._waiting = self._waiting[:_MAX_BATCH], self._waiting[_MAX_BATCH:]
            task = asyncio.get_running_loop().create_task(self._fetch(batch))
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._start()

    async def _fetch(self, batch: list[tuple[tuple[Any, ...], asyncio.Future[Row | None]]]) -> None:
        """Sets the result of every future of the batch, or the error."""
        try:
            async with self._engine.connection() as connection:
                if len(batch) == 1:
                    rows: dict[int, Row | None] = {1: await connection.fetchrow(self._single, *batch[0][0])}
                else:
                    columns = zip(*(values for values, _ in batch), strict=True)
                    batch_rows = await connection.fetch(self._batch, *(list(column) for column in columns))
                    rows = {row["place"]: row for row in batch_rows}
        except Exception as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for place, (_, future) in enumerate(batch, 1):
            if not future.done():
                future.set_result(rows.get(place))


async def _run(connection: asyncpg.pool.PoolConnectionProxy[asyncpg.Record], work: Work[T]) -> T:
    try:
        statement = next(work)
        while True:
            statement = work.send(await _do(connection, statement))
    except StopIteration as finished:
        result: T = finished.value
        return result


async def _do(connection: asyncpg.pool.PoolConnectionProxy[asyncpg.Record], statement: Statement) -> list[Row]:
    if isinstance(statement, Execute):
        return list(await connection.fetch(statement.sql.postgres, *statement.values))
    if isinstance(statement, BulkInsert):
        if statement.rows:
            await connection.copy_records_to_table(statement.table, records=statement.rows, columns=statement.columns)
    elif statement.values:
        await connection.executemany(statement.sql.postgres, statement.values)
    return []
