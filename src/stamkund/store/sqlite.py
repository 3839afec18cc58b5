"""The embedded engine: SQLite in this process.

Reads run on the event loop, because a prepared look-up takes less time than handing it to a thread. Writes go through
one thread, which commits all waiting verbs in one transaction: before a write returns it is on the disk
(synchronous=FULL), and under load many writes share one sync. Each verb has a savepoint, so that a failing one does not
affect the others. Several processes may use the file; SQLite's own lock queues their writers.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from stamkund.store.work import BulkInsert, Execute, ExecuteMany, MakeWork, Row, Sql, Statement, Unavailable, Work

T = TypeVar("T")

LOCK_WAIT_SECONDS = 15
"""How long a writer waits for another process's transaction before it raises Unavailable."""
_MAPPED_BYTES = 1 << 34
_MAX_VERBS_IN_ONE_COMMIT = 200


class _Job:
    """One verb on its way through the writer thread."""

    __slots__ = ("error", "make", "notify", "result")

    def __init__(self, make: MakeWork[Any], notify: Callable[[], None]) -> None:
        self.make = make
        self.notify = notify
        self.result: Any = None
        self.error: BaseException | None = None


class SqliteEngine:
    """Runs verbs on one SQLite file."""

    name = "sqlite"
    errors: tuple[type[Exception], ...] = (sqlite3.Error,)

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader: sqlite3.Connection | None = None
        self._lookups: sqlite3.Cursor | None = None
        self._in_turn = False
        self._writer: threading.Thread | None = None
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()

    async def open(self) -> None:
        """Opens the file, or creates it. Raises Unavailable."""
        try:
            self.path.touch(mode=0o600, exist_ok=True)
            lookups = _connect(self.path)
            lookups.text_factory = bytes  # documents go to the decoder as they are
            self._lookups = lookups.cursor()
            self._reader = _connect(self.path)
            writing = _connect(self.path)
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(f"cannot open {self.path}: {error}") from error
        self._writer = threading.Thread(target=self._write_jobs, args=(writing,), name="stamkund-writer")
        self._writer.start()

    async def close(self) -> None:
        if self._writer is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._writer.join)
            self._writer = None
        if self._lookups is not None:
            self._lookups.connection.close()
        if self._reader is not None:
            self._reader.close()
        self._lookups = self._reader = None

    async def look_up(self, single: Sql, batch: Sql, values: tuple[Any, ...]) -> Row | None:
        """The row of a hot-path look-up; its texts are bytes. `batch` is for engines that batch look-ups."""
        assert self._lookups is not None
        try:
            if not self._in_turn:
                self._begin_turn(self._lookups)
            rows: list[Row] = self._lookups.execute(single.sqlite, values).fetchall()
        except sqlite3.Error as error:
            raise Unavailable(str(error)) from error
        return rows[0] if rows else None

    def _begin_turn(self, cursor: sqlite3.Cursor) -> None:
        """Look-ups of one turn of the event loop share a snapshot, so that not each of them has to lock the file.

        The turn ends before requests that arrive later are handled, because the loop keeps their order: a client that
        got a response about a change, from this process or another, makes its next request in a later turn and sees it.
        """
        cursor.execute("BEGIN")
        self._in_turn = True
        asyncio.get_running_loop().call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self._in_turn = False
        if self._lookups is not None:
            with suppress(sqlite3.Error):
                self._lookups.execute("COMMIT")

    async def read(self, make: MakeWork[T]) -> T:
        """Runs a verb that only reads, in one snapshot. Raises Unavailable, and what the verb raises."""
        assert self._reader is not None
        try:
            self._reader.execute("BEGIN")
            try:
                return _run(self._reader, make())
            finally:
                self._reader.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise Unavailable(str(error)) from error

    async def write(self, make: MakeWork[T]) -> T:
        """Runs a verb in a transaction of its own; it is on the disk when this returns."""
        loop = asyncio.get_running_loop()
        finished = asyncio.Event()
        job = _Job(make, lambda: _wake(loop, finished))
        self._jobs.put(job)
        await finished.wait()
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def _write_jobs(self, connection: sqlite3.Connection) -> None:
        while (first := self._jobs.get()) is not None:
            jobs = [first]
            stop = False
            while len(jobs) < _MAX_VERBS_IN_ONE_COMMIT and not self._jobs.empty():
                job = self._jobs.get()
                if job is None:
                    stop = True
                    break
                jobs.append(job)
            _commit_together(connection, jobs)
            for job in jobs:
                job.notify()
            if stop:
                break
        connection.close()


def _wake(loop: asyncio.AbstractEventLoop, finished: asyncio.Event) -> None:
    """Tells the event loop that its verb is finished; a closed loop has nothing waiting any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(finished.set)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=LOCK_WAIT_SECONDS, check_same_thread=False, cached_statements=256
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -8000")
    connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
    return connection


def _commit_together(connection: sqlite3.Connection, jobs: list[_Job]) -> None:
    """Runs the jobs in one transaction. If the transaction itself fails, all of them fail."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        for job in jobs:
            _run_job(connection, job)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            with suppress(sqlite3.Error):  # it has been rolled back already, or will be before the next transaction
                connection.execute("ROLLBACK")
        for job in jobs:
            job.error = Unavailable(str(error))
            job.error.__cause__ = error


def _run_job(connection: sqlite3.Connection, job: _Job) -> None:
    """Runs one verb in a savepoint. Raises sqlite3.Error where the whole transaction has failed."""
    connection.execute("SAVEPOINT verb")
    try:
        job.result = _run(connection, job.make())
    except sqlite3.IntegrityError as error:  # a constraint: only this verb fails
        job.error = error
        connection.execute("ROLLBACK TO verb")
    except sqlite3.Error:
        raise
    except Exception as error:
        job.error = error
        connection.execute("ROLLBACK TO verb")
    connection.execute("RELEASE verb")


def _run(connection: sqlite3.Connection, work: Work[T]) -> T:
    try:
        statement = next(work)
        while True:
            statement = work.send(_do(connection, statement))
    except StopIteration as finished:
        result: T = finished.value
        return result


def _do(connection: sqlite3.Connection, statement: Statement) -> list[Row]:
    if isinstance(statement, Execute):
        rows: list[Row] = connection.execute(statement.sql.sqlite, _plain(statement.values)).fetchall()
        return rows
    if isinstance(statement, ExecuteMany):
        connection.executemany(statement.sql.sqlite, statement.values)
    elif isinstance(statement, BulkInsert):
        connection.executemany(statement.insert, statement.rows)
    return []


def _plain(values: Sequence[Any]) -> Sequence[Any]:
    """Lists become JSON, for json_each."""
    if any(isinstance(value, list) for value in values):
        return [msgspec.json.encode(v).decode() if isinstance(v, list) else v for v in values]
    return values


def back_up(source: Path, target: Path) -> None:
    """Copies a database file, with all that has been committed, to a new file that only its owner can read.

    Servers may go on writing. Raises Unavailable, FileExistsError.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        original = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
        with closing(original), closing(sqlite3.connect(target)) as copy:
            original.backup(copy)
    except (sqlite3.Error, OSError) as error:
        target.unlink(missing_ok=True)
        raise Unavailable(f"cannot copy {source} to {target}: {error}") from error
