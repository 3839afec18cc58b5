"""A PostgreSQL that restarts in the middle of an import is waited for; one that stays away ends it with a sentence."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from stamkund.importing import CannotRun, Summary, import_customers, run
from stamkund.rules.organisation import Organisation
from stamkund.store import Store
from tests.importing.conftest import NOW, new_installation
from tests.support.postgres_server import PostgresServer

ROWS = 4000


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


@pytest.fixture
async def restarted(server: PostgresServer, tmp_path: Path) -> AsyncIterator[Store]:
    installation = await new_installation(server.new_database("importing"), tmp_path)
    yield installation.store
    await installation.close()


class Stopping:
    """Stops the server when the second batch is done, and starts it again `after` so many seconds."""

    def __init__(self, server: PostgresServer, after: float | None) -> None:
        self.server = server
        self.after = after
        self.batches = 0

    def __call__(self, _: int, rows: int) -> None:
        self.batches += 1
        if self.batches == 2:
            self.server.stop("immediate")
            if self.after is not None:
                threading.Timer(self.after, self.server.start).start()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "rows.csv"
    file.write_text("customer_number\n" + "".join(f"{n}\n" for n in range(ROWS)))
    return file


async def imported(store: Store, path: Path, progress: Callable[[int, int], None]) -> Summary:
    organisation = Organisation("the-paper", "The Paper")
    return await import_customers(
        store, organisation, path, None, now=NOW, dry_run=False, report=print, progress=progress
    )


async def test_a_restart_is_waited_for(server: PostgresServer, restarted: Store, path: Path) -> None:
    summary = await imported(restarted, path, Stopping(server, after=1))
    assert summary == Summary(created=ROWS)


async def test_an_import_that_gave_up_is_run_again(
    server: PostgresServer, restarted: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PAUSES", (0, 0.1))
    with pytest.raises(CannotRun, match="can simply be run again"):
        await imported(restarted, path, Stopping(server, after=None))
    server.start()
    summary = await imported(restarted, path, lambda done, rows: None)
    assert (summary.created + summary.unchanged, summary.rejected) == (ROWS, 0)
    assert summary.unchanged >= 2000
