"""Runs `stamkund` commands quickly: by a `command_server` that each process of the tests starts when it needs one."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from tests.support import command_server
from tests.support.command_server import STATUS_BYTES, Request

_PATIENCE_SECONDS = 600
"""How long a test waits for a command: it decides nothing but when one that hangs is given up."""


def run(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Runs `stamkund` with these arguments to its end, without input; returns its status, output and errors."""
    request = Request(list(arguments), str(folder), dict(environment))
    with (
        socket.socket(socket.AF_UNIX) as connection,
        Path(os.devnull).open("rb") as nothing,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
    ):
        connection.settimeout(_PATIENCE_SECONDS)
        connection.connect(_server().address)
        streams = [stream.fileno() for stream in (nothing, output, errors)]
        socket.send_fds(connection, [msgspec.json.encode(request)], streams)
        status = connection.recv(STATUS_BYTES)
        assert status, "the process that watches the command died"
        output.seek(0), errors.seek(0)
        return status[0], output.read().decode(), errors.read().decode()


class _Server:
    """The command server of this process, which ends with it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="commands-")
        self.address = str(Path(self._folder.name) / "socket")
        command = [sys.executable, "-m", command_server.__name__, self.address]
        root, pipe = Path(__file__).parents[2], subprocess.PIPE
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=root, env=environment)
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), "the command server did not start"
        atexit.register(self.close)

    def close(self) -> None:
        self._process.communicate()
        self._folder.cleanup()


_server = cache(_Server)
