"""The real command line, and the real server that it starts, for tests of faults.

An `Installation` is a folder with a key file, on a database: `run` gives `stamkund …` its settings and returns what it
printed. A `ServerProcess` is `stamkund serve` in processes of its own, which tests stop, kill and start again. Nothing
of the product runs in the test's process except `Installation.store`, which brings data in.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import msgspec
import psutil

from stamkund.clock import system_clock
from stamkund.rules.customer import Customer
from stamkund.settings import PREFIX, Settings
from stamkund.store import Store
from stamkund.store.open import open_installation
from tests.support import commands, observed
from tests.support.service import QUICK_HASHING, SCOPES, customer, replacement
from tests.support.waiting import until

COMMAND = str(Path(sys.executable).with_name("stamkund"))
HOST = "127.0.0.1"
PASSWORD = "Df7Vdd8!!vnM"
ORGANISATION = "bladet"
ACTIVATE = "/external/api/v1/account/activate_candidate"
ACCOUNTS = "/external/api/v1/accounts"
CANDIDATE = "/external/api/v1/accounts/candidate"
ME = "/external/api/v1/me"
TOKEN = "/api/authorization/access_token"
COULD_NOT_RUN = 2
_PATIENCE_SECONDS = 600
"""How long a test waits for a command: it decides nothing but when one that hangs is given up."""


@dataclass(frozen=True)
class Ended:
    """What a command did."""

    status: int
    output: str
    errors: str

    def json(self) -> Any:
        return msgspec.json.decode(self.output)


@dataclass(frozen=True)
class ClientSecret:
    """A client as `client create --json` prints it."""

    id: str
    secret: str


@dataclass
class Installation:
    """A folder and a database that commands work on, with settings that go in as STAMKUND_… variables."""

    folder: Path
    database_url: str
    settings: dict[str, Any] = field(default_factory=dict)
    client: ClientSecret | None = None

    @property
    def key_file(self) -> Path:
        return self.folder / "stamkund.key"

    def environment(self, **more: Any) -> dict[str, str]:
        """Our own environment without settings, and the installation's in their place."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        chosen = {"database_url": self.database_url, "key_file": self.key_file}
        chosen |= {**QUICK_HASHING, **self.settings, **more}
        return environment | {PREFIX + name.upper(): str(value) for name, value in chosen.items() if value is not None}

    def run(self, *arguments: str, **settings: Any) -> Ended:
        """Runs `stamkund` with `arguments` to its end."""
        if arguments[0] == "doctor":  # which looks at the hashing
            settings = {**dict.fromkeys(QUICK_HASHING), **settings}
        return Ended(*commands.run(arguments, self.folder, self.environment(**settings)))

    def do(self, *arguments: str, **settings: Any) -> Ended:
        """As `run`, for a command that must succeed."""
        ended = self.run(*arguments, **settings)
        assert ended.status == 0, ended
        return ended

    def new_client(self, organisation: str = ORGANISATION, *scopes: str, name: str = "Test") -> ClientSecret:
        options = [word for scope in scopes or SCOPES for word in ("--scope", scope)]
        made = self.do("client", "create", "--organisation", organisation, "--name", name, "--json", *options).json()
        return ClientSecret(made["client_id"], made["client_secret"])

    def prepare(self, organisation: str = ORGANISATION) -> ClientSecret:
        """Makes the database, the key file, an organisation and a client that has every scope of the four calls."""
        self.do("init", "--organisation", organisation)
        made = self.new_client(organisation)
        self.client = self.client or made
        return made

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """The installation's store, opened beside whatever server runs on it."""
        chosen = Settings(database_url=self.database_url, key_file=str(self.key_file))
        installation = await open_installation(chosen, system_clock)
        try:
            yield installation.store
        finally:
            await installation.close()

    async def customers(self, *made: Customer, organisation: str = ORGANISATION) -> None:
        """Imports customers."""
        changes = [replacement(customer) for customer in made]
        async with self.store() as store:
            outcome = await store.customers.put(organisation, changes, system_clock())
        assert outcome.created == len(made), outcome

    async def candidates(self, count: int, first: int = 1, **fields: Any) -> list[Customer]:
        """Imports `count` customers without social security number, with one subscription each."""
        fields = {"social_security_number": None, **fields}
        made = [customer(f"c{number}", system_clock(), **fields) for number in range(first, first + count)]
        await self.customers(*made)
        return made


class ServerProcess:
    """`stamkund serve` on an installation, on a port that stays the same. Use as an async context manager."""

    def __init__(self, installation: Installation, **settings: Any) -> None:
        self.installation = installation
        self.settings = settings
        self._reserved = _reserved_port()
        self.url = f"http://{HOST}:{self._reserved.getsockname()[1]}"
        self.http = httpx.AsyncClient(base_url=self.url, timeout=60, limits=httpx.Limits(max_connections=None))
        self._process: subprocess.Popen[bytes] | None = None
        self._log = bytearray()
        self._log_start = 0
        self._workers = 0
        self._reader: threading.Thread | None = None

    async def __aenter__(self) -> ServerProcess:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def port(self) -> int:
        return int(self._reserved.getsockname()[1])

    @property
    def log(self) -> str:
        """Everything that the servers have written so far, this run and earlier ones."""
        return bytes(self._log).decode(errors="replace")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status, None while it runs."""
        return None if self._process is None else self._process.poll()

    def workers(self) -> list[int]:
        """The processes that handle requests, where there are several."""
        return [child.pid for child in psutil.Process(self.pid).children() if _is_worker(child)]

    async def start(self, *, errors: Path | None = None, **settings: Any) -> None:
        """Starts the server and waits until all of it is ready. `errors`: where to log, instead of to `log`."""
        self.launch(errors=errors, **settings)
        await self.until_ready()

    def launch(self, *, errors: Path | None = None, **settings: Any) -> None:
        """Starts the server without waiting."""
        chosen = {"port": self.port, **self.settings, **settings}
        self._log_start = len(self._log)
        self._workers = 0 if errors else int(chosen.get("workers", 1))  # where it logs elsewhere we can't count them
        log = subprocess.STDOUT if errors is None else os.open(errors, os.O_WRONLY)
        self._process = subprocess.Popen(
            [COMMAND, "serve"],
            cwd=self.installation.folder,
            env=self.installation.environment(**chosen),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # a process group of its own, to be killed as a whole
        )
        if errors is not None:
            os.close(log)
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=_gather, args=(self._process.stdout, self._log))
        self._reader.start()

    async def until_ready(self) -> None:
        """Waits until every worker has started and the server responds that it is ready."""
        await until(self._all_started)
        await until(self._ready)

    def send_signal(self, number: signal.Signals = signal.SIGTERM, *, everyone: bool = False) -> None:
        """Sends a signal to the command, or to all of its processes."""
        (os.killpg if everyone else os.kill)(self.pid, number)

    def limit_files(self, most_bytes: int = resource.RLIM_INFINITY) -> None:
        """Lets no file of the server grow beyond `most_bytes`, as on a full disk; lifts the limit without a number."""
        for pid in (self.pid, *self.workers()):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))

    async def ended(self) -> int:
        """Waits until the command has ended; returns its exit status."""
        assert self._process is not None and self._reader is not None
        status = await asyncio.to_thread(self._process.wait, _PATIENCE_SECONDS)
        await asyncio.to_thread(self._reader.join, _PATIENCE_SECONDS)  # until the last process lets go of the pipe
        assert not self._reader.is_alive(), "a process of the server is still there"
        return status

    async def stop(self) -> int:
        """Stops the server as an operator does; returns its exit status."""
        self.send_signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """Ends all processes of the server at once, as `kill -9` does."""
        self.send_signal(signal.SIGKILL, everyone=True)
        await self.ended()

    async def close(self) -> None:
        await self.http.aclose()
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            await self.ended()
            observed.record_log(self.log)
            print(self.log[-20_000:])  # for whoever reads of a test that failed
        self._reserved.close()

    def _all_started(self) -> bool:
        self._check_running()
        return self._log.count(b'"event":"started"', self._log_start) >= self._workers

    def _check_running(self) -> None:
        if self.status is not None:
            raise RuntimeError(f"the server ended with status {self.status}: {self.log}")

    async def _ready(self) -> bool:
        self._check_running()
        try:
            return (await self.http.get("/health/ready")).status_code == 200
        except httpx.TransportError:
            return False


@dataclass
class Caller:
    """A client's short ways to the calls of a running server."""

    server: ServerProcess
    client: ClientSecret
    organisation: str = ORGANISATION
    token: str = ""

    async def __call__(self) -> Caller:
        """Gets a token; returns the caller itself."""
        response = await self.grant("none")
        assert response.status_code == 200, response.text
        self.token = response.json()["access_token"]
        return self

    async def grant(self, grant_type: str, **fields: str) -> httpx.Response:
        form = {"client_id": self.client.id, "client_secret": self.client.secret, "grant_type": grant_type, **fields}
        return await self.server.http.post(TOKEN, data=form)

    async def login(self, email: str, password: str = PASSWORD) -> httpx.Response:
        return await self.grant("password", username=f"{self.organisation}^{email}", password=password)

    async def get(self, path: str, token: str | None = None, **query: str) -> httpx.Response:
        return await self.server.http.get(path, params=query, headers=self._headers(token))

    async def activate(self, candidate: Customer, email: str, **more: str) -> httpx.Response:
        body = activation(candidate, email) | more
        return await self.server.http.post(ACTIVATE, json=body, headers=self._headers())

    def _headers(self, token: str | None = None) -> dict[str, str]:
        return {"authorization": f"Bearer {token or self.token}"}


def activation(candidate: Customer, email: str) -> dict[str, str]:
    return {"account_candidate_id": candidate.id, "email": email, "password": PASSWORD}


def assert_fails(ended: Ended, words: str, where: str = "errors") -> None:
    """The command could not run, and its message says why."""
    output = ended.errors + (ended.output if where == "output" else "")
    assert (ended.status, words in output) == (COULD_NOT_RUN, True), ended
    assert "Traceback" not in ended.errors


def is_problem(response: httpx.Response, status: int, code: str) -> bool:
    """Whether a response is our error body with this status and code."""
    body: Mapping[str, str] = response.json()
    return response.status_code == status and body["code"] == code and bool(body["message"])


def is_unavailable(response: httpx.Response) -> bool:
    """Whether a response is the documented 503, with the time to try again."""
    return is_problem(response, 503, "service_unavailable") and int(response.headers["retry-after"]) >= 1


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


def _reserved_port() -> socket.socket:
    """A socket that holds a free port without listening, so that no other process gets it between two runs.

    Linux lets the server listen there all the same, since both allow the address to be reused.
    """
    reserved = socket.socket()
    reserved.bind((HOST, 0))
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return reserved


def _gather(stream: BinaryIO, into: bytearray) -> None:
    with stream:
        while piece := os.read(stream.fileno(), 65_536):
            into += piece
