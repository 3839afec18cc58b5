"""Reading in a process beside the import, so that files are checked while the database is written.

The process is a Python of its own (`parser_process`), because the import has threads, and a fork of them may hold
locks for ever. It gets its job, and gives its steps, through pipes. A pipe and the buffer behind it hold a few steps;
when they are full, the parser waits.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import msgspec

from stamkund.importing.messages import LENGTH_BYTES, End, Message, PreparedRow, Start, decode, unpacked
from stamkund.importing.report import CannotRun
from stamkund.importing.steps import File, Job, Step
from stamkund.rules.timestamps import zone
from stamkund.store import Documents

LARGE_BYTES = 8 << 20
BUFFER_BYTES = 4 << 20
"""The parser waits while twice as much is buffered."""
_COMMAND = (sys.executable, "-P", "-m", "stamkund.importing.parser_process")


def are_large(files: Sequence[File]) -> bool:
    """Whether reading the files takes much longer than starting a process that reads them.

    Never large is what only this process can open by a name that can be sent: a pipe, a redirected file in a folder
    that is closed to the caller, a name that is not Unicode.
    """
    try:
        paths = [Path(file.path).resolve() for file in files]
        for text in (*map(str, paths), *(file.name for file in files)):
            text.encode()
        if any(not path.is_file() or path.is_relative_to("/dev") for path in paths):
            return False
        return sum(path.stat().st_size for path in paths) >= LARGE_BYTES
    except (OSError, UnicodeEncodeError):
        return False


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@asynccontextmanager
async def steps(job: Job, documents: Documents) -> AsyncIterator[AsyncIterator[Step[PreparedRow]]]:
    """The steps of a job, which another process reads; it ends with the context. Iterating raises CannotRun."""
    process = _started(job, documents)
    assert process.stdout is not None
    stream = asyncio.StreamReader(limit=BUFFER_BYTES)
    try:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), process.stdout
        )
        try:
            async with aclosing(_steps(process, stream, job, documents)) as received:
                yield received
        finally:
            transport.close()
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def _started(job: Job, documents: Documents) -> subprocess.Popen[bytes]:
    start = msgspec.msgpack.encode(Start(_resolved(job), os.fsencode(documents.key_file)))
    # A process group of its own: Ctrl-C at a terminal reaches the import alone, which then ends the parser.
    try:
        process = subprocess.Popen(  # noqa: S603  (this Python, and a module of ours)
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
    except OSError as error:
        raise CannotRun(f"The process that reads the files cannot be started: {error.strerror}.") from None
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as pipe:  # that it has ended is noticed by whoever reads its steps
        pipe.write(start)
    return process


def _resolved(job: Job) -> Job:
    """The job with paths that are the same file in another process, which `/dev/stdin` is not."""
    return msgspec.structs.replace(
        job,
        customers=_resolved_file(job.customers),
        subscriptions=None if job.subscriptions is None else _resolved_file(job.subscriptions),
    )


def _resolved_file(file: File) -> File:
    return File(file.name, str(Path(file.path).resolve()))


async def _steps(
    process: subprocess.Popen[bytes], stream: asyncio.StreamReader, job: Job, documents: Documents
) -> AsyncGenerator[Step[PreparedRow]]:
    """The steps, each of which is received while the one before it is stored."""
    today = zone(job.organisation.timezone).today(job.now)
    coming = asyncio.create_task(_received(process, stream))
    try:
        while not isinstance(message := await coming, End):
            coming = asyncio.create_task(_received(process, stream))
            yield unpacked(message, job, documents, today)
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
    process.wait()
    if message.cannot_run is not None:
        raise CannotRun(message.cannot_run)


async def _received(process: subprocess.Popen[bytes], stream: asyncio.StreamReader) -> Message:
    try:
        length = int.from_bytes(await stream.readexactly(LENGTH_BYTES), "big")
        return decode(await stream.readexactly(length))
    except asyncio.IncompleteReadError:
        raise CannotRun(
            f"The process that reads the files ended by itself ({_how_it_ended(process)}). What was imported so far "
            "stays: the same import can simply be run again."
        ) from None


def _how_it_ended(process: subprocess.Popen[bytes]) -> str:
    status = process.wait()
    if status >= 0:
        return f"exit status {status}"
    return signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
