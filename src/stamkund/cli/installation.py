"""`stamkund init`, `migrate` and `doctor`: making, upgrading and examining an installation."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from stamkund.cli.common import COULD_NOT_RUN, ORGANISATION, chosen_settings, fail, run
from stamkund.clock import system_clock
from stamkund.rules import timestamps as moments
from stamkund.rules.organisation import PERSON_NUMBER_CHECKS, Organisation
from stamkund.settings import Settings, WrongSetting, load
from stamkund.store import Store, Unavailable
from stamkund.store.open import WrongSchema, engine_for, open_installation
from stamkund.store.open import migrate as migrate_database
from stamkund.vault import KeyFileError

_OWN_MACHINE = ("localhost", "127.0.0.1", "::1")
_ORGANISATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def init(
    organisation: ORGANISATION,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA time zone of its times.")] = None,
    person_number_check: Annotated[
        str | None,
        typer.Option(help="`pattern`, or `checksum` to want real social security numbers wherever one is written."),
    ] = None,
) -> None:
    """Make or complete an installation: database, key file, organisation. Safe to repeat."""
    if _ORGANISATION_ID.fullmatch(organisation) is None:
        fail("an organisation's id has 1 to 64 letters, digits, dots, dashes and underscores")
    if timezone is not None:
        _check_timezone(timezone)
    if person_number_check not in (None, *PERSON_NUMBER_CHECKS):
        fail(f"--person-number-check must be one of: {', '.join(PERSON_NUMBER_CHECKS)}")

    def change(known: Organisation | None) -> Organisation:
        made = known or Organisation(organisation, organisation)
        return Organisation(
            id=organisation,
            name=name or made.name,
            timezone=timezone or made.timezone,
            person_number_check=person_number_check or made.person_number_check,
            marketing_permissions=made.marketing_permissions,
        )

    chosen = chosen_settings()

    async def work() -> Organisation:
        await _migrate(chosen)
        installation = await open_installation(chosen, system_clock)
        try:
            return await installation.store.organisations.change(organisation, change)
        finally:
            await installation.close()

    made = run(work())
    print(f"Organisation {made.id} ({made.name}, {made.timezone}) is ready in {shown_url(chosen.database_url)}.")
    print(f"Keys are in {chosen.key_file}: keep a copy of it apart from copies of the database.")


def migrate() -> None:
    """Bring the database schema up to date."""
    done = run(_migrate(chosen_settings()))
    for step in done:
        print(f"applied {step}")
    if not done:
        print("the database schema is up to date")


async def _migrate(chosen: Settings) -> list[str]:
    engine = engine_for(chosen.database_url, chosen.postgres_connections)
    await engine.open()
    try:
        return await migrate_database(engine, system_clock())
    finally:
        await engine.close()


def doctor() -> None:
    """Check settings, database, key file and clock, and say what to do."""
    well = True
    for good, sentence in run(_examine()):
        print(f"{'ok  ' if good else 'FAIL'}  {sentence}")
        well = well and good
    if not well:
        raise typer.Exit(COULD_NOT_RUN)


Finding = tuple[bool, str]


async def _examine() -> list[Finding]:
    try:
        chosen = load(os.environ)
    except WrongSetting as error:
        return [(False, str(error))]
    findings = [(True, "settings can be used"), *_address(chosen), *_clock(), *_key_file(chosen)]
    if chosen.sqlite and not chosen.sqlite_file.exists():  # an examination makes nothing
        return [*findings, (False, f"there is no database {chosen.sqlite_file} yet: make it with `stamkund init`")]
    try:
        installation = await open_installation(chosen, system_clock)
    except (Unavailable, WrongSchema, KeyFileError, ValueError) as error:
        return [*findings, (False, f"database {shown_url(chosen.database_url)}: {error}")]
    try:
        async for finding in _database(chosen, installation.store):
            findings.append(finding)  # noqa: PERF401 - what was found stays when the next step fails
    except Unavailable as error:
        findings.append((False, f"the database can't be written to: {error}"))
    finally:
        await installation.close()
    return findings


async def _database(chosen: Settings, store: Store):  # type: ignore[no-untyped-def]
    yield True, f"database {shown_url(chosen.database_url)} answers, its schema is up to date and its key file fits"
    await store.tokens.remove_expired(0, 1)
    yield True, "the database can be written to"
    organisations = await store.organisations.all()
    if not organisations:
        yield False, "there is no organisation yet: make one with `stamkund init --organisation ID`"
    for organisation in organisations:
        count = len(await store.clients.of_organisation(organisation.id))
        hint = "" if count else ": make one with `stamkund client create`"
        yield count > 0, f"organisation {organisation.id} has {count} client{'' if count == 1 else 's'}{hint}"


def _address(chosen: Settings) -> Iterator[Finding]:
    """Whether readers can log in where we say that we are: browsers keep the session's cookie over HTTPS alone."""
    for url in dict.fromkeys((chosen.issuer, chosen.pages_url)):
        parts = urlsplit(url)
        if parts.scheme == "https" or parts.hostname in _OWN_MACHINE:
            yield True, f"browsers and clients come to {url}"
        elif chosen.public_url:
            yield False, f"nobody can log in at {url}: browsers keep the session's cookie over https alone"
        else:
            yield False, f"{url} is no address for browsers: set STAMKUND_PUBLIC_URL, such as https://login.example.com"


def _clock() -> Iterator[Finding]:
    year = time.gmtime().tm_year
    sane = year >= 2025
    yield sane, "the clock looks right" if sane else f"the clock says it is {year}: set it (NTP), tokens expire by it"


def _key_file(chosen: Settings) -> Iterator[Finding]:
    path = Path(chosen.key_file)
    if not path.exists():
        return  # opening the store says whether that is right
    mode = stat.S_IMODE(path.stat().st_mode)
    private = mode & 0o077 == 0
    advice = "" if private else f": others can read it (mode {mode:04o}), run chmod 600 {path}"
    yield private, f"key file {path}{advice or ' is readable by its owner alone'}"


def _check_timezone(name: str) -> None:
    try:
        moments.zone(name)
    except (KeyError, ValueError, OSError):
        fail(f"there is no time zone {name}; use an IANA name such as Europe/Stockholm")


def shown_url(url: str) -> str:
    """A database URL without its password."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)
