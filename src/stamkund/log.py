"""Structured logs: one JSON object a line, on standard error.

A line says what happened to which request of which client. It never holds a query string, a body, a header or other
personal data: log ids, counts and the names of errors, nothing that somebody entered.

Lines are buffered for up to a fifth of a second, because a write for each request costs more than reading an account;
warnings and errors are written immediately. What libraries log, and errors that nobody caught, become such lines too.
"""

from __future__ import annotations

import asyncio
import atexit
import errno
import io
import logging
import logging.config
import sys
import threading
import time
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


class _LineWriter:
    """Writes lines to a stream: warnings and errors immediately, other lines buffered.

    If the log can't be written (the disk is full, its reader is gone), lines are lost: no request fails because of it.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def info(self, line: bytes) -> None:
        try:  # noqa: SIM105 (`suppress` takes half a microsecond more, for each request)
            self._stream.write(line + b"\n")
        except OSError:
            pass

    def error(self, line: bytes) -> None:
        self.info(line)
        self.flush()

    debug = info
    warning = error

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


class _Configuration:
    """The configuration of the process."""

    writer = _LineWriter(io.BytesIO())
    requests = False


def configure(level: str, stream: BinaryIO | None = None) -> None:
    """Configures logging for the whole process. Requests are only logged at levels up to info."""
    raw = stream or io.BufferedWriter(io.FileIO(sys.stderr.fileno(), "wb", closefd=False), 1 << 16)
    _Configuration.writer = _LineWriter(raw)
    _Configuration.requests = _LEVELS[level] <= _LEVELS["info"]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.JSONRenderer(serializer=_encode_event),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda: _Configuration.writer,
        cache_logger_on_first_use=False,
    )
    atexit.register(flush)


LIBRARIES: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"lines": {"class": "stamkund.log.LibraryLines"}},
    "root": {"handlers": ["lines"], "level": "WARNING"},
}
"""The configuration of the standard library's logging: what libraries log are lines of ours."""

_FORMATTED = ("uvicorn", "py.warnings")
"""Libraries whose messages are about the server alone. Others quote what they worked on: of them the text is logged
that stands in their source, without what was filled in."""


class LibraryLines(logging.Handler):
    """Makes lines of ours of what libraries log by the standard library's logging."""

    def emit(self, record: logging.LogRecord) -> None:
        if not structlog.is_configured():  # a worker that has not come to its settings yet
            configure("info")
        formatted = record.name.partition(".")[0] in _FORMATTED or record.name in _FORMATTED
        text = record.getMessage() if formatted else str(record.msg)
        error = record.exc_info[1] if record.exc_info else None
        level = (
            "error" if record.levelno >= logging.ERROR else "warning" if record.levelno >= logging.WARNING else "info"
        )
        fields = {} if error is None else where(error)
        getattr(get(), level)(text.partition("\n")[0], library=record.name, **fields)


def take_over() -> None:
    """Makes lines of ours of everything that would be written to standard error in this process."""
    logging.config.dictConfig(LIBRARIES)
    logging.captureWarnings(True)
    sys.excepthook = lambda _, error, __: _uncaught(error)
    threading.excepthook = lambda arguments: _uncaught(arguments.exc_value)


def _uncaught(error: BaseException | None) -> None:
    if error is not None:
        get().error("uncaught error", **where(error))


def get() -> Any:
    """The logger, for everything but requests."""
    return structlog.get_logger()


class _RequestLine(msgspec.Struct):
    id: str
    client: str
    call: str | None
    status: int
    ms: float
    at: str
    event: str = "request"
    level: str = "info"


def request(request_id: str, client: str, call: str | None, status: int, started: float, now: int) -> None:
    """Logs a request after its response. `call`: its method and documented path, None for an unknown path.

    `started`: by `time.perf_counter`, in seconds; `now`: by the service's clock.
    """
    if _Configuration.requests:
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        line = _RequestLine(request_id, client, call, status, milliseconds, _timestamp(now))
        _Configuration.writer.info(_encode(line))


@lru_cache(maxsize=8)
def _timestamp(now: int) -> str:
    """ISO 8601 in UTC. Many requests finish within the same second."""
    return datetime.fromtimestamp(now, UTC).isoformat()


def flush() -> None:
    """Writes the buffered lines."""
    _Configuration.writer.flush()


async def flush_forever() -> None:
    while True:
        await asyncio.sleep(_FLUSH_SECONDS)
        flush()


def where(error: BaseException) -> dict[str, Any]:
    """Fields that describe an error: its type and stack trace. Its message is left out, because it may quote input."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": _type_and_code(error),
        "cause": None if error.__cause__ is None else _type_and_code(error.__cause__),
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _type_and_code(error: BaseException) -> str:
    """The type of an error, with the code of the system or the database where it has one (ENOSPC, SQLITE_FULL)."""
    number = getattr(error, "errno", None)
    code = errno.errorcode.get(number) if isinstance(number, int) else getattr(error, "sqlite_errorname", None)
    return f"{type(error).__module__}.{type(error).__qualname__}{f' {code}' if code else ''}"


def _encode_event(event: MutableMapping[str, Any], **_: Any) -> bytes:
    return _encode(event)
