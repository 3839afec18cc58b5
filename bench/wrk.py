"""wrk as a second client, where it is installed: the same requests, sent by a program that is not ours."""

from __future__ import annotations

import re
import shutil
import subprocess


def version() -> str | None:
    """The version of the installed wrk, None where there is none."""
    program = shutil.which("wrk")
    if program is None:
        return None
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\d+(?:\.\d+)+", output)
    return match[0] if match else "of unknown version"
