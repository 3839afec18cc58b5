"""The schemes that libpass, the maintained fork of passlib, computes. Imported at the first such hash."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from typing import Any

from stamkund.identity.imported_hashes.form import Check, Secrets

_WARNINGS = threading.Lock()
"""Which warnings are shown is one list for all threads, and hashes are verified in several."""


def parsed_with(scheme: str, text: str) -> Any:
    """A hash as libpass parses it. Raises ValueError where it is damaged."""
    with _WARNINGS, warnings.catch_warnings(action="ignore"):  # old libraries set unused bits
        return _handler(scheme).from_string(text)


def check_with(scheme: str, text: str, max_secret: int | None = None) -> Check:
    """`max_secret`: how long a password may be, in bytes; a longer one does not match. Raises ValueError."""
    parsed_with(scheme, text)
    handler = _handler(scheme)

    def check(readings: Sequence[bytes], _: Secrets) -> bool:
        return any(
            handler.verify(reading, text) for reading in readings if max_secret is None or len(reading) <= max_secret
        )

    return check


def _handler(scheme: str) -> Any:
    from passlib import hash as schemes

    return getattr(schemes, scheme)
