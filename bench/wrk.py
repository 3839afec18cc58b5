"""wrk as a second client, where it is installed: the same requests, sent by a program that is not ours.

Unlike our own client it sleeps while it waits, and reads responses by a whole HTTP parser.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench import processes
from bench.ours import Rate

CONNECTIONS = 64
_SCRIPT = Path(__file__).with_name("wrk.lua")


class WrkError(Exception):
    """wrk ended with an error, or met responses that were none or refusals."""


class _Measured(msgspec.Struct):
    """What the script prints. `errors`: connections lost, time-outs and statuses of 400 and more."""

    count: int
    seconds: float
    errors: int


def version() -> str | None:
    """The version of the installed wrk, None where there is none."""
    program = shutil.which("wrk")
    if program is None:
        return None
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\d+(?:\.\d+)+", output)
    return match[0] if match else "of unknown version"


def rate(server: processes.Server, requests: Sequence[bytes], seconds: int) -> Rate:
    """One run against a server that is up, after a warm-up of its own. Raises WrkError."""
    with tempfile.NamedTemporaryFile(prefix="bench-wrk-") as file:
        file.write(script_input(requests))
        file.flush()
        _run(server, file.name, 1)
        with server.measured() as spent:
            measured = _run(server, file.name, seconds)
    count = max(measured.count, 1)
    return Rate(measured.count / measured.seconds, spent.cpu_seconds / count * 1e6)


def script_input(requests: Sequence[bytes]) -> bytes:
    """The requests as the script reads them: each behind its length and a line break."""
    return b"".join(b"%d\n%s" % (len(request), request) for request in requests)


def _run(server: processes.Server, file: str, seconds: int) -> _Measured:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(_SCRIPT)]
    command += [f"http://{processes.HOST}:{server.port}", "--", file]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = result.stdout.strip().splitlines()
    if result.returncode or not lines or not lines[-1].startswith("{"):
        raise WrkError(f"wrk ended with {result.returncode}: {result.stdout}{result.stderr}")
    measured = msgspec.json.decode(lines[-1], type=_Measured)
    if measured.errors or not measured.count:
        raise WrkError(f"the run met responses that it did not expect: {result.stdout}")
    return measured
