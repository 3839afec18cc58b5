"""Clean up after a test server whose test process is gone, however it ended.

``atexit`` does not run when the test process is killed, so every `PostgresServer` starts this file as a
small process of its own that reads a pipe from the test process. The system closes the pipe when the test
process ends, for whatever reason, SIGKILL included; the watcher then ends the server and removes its folder.

Linux also offers PR_SET_PDEATHSIG, but that signal comes when the *thread* that started the server ends (so a
server started through ``asyncio.to_thread`` could die in the middle of a test), it exists on no other system,
and it leaves the folder behind.
"""

import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil

# psutil has no annotations of its own, and its stubs are not always installed.
Process = Any


def processes_of(folder: Path) -> list[Process]:
    """Return the processes working on a server folder: all that name it, and their children.

    The children are needed because PostgreSQL rewrites their arguments ("postgres: checkpointer"), and a
    process group would not do because each of them starts a group of its own.
    """
    processes: dict[int, Process] = {}
    for process in psutil.process_iter(["cmdline"]):
        arguments = process.info["cmdline"] or []
        if any(str(folder) in argument for argument in arguments) and __file__ not in arguments:
            processes[process.pid] = process
    for process in list(processes.values()):
        try:
            processes |= {child.pid: child for child in process.children(recursive=True)}
        except psutil.NoSuchProcess:
            continue
    return list(processes.values())


def send(processes: list[Process], number: signal.Signals) -> None:
    """Send a signal to processes, some of which may have ended already."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def end_processes(folder: Path, patience: float = 5.0) -> None:
    """End whatever still runs in a server folder.

    SIGQUIT comes first because a server that stops by itself gives its shared memory back; SIGKILL follows
    for those that do not listen.
    """
    processes = processes_of(folder)
    if not (folder / "server.log").exists():
        # Not started yet, so this is initdb, whose helpers keep shared memory if they are interrupted.
        wait_for(processes, patience)
    send(processes, signal.SIGCONT)  # a paused process would not hear anything else
    send(processes, signal.SIGQUIT)
    send(wait_for(processes, patience), signal.SIGKILL)
    wait_for(processes, patience)


def wait_for(processes: list[Process], patience: float) -> list[Process]:
    """Wait until processes have ended; return those that have not."""
    deadline = time.monotonic() + patience
    while alive := [process for process in processes if not has_ended(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return alive


def has_ended(process: Process) -> bool:
    """Return whether a process has ended, be it as a zombie: in many containers orphans are not collected."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def clean_up(folder: Path) -> None:
    """End what still runs in a server folder and remove the folder, which may be gone already."""
    for _ in range(20):
        end_processes(folder)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def main() -> None:
    """Wait until the test process lets go of the pipe, then clean up."""
    # Whoever ends the tests with a signal to all their processes must not end the clean-up with it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    clean_up(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
