"""An import that is interrupted or killed: whole batches are stored, and its parser ends with it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from stamkund.importing import beside
from stamkund.importing.run import LARGE_BATCH
from tests.support.installation import COMMAND, ORGANISATION, Installation
from tests.support.rows import halves, rows
from tests.support.waiting import until

ROWS = 60_000
INTERRUPTED = 130

pytestmark = pytest.mark.skipif(beside.usable_cores() < 2, reason="on one core files are read by the import itself")


def large_file(folder: Path) -> Path:
    """Customers that take some seconds to import, and more bytes than are read ahead."""
    path = folder / "customers.csv"
    street = "x" * 300
    with path.open("w") as file:
        file.write("customer_number,first_name,identity_mapping.crm,address.street\n")
        file.writelines(f"{n},Åsa,{n},{street}\n" for n in range(ROWS))
    assert path.stat().st_size > 2 * beside.LARGE_BYTES
    return path


@contextmanager
def importing(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    command = [COMMAND, "import", "customers", str(large_file(installation.folder)), "--organisation", ORGANISATION]
    process = subprocess.Popen(
        command,
        env=installation.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def interrupt_both(process: subprocess.Popen[bytes], parser: psutil.Process) -> None:
    """As a terminal does with Ctrl-C, and as a supervisor may that signals every process that it finds."""
    os.killpg(process.pid, signal.SIGINT)
    parser.send_signal(signal.SIGINT)


def kill(process: subprocess.Popen[bytes], _: psutil.Process) -> None:
    process.kill()


@pytest.mark.parametrize(("strike", "status"), [(interrupt_both, INTERRUPTED), (kill, -signal.SIGKILL)])
async def test_an_import_that_ends_early(
    installation: Installation, strike: Callable[[subprocess.Popen[bytes], psutil.Process], None], status: int
) -> None:
    async def stored() -> int:
        ((count,),) = await rows(installation.database_url, "SELECT count(*) FROM customers")
        return int(count)

    async def has_begun() -> bool:
        return await stored() > 0

    with importing(installation) as process:
        await until(has_begun)
        (parser,) = psutil.Process(process.pid).children()
        assert os.getpgid(parser.pid) != os.getpgid(process.pid)  # Ctrl-C at a terminal reaches the import alone
        strike(process, parser)
        output, errors = await asyncio.to_thread(process.communicate)
        assert process.returncode == status
        printed = b" created, " in output, b"What was imported so far stays" in errors
        assert printed == (status == INTERRUPTED,) * 2
        await until(lambda: not parser.is_running())
    count = await stored()
    assert 0 < count < ROWS and count % LARGE_BATCH == 0
    assert await halves(installation.database_url) == []
    path = str(installation.folder / "customers.csv")
    done = installation.do("import", "customers", path, "--organisation", ORGANISATION)
    assert done.output == f"{ROWS - count} created, 0 updated, {count} unchanged, 0 rejected\n"
