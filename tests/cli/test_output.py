"""What commands print of what is stored: nothing steers the terminal, hides text, or makes one line look like two."""

from __future__ import annotations

import ast
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stamkund.cli.output import complain, one_line, say, say_json
from tests.cli.conftest import Run
from tests.support.installation import ORGANISATION, PASSWORD, TOKEN, Installation
from tests.support.installation_fixtures import running

EMAIL = "ove.ovesson@example.com"
CLI = Path(__file__).parents[2] / "src" / "stamkund" / "cli"
CLEAR, C1_CLEAR, TITLE = "\x1b[2J", "\x9b2J", "\x1b]0;owned\x07"
BIDI, LINES = "\u202egnp.exe\u2066", "one\u2028two\u2029three\x85four\rfive\nsix"
STEERS = f"{CLEAR}{C1_CLEAR}{TITLE}{BIDI}{LINES}\x7f\x00\u200b\ufeff"


def is_harmless(text: str) -> bool:
    return all(unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn") for c in text)


@given(st.text())
@example(STEERS)
def test_whatever_a_line_holds_is_one_printable_line(text: str) -> None:
    assert is_harmless(one_line(text))
    assert one_line(one_line(text)) == one_line(text)
    if text.isprintable():
        assert one_line(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example(STEERS + "\U000e0041\U0001f9d1")
def test_json_means_what_it_did_and_every_line_of_it_is_printable(text: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        printed: list[str] = []
        patched.setattr("builtins.print", printed.append)
        say_json({"name": text})
    assert json.loads(printed[0]) == {"name": text}
    assert is_harmless(printed[0].replace("\n", ""))


def test_both_outputs_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"Åsa {CLEAR}")
    complain(f"no {LINES}")
    out, err = capsys.readouterr()
    assert out == "Åsa \\x1b[2J\n"
    assert err == "no one\\u2028two\\u2029three\\x85four\\rfive\\nsix\n"


def test_no_command_prints_by_itself() -> None:
    """`output.py` is the one place that writes, so a command that is new can't forget to escape."""
    writers = []
    for path in sorted(CLI.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="print")):
                    writers.append(f"{path.name}:{node.lineno}")
                case ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stderr"):
                    writers.append(f"{path.name}:{node.lineno}")
                case ast.Attribute(value=ast.Name(id="typer"), attr="echo" | "secho"):
                    writers.append(f"{path.name}:{node.lineno}")
    assert {writer.partition(":")[0] for writer in writers} == {"output.py"}, writers


def test_no_command_prints_a_stored_name_as_it_is(run: Run) -> None:
    run("client", "create", "--organisation", "herald", "--name", STEERS, "--scope", "/openid")
    run("permission", "create", "--organisation", "herald", "--name", STEERS)
    run("init", "--organisation", "herald", "--name", STEERS)
    for command in (
        ("client", "list", "--organisation", "herald"),
        ("permission", "list", "--organisation", "herald"),
        ("init", "--organisation", "herald"),
        ("doctor",),
        ("client", "enable", CLEAR + BIDI + LINES),
        ("account", "unfreeze", CLEAR + BIDI + LINES, "--organisation", "herald"),
    ):
        for options in ((), ("--json",)) if "list" in command else ((),):
            output = run(*command, *options).output
            assert output and is_harmless(output.replace("\n", "")), command


async def test_a_user_agent_reaches_no_terminal(embedded: Installation) -> None:
    async with running(embedded) as (server, caller):
        (candidate,) = await embedded.candidates(1)
        await caller.activate(candidate, EMAIL)
        form = {"client_id": caller.client.id, "client_secret": caller.client.secret, "grant_type": "password"}
        form |= {"username": EMAIL, "password": PASSWORD}
        headers = {b"user-agent": f"Mozilla {C1_CLEAR}".encode("latin-1")}
        assert (await server.http.post(TOKEN, data=form, headers=headers)).status_code == 200
    for options in ((), ("--json",)):
        output = embedded.do("account", "attempts", EMAIL, "--organisation", ORGANISATION, *options).output
        assert "Mozilla" in output and is_harmless(output.replace("\n", "")), output
