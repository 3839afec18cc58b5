"""The clock that everything asks, so that a test can set it."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Gives the moment now: whole seconds since 1970, UTC."""


def system_clock() -> int:
    return int(time.time())
