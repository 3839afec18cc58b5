"""Runs `stamkund` commands as processes of their own, forked from one that has loaded everything already.

Starting Python and loading the command line takes longer than most commands do, and the tests run more than a thousand
of them. The process that forks has one thread and has opened nothing, so a command finds what it finds in a fresh
interpreter, but for the modules. `commands.py` starts this program and asks for commands.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import select
import signal
import socket
import sys

import msgspec

import stamkund

STATUS_BYTES = 1
_REQUEST_BYTES = 1 << 20
_DESCRIPTORS = 3


class Request(msgspec.Struct):
    """A command: sent with the descriptors of its standard input, output and error."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]


def load_everything() -> None:
    for module in pkgutil.walk_packages(stamkund.__path__, "stamkund."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def serve(path: str) -> socket.socket:
    """Takes requests until standard input ends; returns only in the process of a command's supervisor."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no supervisor is waited for
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                os._exit(0)
            connection, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return connection
            connection.close()


def become_command(connection: socket.socket) -> None:
    """Forks: the parent reports the status of the child, which returns as the command, with its arguments."""
    content, descriptors, _, _ = socket.recv_fds(connection, _REQUEST_BYTES, _DESCRIPTORS)
    request = msgspec.json.decode(content, type=Request)
    pid = os.fork()
    if pid:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        connection.sendall((status & 0xFF).to_bytes(STATUS_BYTES))
        os._exit(0)
    connection.close()
    for descriptor, standard in zip(descriptors, range(_DESCRIPTORS), strict=True):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.argv[1:] = request.arguments


def measure_coverage() -> None:
    """Counts what the command runs, if the tests count it; the process that forks counts nothing (`commands.py`)."""
    if any(name.startswith("COVERAGE_PROCESS") for name in os.environ):
        import coverage

        coverage.process_startup()


def main() -> None:
    load_everything()
    become_command(serve(sys.argv[1]))
    measure_coverage()
    sys.argv[0] = "stamkund"
    from stamkund.__main__ import main as command

    command()


if __name__ == "__main__":
    main()
