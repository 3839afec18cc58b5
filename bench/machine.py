"""What a run was made on, in plain sentences: machine, interpreter with its build, database, clients, packages."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
import re
import sqlite3
import subprocess
import sys
import sysconfig
from collections.abc import Mapping

import asyncpg
import psutil

from bench import load, wrk

_PACKAGES = ("uvicorn", "uvloop", "httptools", "msgspec", "asyncpg", "argon2-cffi", "fastapi", "sqlalchemy", "pydantic")


def sentence(postgres_url: str) -> str:
    """All of it. `postgres_url`: a database of the server that is measured."""
    gigabytes = psutil.virtual_memory().total / 2**30
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    return (
        f"{os.cpu_count()} cores ({_processor()}), {gigabytes:.0f} GiB of memory, {platform.system()}. "
        f"{interpreter(sysconfig.get_config_vars())} "
        f"SQLite {sqlite3.sqlite_version}; {asyncio.run(_postgres(postgres_url))}. {clients()} "
        f"Packages: {packages}."
    )


def interpreter(configuration: Mapping[str, object]) -> str:
    """The interpreter and how it was built, by the variables of `sysconfig`.

    Some distributions optimise and leave that out of the variables, so what they do not name may still have been done.
    """
    flags = " ".join(str(configuration.get(name) or "") for name in ("PY_CFLAGS", "PY_CORE_CFLAGS", "CFLAGS_NODIST"))
    options = str(configuration.get("CONFIG_ARGS") or "")
    profiled = "--enable-optimizations" in options or re.search(r"-fprofile-(instr-)?use", flags)
    linked = "--with-lto" in options or "-flto" in flags
    library = " as a shared library" if configuration.get("Py_ENABLE_SHARED") else ""
    debug = "a debug build" if configuration.get("Py_DEBUG") else "not a debug build"
    return (
        f"Python {platform.python_version()} ({sys.implementation.name}), built by {platform.python_compiler()}"
        f"{_level(flags)}{library}, {debug}, {_optimisations(bool(profiled), bool(linked))}."
    )


def _level(flags: str) -> str:
    """The last level of optimisation is the one that counts."""
    levels = re.findall(r"-O\w+", flags)
    return f" with {levels[-1]}" if levels else ""


def _optimisations(profiled: bool, linked: bool) -> str:
    names = {"profile-guided (PGO)": profiled, "link-time (LTO)": linked}
    done = " and ".join(name for name, is_done in names.items() if is_done)
    missing = " or ".join(name for name, is_done in names.items() if not is_done)
    if not missing:
        return f"with {done} optimisation"
    return f"{f'with {done} optimisation, but ' if done else ''}no {missing} optimisation is named in its configuration"


async def _postgres(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        version = await connection.fetchval("SHOW server_version")
        buffers = await connection.fetchval("SHOW shared_buffers")
    finally:
        await connection.close()
    return f"PostgreSQL {version} with shared_buffers {buffers}"


def clients() -> str:
    version = wrk.version()
    second = f", and by wrk {version} in the lines that say so" if version else "; wrk is not installed"
    priority = (
        "" if load.may_go_first() else " Its process had no real-time priority in paced runs: that was not allowed."
    )
    return f"Load by our own client{second}.{priority}"


def _processor() -> str:
    try:
        output = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in output.splitlines() if line.startswith("Model name")]
    return names[0] if names else platform.machine()
