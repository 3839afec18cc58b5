"""`stamkund mail …`: try the mail server, look at the queue, and change the templates."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from stamkund.cli.accounts import OPERATOR
from stamkund.cli.common import (
    COULD_NOT_RUN,
    JSON,
    ORGANISATION,
    fail,
    get_organisation,
    load_settings,
    with_installation,
    with_store,
)
from stamkund.cli.output import complain, counted, say, say_json
from stamkund.clock import system_clock
from stamkund.rules import emails
from stamkund.rules.ids import new_id
from stamkund.rules.mail import LANGUAGES, SENT, STATES, MailContent, TestMail
from stamkund.rules.timestamps import zone
from stamkund.settings import Settings
from stamkund.store import QueuedMail, Store
from stamkund.store.open import Installation

_MAX_LISTED = 500

app = typer.Typer(help="Try the mail server, look at the queue, change templates.", no_args_is_help=True)
templates = typer.Typer(help="The templates of an organisation's mails.", no_args_is_help=True)
app.add_typer(templates, name="template")

FOLDER = Annotated[Path, typer.Argument(help="The folder with the templates.")]
NAMES = Annotated[
    list[str] | None,
    typer.Option("--name", help="A template, such as password_reset.sv.html, or layout.html. May be repeated."),
]


class MailOutput(msgspec.Struct):
    """A mail as `--json` prints it. Timestamps are in seconds; `address` is masked, and null once it is removed."""

    id: str
    organisation: str
    purpose: str
    account_id: str | None
    state: str
    address: str | None
    language: str | None
    created: int
    expires: int
    next_attempt: int | None
    attempts: int
    finished: int | None
    reason: str | None


class QueueOutput(msgspec.Struct):
    """What `mail queue --json` prints: how many mails there are in each state, and the newest of them."""

    counts: dict[str, int]
    mails: list[MailOutput]


@app.command("send-test")
def send_test(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where to send it.")],
    organisation: ORGANISATION,
    language: Annotated[str | None, typer.Option(help=f"One of: {', '.join(LANGUAGES)}.")] = None,
) -> None:
    """Send a mail at once, by the mail server of the settings, and say what became of it."""
    settings = load_settings()
    if not settings.smtp_host:
        fail("no mail server is set: set STAMKUND_SMTP_HOST and STAMKUND_MAIL_FROM")
    _check_language(language)

    async def work(installation: Installation) -> str:
        await get_organisation(installation.store, organisation)
        return await _send(installation.store, settings, organisation, address, language)

    problem = with_installation(work)
    if problem:
        fail(f"the mail was not sent: {problem}")
    say(f"the mail server {settings.smtp_host} has accepted a mail to {address}")


async def _send(store: Store, settings: Settings, organisation: str, address: str, language: str | None) -> str:
    """Sends a test; returns why that was not possible, empty where it was."""
    from stamkund.delivery.mail.message import UnusableAddress
    from stamkund.delivery.mail.sender import Fate
    from stamkund.delivery.mail.smtp import SmtpSender
    from stamkund.delivery.mail.writing import owner_of, write

    owner, now = await owner_of(store, organisation), system_clock()
    assert owner is not None
    try:
        message = write(owner, settings, new_id(now), now, language, MailContent(address, TestMail()))
    except UnusableAddress:
        return "mail can't be sent to this address, or not from STAMKUND_MAIL_FROM"
    sender = SmtpSender(settings)
    attempt = await sender.send(message)
    await sender.close()
    return "" if attempt.fate is Fate.ACCEPTED else attempt.reason


@app.command()
def queue(
    organisation: Annotated[str | None, typer.Option(help="Of this organisation alone.")] = None,
    limit: Annotated[int, typer.Option(help="How many to list in each state.", min=1, max=_MAX_LISTED)] = 50,
    json: JSON = False,
) -> None:
    """Show the mails that wait, and what became of the others. Addresses are masked, and removed with the mail."""

    async def work(store: Store) -> tuple[dict[str, int], list[QueuedMail]]:
        if organisation is not None:
            await get_organisation(store, organisation)
        counts = await store.mails.counts(organisation)
        latest = [mail for state in STATES for mail in await store.mails.latest(state, limit, organisation)]
        return {state: counts.get(state, 0) for state in STATES}, latest

    counts, mails = with_store(work)
    if json:
        say_json(QueueOutput(counts, [_output(mail) for mail in mails]))
        return
    say(", ".join(f"{number} {state}" for state, number in counts.items()))
    for mail in mails:
        if mail.state != SENT:
            say(_line(mail))


def _output(mail: QueuedMail) -> MailOutput:
    return MailOutput(
        mail.id,
        mail.organisation,
        mail.purpose,
        mail.account,
        mail.state,
        None if mail.address is None else emails.masked(mail.address),
        mail.language,
        mail.at,
        mail.expires,
        mail.due if mail.finished is None else None,
        mail.attempts,
        mail.finished,
        mail.reason,
    )


def _line(mail: QueuedMail) -> str:
    address = "-" if mail.address is None else emails.masked(mail.address)
    tried = counted(mail.attempts, "attempt")
    return (
        f"{mail.state:8}{zone('UTC').format(mail.at)}  {mail.organisation}  {mail.purpose}  {address}  "
        f"account {mail.account or '-'}  {tried}{f', {mail.reason}' if mail.reason else ''}"
    )


@templates.command("list")
def list_templates(organisation: ORGANISATION, json: JSON = False) -> None:
    """List the templates, and which of them are the organisation's own."""
    from stamkund.delivery.mail.templates import NAMES as ALL

    own = with_store(lambda store: _own(store, organisation))
    if json:
        say_json([{"name": name, "own": name in own} for name in ALL])
        return
    for name in ALL:
        say(f"{'own ' if name in own else '    '} {name}")


@templates.command("export")
def export_templates(folder: FOLDER, organisation: ORGANISATION, name: NAMES = None) -> None:
    """Write templates to files, to be changed and imported: all of them, or those that are named."""
    from stamkund.delivery.mail.templates import NAMES as ALL
    from stamkund.delivery.mail.templates import built_in

    names = _chosen(name, ALL)
    sources = {**built_in(), **with_store(lambda store: _own(store, organisation))}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in names:
            (folder / one).write_text(sources[one], encoding="utf-8")
    except OSError as error:
        fail(f"the folder {folder} cannot be written to: {error.strerror}")
    say(f"{counted(len(names), 'template')} written to {folder}")


@templates.command("import")
def import_templates(folder: FOLDER, organisation: ORGANISATION, name: NAMES = None) -> None:
    """Use the templates in a folder from now on, instead of ours. One with any mistake changes nothing.

    A file that is as ours is no template of the organisation's own: it gets what a new version makes of ours.
    """
    from stamkund.delivery.mail.template_check import mistakes
    from stamkund.delivery.mail.templates import built_in

    read = _read(folder, name)
    ours = [one for one, text in read.items() if built_in().get(one) == text]

    async def work(store: Store) -> list[str]:
        own = await _own(store, organisation)
        changed = {one: text for one, text in read.items() if own.get(one) != text and one not in ours}
        wrong = await asyncio.to_thread(mistakes, changed, own)
        for mistake in wrong:
            complain(f"{folder / mistake.name}{f':{mistake.line}' if mistake.line else ''}: {mistake.reason}")
        if wrong:
            complain(f"stamkund: nothing was imported: {counted(len(wrong), 'mistake')}")
            raise typer.Exit(COULD_NOT_RUN)
        if changed:
            await store.mail_templates.replace(organisation, changed, OPERATOR, system_clock())
        removed = [one for one in ours if one in own]
        if removed:
            await store.mail_templates.remove(organisation, removed, OPERATOR, system_clock())
        return sorted([*changed, *removed])

    imported = with_store(work)
    for one in imported:
        say(f"imported {one}")
    if not imported:
        say("nothing to import: all of them are used already")


@templates.command("reset")
def reset_templates(organisation: ORGANISATION, name: NAMES = None) -> None:
    """Use our templates again: all of them, or those that are named."""
    from stamkund.delivery.mail.templates import NAMES as ALL

    names = _chosen(name, ALL)

    async def work(store: Store) -> list[str]:
        removed = [one for one in await _own(store, organisation) if one in names]
        if removed:
            await store.mail_templates.remove(organisation, removed, OPERATOR, system_clock())
        return removed

    removed = with_store(work)
    say(f"{counted(len(removed), 'template')} of its own removed")


async def _own(store: Store, organisation: str) -> dict[str, str]:
    await get_organisation(store, organisation)
    return await store.mail_templates.of_organisation(organisation)


def _chosen(names: list[str] | None, every: tuple[str, ...]) -> tuple[str, ...]:
    """The names that were given, or all; ends the command where one is unknown."""
    for name in names or ():
        if name not in every:
            fail(f"there is no template {name}: `stamkund mail template list` lists them")
    return tuple(names) if names else every


def _read(folder: Path, names: list[str] | None) -> dict[str, str]:
    """The files of a folder by their names; ends the command where one can't be read."""
    from stamkund.delivery.mail.template_check import MAX_CHARACTERS
    from stamkund.delivery.mail.templates import NAMES as ALL

    if not folder.is_dir():
        fail(f"there is no folder {folder}")
    chosen = _chosen(names, ALL) if names else sorted(p.name for p in folder.iterdir() if p.suffix in (".txt", ".html"))
    read = {}
    for name in chosen[: 2 * len(ALL)]:
        try:
            with (folder / name).open(encoding="utf-8-sig") as file:
                read[name] = file.read(MAX_CHARACTERS + 1)
        except OSError as error:
            fail(f"{folder / name} cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            fail(f"{folder / name} is not UTF-8")
    if not read:
        fail(f"there is no template in {folder}: `stamkund mail template export` writes them")
    return read


def _check_language(language: str | None) -> None:
    if language not in (None, *LANGUAGES):
        fail(f"--language must be one of: {', '.join(LANGUAGES)}")
