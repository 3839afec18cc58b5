"""Structured logs: one JSON object a line, on standard error.

A line says what happened to which request of which client. It never holds a query string, a body, a header or anything
else about a person: log ids, counts and the names of errors, nothing that somebody typed in.

Lines gather for up to a fifth of a second before they are written, because a write for each request costs more than
reading an account; warnings and errors are written at once.
"""

from __future__ import annotations

import asyncio
import atexit
import errno
import io
import sys
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO

import msgspec
import structlog

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_FLUSH_SECONDS = 0.2
_encode = msgspec.json.Encoder().encode


class _Lines:
    """Writes lines to a stream; what went wrong at once, the rest by and by.

    A log that can't be written (its disk is full, its reader is gone) loses lines: that must not cost an answer.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def info(self, line: bytes) -> None:
        with suppress(OSError):
            self._stream.write(line + b"\n")

    def error(self, line: bytes) -> None:
        self.info(line)
        self.flush()

    debug = info
    warning = error

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


class _State:
    """The one set-up of the process."""

    lines = _Lines(io.BytesIO())
    requests = False


def configure(level: str, stream: BinaryIO | None = None) -> None:
    """Sets the whole process's logging up. At levels above info no request is logged."""
    raw = stream or io.BufferedWriter(io.FileIO(sys.stderr.fileno(), "wb", closefd=False), 1 << 16)
    _State.lines = _Lines(raw)
    _State.requests = _LEVELS[level] <= _LEVELS["info"]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.JSONRenderer(serializer=_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda: _State.lines,
        cache_logger_on_first_use=False,
    )
    atexit.register(flush)


def get() -> Any:
    """The logger for everything but requests."""
    return structlog.get_logger()


def request(request_id: str, client: str, call: str | None, status: int, seconds: float, now: int) -> None:
    """The line of one answered request. `call` is its method and documented path, None for a path that is not ours."""
    if _State.requests:
        _State.lines.info(
            _encode(
                {
                    "event": "request",
                    "id": request_id,
                    "client": client,
                    "call": call,
                    "status": status,
                    "ms": round(seconds * 1000, 2),
                    "level": "info",
                    "at": _timestamp(now),
                }
            )
        )


@lru_cache(maxsize=8)
def _timestamp(now: int) -> str:
    """ISO 8601 in UTC. Many requests finish within the same second."""
    return datetime.fromtimestamp(now, UTC).isoformat()


def flush() -> None:
    """Writes what has gathered."""
    _State.lines.flush()


async def flush_forever() -> None:
    while True:
        await asyncio.sleep(_FLUSH_SECONDS)
        flush()


def where(error: BaseException) -> dict[str, Any]:
    """An error for the log: its type and the places it passed, without its message, which may quote what was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": _kind(error),
        "cause": None if error.__cause__ is None else _kind(error.__cause__),
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _kind(error: BaseException) -> str:
    """The type of an error and, where the system or the database has one, its code (ENOSPC, SQLITE_FULL)."""
    number = getattr(error, "errno", None)
    code = errno.errorcode.get(number) if isinstance(number, int) else getattr(error, "sqlite_errorname", None)
    return f"{type(error).__module__}.{type(error).__qualname__}{f' {code}' if code else ''}"


def _line(event: MutableMapping[str, Any], **_: Any) -> bytes:
    return _encode(event)
