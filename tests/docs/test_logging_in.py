"""What docs/logging-in.md says: its lines run as they stand there, its example sites log readers in."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from stamkund.identity.passwords import Passwords
from stamkund.settings import Settings
from tests.support.browser import Browser
from tests.support.installation import ORGANISATION, Installation, ServerProcess
from tests.support.service import customer
from tests.support.shell_lines import free_port, json_objects

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "logging-in.md").read_text()
BLOCKS = re.findall(r"^( *)```sh\n(.*?)^ *```$", PAGE, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [text for _, text in BLOCKS if "stamkund client create" in text]
LINES = [text for _, text in BLOCKS if "curl" in text]
EMAIL, PASSWORD = "kim@example.com", "Df7Vdd8!!vnM"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A server reached as `localhost`, whose one reader has the password of the examples."""
    installation = Installation(tmp_path, f"sqlite:///{tmp_path / 'stamkund.db'}")
    installation.prepare()
    passwords = Passwords(Settings(argon2_memory_kib=8, argon2_passes=1))
    stored_hash = await passwords.hash(PASSWORD)
    passwords.close()
    person = customer(
        "100001", int(time.time()), email=EMAIL, first_name="Kim", last_name="Exempel", password_hash=stored_hash
    )
    await installation.customers(person)
    running = ServerProcess(installation)
    running.settings["public_url"] = f"http://localhost:{running.port}"
    async with running:
        yield running


def client(server: ServerProcess, *options: str) -> dict[str, str]:
    command = ("client", "create", "--organisation", ORGANISATION, "--name", "Example", "--json")
    return {str(k): str(v) for k, v in server.installation.do(*command, *options).json().items()}


def host(server: ServerProcess) -> str:
    return f"http://localhost:{server.port}"


def scopes(*names: str) -> list[str]:
    return [part for name in names for part in ("--scope", name)]


async def test_every_curl_line_runs_as_it_stands(server: ServerProcess) -> None:
    scope_options = scopes("/external/account/r", "/external/me/w", "/openid", "/openid/profile", "/openid/email")
    made = client(server, *scope_options, "--redirect-uri", "http://localhost:8003/callback")
    variables = {"HOST": host(server), "ID": made["client_id"], "SECRET": made["client_secret"]}
    variables["APP"] = app(server.installation)
    script = "\n".join(LINES).replace("demo^", f"{ORGANISATION}^")
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-euo", "pipefail"],
        input=script,
        text=True,
        capture_output=True,
        env={**os.environ, **variables},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    candidate, token, refreshed, discovered, reader, me = json_objects(done.stdout)
    assert candidate["item"]["customer_number"] == "100001"
    assert {"access_token", "refresh_token"} <= set(token) and "access_token" in refreshed
    assert discovered["token_endpoint"].endswith("/api/authorization/access_token")
    assert (reader["email"], reader["name"]) == (EMAIL, "Kim Exempel")
    assert me["item"]["email"] == EMAIL, "the app, with the tokens that it got by refreshing"


def app(installation: Installation) -> str:
    """The id of the app that the page creates, by its very command."""
    (command,) = (command for command in COMMANDS if "--public" in command)
    done = in_shell(installation, command.replace("--organisation herald", f"--organisation {ORGANISATION}"))
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[1]


def in_shell(installation: Installation, command: str) -> subprocess.CompletedProcess[str]:
    stamkund = f'stamkund() {{ {sys.executable} -m stamkund "$@"; }}\n'
    return subprocess.run(
        ["bash", "-eu"],
        check=False,
        input=stamkund + command,
        text=True,
        capture_output=True,
        cwd=installation.folder,
        env=installation.environment(),
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: re.findall(r'--name "?(\w+)', c)[0])
def test_every_client_of_the_page_can_be_made(tmp_path: Path, command: str) -> None:
    installation = Installation(tmp_path, f"sqlite:///{tmp_path / 'stamkund.db'}")
    installation.prepare("herald")
    (tmp_path / "secret.txt").write_text("an-older-secret-from-elsewhere\n")
    done = in_shell(installation, command)
    assert done.returncode == 0, done.stderr
    assert "client_id" in done.stdout
    assert "an-older-secret" not in done.stdout + done.stderr
    if "--id" in command:
        assert "57221f11584d54e28b000001" in done.stdout


@contextmanager
def site(program: str, server: ServerProcess, port: int, made: dict[str, str]) -> Iterator[str]:
    """An example site as a process of its own; its address."""
    variables = {"CLIENT_ID": made["client_id"], "CLIENT_SECRET": made["client_secret"], "PORT": str(port)}
    more = {"ORGANISATION": ORGANISATION, "STAMKUND": host(server)}
    process = subprocess.Popen(
        [sys.executable, DOCS / "examples" / program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **variables, **more},
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip().rstrip("/")
    assert address, "the example did not start"
    try:
        _wait_until_listening(process, port)
        yield address
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def _wait_until_listening(process: subprocess.Popen[str], port: int) -> None:
    """An example prints its address just before it listens."""
    while process.poll() is None:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise AssertionError("the example ended")


async def test_a_login_on_one_sso2_site_counts_on_the_other(server: ServerProcess) -> None:
    ports = [free_port(), free_port()]
    made = [
        client(server, *scopes("/external/me/w"), "--sso2", "--redirect-uri", f"http://localhost:{port}/landing")
        for port in ports
    ]
    with site("sso2_site.py", server, ports[0], made[0]) as one, site("sso2_site.py", server, ports[1], made[1]) as two:
        async with Browser(host(server), hosts=[one, two]) as browser:
            for address in (two, one):
                assert "Nobody is logged in" in (await browser.get(f"{address}/")).text
            wrong = await browser.submit(email=EMAIL, password="wrong")
            assert "invalid_credentials 4" in wrong.text
            assert (
                "Hello Kim, you may read: package_code" in (await browser.submit(email=EMAIL, password=PASSWORD)).text
            )
            assert "Hello Kim" in (await browser.get(f"{two}/")).text
            assert "Nobody is logged in" in (await browser.submit()).text
            assert "Nobody is logged in" in (await browser.get(f"{one}/")).text


async def test_a_landing_link_is_of_use_only_to_the_browser_that_was_sent_away(server: ServerProcess) -> None:
    """An attacker keeps the cookie of `/identify` and sends somebody the link, who then logs in at the site."""
    port = free_port()
    made = client(server, *scopes("/external/me/w"), "--sso2", "--redirect-uri", f"http://localhost:{port}/landing")
    with site("sso2_site.py", server, port, made) as address:
        async with Browser(host(server)) as attacker, Browser(host(server), hosts=[address]) as victim:
            link = (await attacker.get(f"{address}/")).location
            assert link is not None and link.startswith(f"{address}/landing?t=")
            assert "Nobody is logged in" in (await victim.get(link)).text
            assert "Hello Kim" in (await victim.submit(email=EMAIL, password=PASSWORD)).text
            again = Browser(host(server), hosts=[address])
            again.cookies = attacker.cookies
            async with again:
                assert "Nobody is logged in" in (await again.get(f"{address}/")).text


async def test_the_openid_site_says_hello(server: ServerProcess) -> None:
    port = free_port()
    options = ["--redirect-uri", f"http://localhost:{port}/callback"]
    made = client(server, *scopes("/openid", "/openid/profile", "/openid/email"), *options)
    with site("openid_site.py", server, port, made) as address:
        async with Browser(host(server), hosts=[address]) as browser:
            page = await browser.get(f"{address}/")
            assert page.forms, page.text
            page = await browser.submit(email=EMAIL, password=PASSWORD)
            assert f"Hello Kim Exempel, {EMAIL}" in page.text
            forged = await browser.get(f"{address}/callback?code=x&state=y&iss=z")
            assert forged.status == 400


def test_the_page_names_no_command_that_is_not_there() -> None:
    names = set(re.findall(r"`stamkund (\w+)", PAGE))
    assert names
    for name in names:
        done = subprocess.run([sys.executable, "-m", "stamkund", name, "--help"], check=False, capture_output=True)
        assert done.returncode == 0, name
