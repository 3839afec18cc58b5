"""The PostgreSQL server that is measured: as a server of its own on this machine would be set up."""

from __future__ import annotations

import psutil
from tests.support.postgres_server import PostgresServer

_MEBIBYTE = 2**20


def server() -> PostgresServer:
    return PostgresServer(settings(psutil.virtual_memory().total))


def settings(memory: int) -> dict[str, str]:
    """What the tests' server has otherwise. `memory`: that of the machine, in bytes."""
    return {
        # What PostgreSQL's documentation recommends for a server of its own.
        "shared_buffers": f"{memory // 4 // _MEBIBYTE}MB",
        # Files instead of /dev/shm, which is small in many containers. Shared buffers are not there anyway.
        "dynamic_shared_memory_type": "mmap",
        # No checkpoint while something is measured: those who load much make one when they are done.
        "max_wal_size": "8GB",
        "checkpoint_timeout": "1h",
    }
