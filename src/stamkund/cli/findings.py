"""What `stamkund doctor` finds: good (True), wrong (`FAILED`), or advice (`NOTE`), which leaves its exit status 0."""

from __future__ import annotations

FAILED = False
NOTE = None

Finding = tuple[bool | None, str]
