"""Servers as processes: start one, wait for its port, see what it costs, stop it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Usage:
    """What a process and its children have used up to now."""

    cpu_seconds: float
    private_bytes: int
    processes: int


@dataclass
class Spent:
    """What was used between two moments; filled in when the measured block ends."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    private_bytes_before: int = 0
    private_bytes_after: int = 0

    @property
    def cores(self) -> float:
        """Average number of busy cores."""
        return self.cpu_seconds / self.seconds if self.seconds else 0.0


class ServerError(Exception):
    """The server ended, or never listened."""


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def usage(pid: int) -> Usage:
    """Read what the process and its living and reaped children have used.

    Private memory is the unique set size: pages shared between workers, or PostgreSQL's shared
    buffers, would otherwise be counted once for each process.
    """
    parent = psutil.Process(pid)
    cpu, private, count = _own_usage(parent)
    reaped = parent.cpu_times()
    cpu += reaped.children_user + reaped.children_system
    for child in parent.children(recursive=True):
        # A child may end between the listing and the reading; it is then the parent's, reaped.
        with contextlib.suppress(psutil.NoSuchProcess):
            child_cpu, child_private, _ = _own_usage(child)
            cpu, private, count = cpu + child_cpu, private + child_private, count + 1
    return Usage(cpu, private, count)


def _own_usage(process: psutil.Process) -> tuple[float, int, int]:
    times = process.cpu_times()
    return times.user + times.system, int(process.memory_full_info().uss), 1


@contextlib.contextmanager
def measured(pid: int) -> Iterator[Spent]:
    """Measure what the process uses while the block runs."""
    spent = Spent()
    before, start = usage(pid), time.perf_counter()
    yield spent
    spent.seconds = time.perf_counter() - start
    after = usage(pid)
    spent.cpu_seconds = after.cpu_seconds - before.cpu_seconds
    spent.private_bytes_before = before.private_bytes
    spent.private_bytes_after = after.private_bytes


@dataclass
class Server:
    """A server command under way; use it as a context manager."""

    command: Sequence[str]
    port: int
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    start_seconds: float = 30.0
    stop_seconds: float = 10.0
    ready_after: float = field(default=0.0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _log: Path | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ServerError("not started")
        return self._process.pid

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the command and return once its port accepts; `ready_after` is how long it took."""
        if _accepts(self.port):
            raise ServerError(f"port {self.port} is taken: the measurement would be of another server")
        handle, name = tempfile.mkstemp(prefix="bench-server-", suffix=".log")
        self._log = Path(name)
        started = time.perf_counter()
        with os.fdopen(handle, "wb") as log:
            self._process = subprocess.Popen(
                list(self.command),
                env={**os.environ, **self.env},
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group, so that workers can be stopped together with their parent; in our session, because Linux
                # may share the cores out by session first, and then the hashing threads' priority says little.
                process_group=0,
            )
        try:
            self._wait(started + self.start_seconds)
        except BaseException:
            self.stop()
            raise
        self.ready_after = time.perf_counter() - started

    def _wait(self, deadline: float) -> None:
        assert self._process is not None
        while not _accepts(self.port):
            if self._process.poll() is not None:
                raise ServerError(f"ended with {self._process.returncode}:\n{self.log_tail()}")
            if time.perf_counter() > deadline:
                raise ServerError(f"nothing on port {self.port} in {self.start_seconds} s:\n{self.log_tail()}")
            time.sleep(0.02)

    def log_tail(self, size: int = 4000) -> str:
        """Return the end of what the server has written so far."""
        return self._log.read_bytes()[-size:].decode(errors="replace") if self._log else ""

    def usage(self) -> Usage:
        return usage(self.pid)

    def measured(self) -> contextlib.AbstractContextManager[Spent]:
        """Measure this server while the block runs."""
        return measured(self.pid)

    def stop(self) -> None:
        """Terminate the server, and kill its whole process group if it does not end."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self.stop_seconds)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if self._log is not None:
            self._log.unlink(missing_ok=True)
            self._log = None


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=0.5):
            return True
    except OSError:
        return False
