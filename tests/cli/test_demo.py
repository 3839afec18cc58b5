"""The curl lines that `stamkund demo` prints run as they are printed, and the README's make the same requests."""

from __future__ import annotations

import html
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.shell_lines import free_port, json_objects
from tests.support.waiting import until

PROGRAM = [sys.executable, "-m", "stamkund"]


@pytest.fixture(scope="module")
def instructions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What a running demo printed, from the curl lines on. The tests of this file share it."""
    port, tmp_path = free_port(), tmp_path_factory.mktemp("demo")
    demo = subprocess.Popen(
        [*PROGRAM, "demo", "--port", str(port)], stdout=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    )
    assert demo.stdout is not None
    lines: list[str] = []
    for line in demo.stdout:
        lines.append(line)
        if "/external/api/v1/me/active_products" in line:
            break
    wait_for(port)
    yield "".join(lines).partition("one after the other:\n")[2]
    demo.send_signal(signal.SIGTERM)
    demo.stdout.close()
    assert demo.wait(20) == 0


def wait_for(port: int) -> None:
    command = ["curl", "-s", "--retry", "20", "--retry-connrefused", "--retry-delay", "1"]
    subprocess.run([*command, f"http://127.0.0.1:{port}/health/ready"], check=True, capture_output=True)


def test_the_printed_lines_run(instructions: str) -> None:
    done = subprocess.run(["sh", "-e"], input=instructions, text=True, capture_output=True, check=True)
    candidate, activated, account, me, readable = json_objects(done.stdout)
    assert candidate["item"]["customer_number"] == "100001"
    assert candidate["item"]["products"][0]["product_code"] == "digital"
    assert account["item"]["id"] == me["item"]["id"] == activated["id"]
    assert me["item"]["email"] == "ove.ovesson@example.com"
    assert me["item"]["user_products"][0]["state"] == "activated"
    assert readable["item"] == {"id": activated["id"], "active_products": ["demo_web"]}


async def test_mails_are_caught_and_shown(instructions: str) -> None:
    """The demo begins with one, so that there is something to see."""
    url = instructions.partition("$(curl -s ")[2].partition("/api/")[0]
    async with httpx.AsyncClient() as http:

        async def has_mail() -> bool:
            return "srcdoc=" in (await http.get(f"{url}/demo/mail")).text

        await until(has_mail)
        page = html.unescape((await http.get(f"{url}/demo/mail")).text)
    assert "Demo <no-reply@localhost>" in page and "you@example.com" in page and "A test from Demo" in page


def test_a_port_in_use_is_said_before_any_line_to_paste(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [*PROGRAM, "demo", "--port", str(port)]
        ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode != 0 and ended.stdout == ""
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use. Choose another port" in ended.stderr


def test_the_readme_has_the_same_lines(instructions: str) -> None:
    """Every address and field that the README's lines send is one that the demo's lines send, and work."""
    readme = Path(__file__).parents[2].joinpath("README.md").read_text()
    lines = readme.partition("## The whole way in curl")[2].partition("## Production")[0]
    for part in (
        "/api/authorization/access_token",
        "grant_type=none",
        "candidate?social_security_number=620817-9256&zip_code=43921",
        "/external/api/v1/account/activate_candidate",
        '"email": "ove.ovesson@example.com", "password": "Df7Vdd8!!vnM"',
        "/external/api/v1/accounts?email=ove.ovesson%40example.com",
        "username=demo^ove.ovesson@example.com",
        "/external/api/v1/me",
        "/external/api/v1/me/active_products",
    ):
        assert part in lines, part
        assert part in instructions, part
