"""Structured logs: one JSON object a line, on standard error.

A line says what happened to which request of which client. It never holds a query string, a body, a header or anything
else about a person: log ids, counts and the names of errors, nothing that somebody typed in.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, BinaryIO

import msgspec
import structlog

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(level: str, stream: BinaryIO | None = None) -> None:
    """Sets the whole process's logging up."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(stream or sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )


def get() -> Any:
    return structlog.get_logger()


def where(error: BaseException) -> dict[str, Any]:
    """An error for the log: its type and the places it passed, without its message, which may quote what was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": f"{type(error).__module__}.{type(error).__qualname__}",
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _line(event: MutableMapping[str, Any], **_: Any) -> bytes:
    return msgspec.json.encode(event)
