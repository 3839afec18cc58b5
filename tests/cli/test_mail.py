"""`stamkund mail …`, and what `doctor` says about mails."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stamkund.clock import system_clock
from stamkund.rules.mail import Mail, PasswordReset
from stamkund.rules.timestamps import DAY, HOUR
from stamkund.settings import Settings
from stamkund.store.open import open_installation
from tests.cli.conftest import Run
from tests.support.mail_server import MailServer

HERALD = ("--organisation", "herald")
TEMPLATE = "password_reset.sv.html"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """The mail server of the settings."""
    with MailServer() as running:
        monkeypatch.setenv("STAMKUND_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("STAMKUND_SMTP_PORT", str(running.port))
        monkeypatch.setenv("STAMKUND_SMTP_SECURITY", "none")
        monkeypatch.setenv("STAMKUND_MAIL_FROM", "no-reply@example.com")
        yield running


def queued(*mails: tuple[str, int]) -> None:
    """Queues mails to these addresses at these times, in the installation of the environment."""

    async def work() -> None:
        settings = Settings(database_url=os.environ["STAMKUND_DATABASE_URL"], key_file=os.environ["STAMKUND_KEY_FILE"])
        installation = await open_installation(settings, system_clock)
        for number, (address, at) in enumerate(mails):
            values = PasswordReset("https://a.example/?code=secret", at + DAY)
            await installation.store.mails.add(Mail("herald", f"{number:024x}", address, values), at)
        await installation.store.mails.expire(system_clock())
        await installation.close()

    asyncio.run(work())


def test_a_test_is_sent_in_the_organisations_name(run: Run, server: MailServer) -> None:
    assert (
        run("init", *HERALD, "--name", "Härolden", "--language", "fi", "--mail-from", "posti@example.com").exit_code
        == 0
    )
    done = run("mail", "send-test", "ove@example.com", *HERALD)
    assert (done.exit_code, done.output) == (0, "the mail server 127.0.0.1 has accepted a mail to ove@example.com\n")
    [mail] = server.received
    assert mail.message["From"] == "Härolden <posti@example.com>" and mail.message["Content-Language"] == "fi"


def test_a_test_that_is_refused_says_why(run: Run, server: MailServer) -> None:
    server.faults.at_recipient["ove@example.com"] = ["550 5.1.1 No ove@example.com here"]
    done = run("mail", "send-test", "ove@example.com", *HERALD, "--language", "en")
    assert (done.exit_code, done.stderr) == (2, "stamkund: the mail was not sent: 550 5.1.1 at RCPT TO\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ove@example.com", "--organisation", "nobody"), "there is no organisation nobody"),
        (("ove@example.com", *HERALD, "--language", "de"), "--language must be one of: sv, en, fi"),
        (("not an address", *HERALD), "mail can't be sent to this address"),
    ],
)
def test_what_no_test_can_be_sent_to(run: Run, server: MailServer, arguments: tuple[str, ...], sentence: str) -> None:
    done = run("mail", "send-test", *arguments)
    assert done.exit_code == 2 and sentence in done.stderr and server.received == []


def test_without_a_mail_server_mails_wait_are_dropped_and_doctor_says_so(run: Run) -> None:
    assert "no mail server is set, so readers get no mails" in run("doctor").output
    assert "set STAMKUND_SMTP_HOST" in run("mail", "send-test", "ove@example.com", *HERALD).stderr
    now = system_clock()
    queued(("ove@example.com", now - HOUR), ("kim@example.com", now - 3 * DAY))
    doctor = run("doctor")
    assert doctor.exit_code == 2
    assert "FAIL  no mail server is set: 1 mail waits, 1 mail was dropped; set STAMKUND_SMTP_HOST" in doctor.output
    listed = run("mail", "queue")
    first, *lines = listed.output.splitlines()
    assert first == "1 waiting, 0 dead, 1 dropped, 0 sent"
    assert [line.split()[0] for line in lines] == ["waiting", "dropped"]
    assert "o***@example.com" in lines[0] and "ove@" not in listed.output and "secret" not in listed.output


def test_the_queue_as_json(run: Run) -> None:
    now = system_clock()
    queued(("ove@example.com", now))
    output = run("mail", "queue", "--json").stdout
    [mail] = json.loads(output)["mails"]
    assert set(mail) == {
        *("id", "organisation", "purpose", "account_id", "state", "address", "language", "created", "expires"),
        *("next_attempt", "attempts", "finished", "reason"),
    }
    assert (mail["state"], mail["address"], mail["purpose"]) == ("waiting", "o***@example.com", "password_reset")
    assert run("mail", "queue", "--organisation", "nobody").exit_code == 2


def test_doctor_tries_the_mail_server(run: Run, server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ok    the mail server 127.0.0.1 takes mails from us" in run("doctor").output
    monkeypatch.setenv("STAMKUND_SMTP_SECURITY", "starttls")
    assert "FAIL  the mail server 127.0.0.1: the server lacks STARTTLS" in run("doctor").output
    monkeypatch.setenv("STAMKUND_MAIL_FROM", "")
    assert "must be set together with mail_from (STAMKUND_MAIL_FROM)" in run("doctor").output


def test_templates_are_exported_changed_and_imported(run: Run, server: MailServer, tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    assert run("mail", "template", "export", folder, *HERALD).output == f"49 templates written to {folder}\n"
    assert "nothing to import" in run("mail", "template", "import", folder, *HERALD).output
    file = folder / "test.sv.txt"
    file.write_text(file.read_text().replace("Provmejl", "Ett litet prov"))
    assert run("mail", "template", "import", folder, *HERALD).output == "imported test.sv.txt\n"
    assert "own  test.sv.txt" in run("mail", "template", "list", *HERALD).output
    run("mail", "send-test", "ove@example.com", *HERALD)
    assert server.received[0].message["Subject"].startswith("Ett litet prov från")
    assert (
        run("mail", "template", "reset", *HERALD, "--name", "test.sv.txt").output == "1 template of its own removed\n"
    )
    run("mail", "send-test", "ove@example.com", *HERALD)
    assert server.received[1].message["Subject"].startswith("Provmejl från")


def test_a_template_with_a_mistake_changes_nothing(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    run("mail", "template", "export", folder, *HERALD, "--name", TEMPLATE, "--name", "test.sv.txt")
    (folder / "test.sv.txt").write_text("Subject: Something else\n\nHello")
    (folder / TEMPLATE).write_text('{% extends "layout.html" %}\n<p>{{ surname }}</p>\n')
    done = run("mail", "template", "import", folder, *HERALD)
    assert done.exit_code == 2
    assert f"{folder / TEMPLATE}:2: there is no variable surname" in done.stderr
    assert "nothing was imported: 1 mistake" in done.stderr
    assert "own " not in run("mail", "template", "list", *HERALD).output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("export", "out", *HERALD, "--name", "letter.sv.txt"), "there is no template letter.sv.txt"),
        (("import", "nowhere", *HERALD), "there is no folder nowhere"),
        (("import", ".", *HERALD), "there is no template in ."),
        (("list", "--organisation", "nobody"), "there is no organisation nobody"),
    ],
)
def test_what_is_no_template(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    done = run("mail", "template", *arguments)
    assert done.exit_code == 2 and sentence in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--language", "de"), "--language must be one of: sv, en, fi"),
        (("--mail-from", "nobody"), "--mail-from nobody is no address"),
    ],
)
def test_what_an_organisation_can_not_have(run: Run, options: tuple[str, ...], sentence: str) -> None:
    done = run("init", *HERALD, *options)
    assert done.exit_code == 2 and sentence in done.stderr
