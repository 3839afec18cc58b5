"""The clock, which is passed to everything that needs the time, so that tests can set it."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns the present time as a timestamp: whole seconds since 1970, UTC."""


def system_clock() -> int:
    return int(time.time())
