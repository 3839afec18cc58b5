"""`stamkund init`, `migrate` and `doctor`: create, upgrade and check an installation."""

from __future__ import annotations

import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
import typer

from stamkund.cli.client_findings import client_findings
from stamkund.cli.common import COULD_NOT_RUN, ORGANISATION, fail, load_settings, run
from stamkund.cli.findings import FAILED, NOTE, Finding
from stamkund.cli.mail_findings import mail_findings
from stamkund.cli.output import say
from stamkund.cli.security_findings import security_findings
from stamkund.cli.visitor_addresses import visitor_address_findings
from stamkund.clock import system_clock
from stamkund.rules.addresses import public_address
from stamkund.rules.mail import LANGUAGES
from stamkund.rules.organisation import PERSON_NUMBER_CHECKS, Organisation, is_organisation_id
from stamkund.rules.password_rules import LEAST_MIN_LENGTH, MOST_MIN_LENGTH
from stamkund.rules.timestamps import zone
from stamkund.settings import Settings, WrongSetting, load
from stamkund.store import Store, Unavailable
from stamkund.store.open import WrongSchema, may_change_schema, migrate_database, open_installation
from stamkund.vault import KeyFileError

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def init(
    organisation: ORGANISATION,
    name: Annotated[str | None, typer.Option(help="Its name, as readers see it.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Its time zone (IANA), such as Europe/Stockholm.")] = None,
    person_number_check: Annotated[
        str | None,
        typer.Option(help="`checksum` accepts only real social security numbers, `pattern` anything in their form."),
    ] = None,
    password_min_length: Annotated[
        int | None,
        typer.Option(
            help="The least characters of a password that readers choose.",
            min=LEAST_MIN_LENGTH,
            max=MOST_MIN_LENGTH,
        ),
    ] = None,
    password_block_list: Annotated[
        bool | None,
        typer.Option(
            "--password-block-list/--no-password-block-list",
            help="Refuse the most common passwords, and those made of the reader's own data.",
        ),
    ] = None,
    password_rules_for_api: Annotated[
        bool | None,
        typer.Option(
            "--password-rules-for-api/--no-password-rules-for-api",
            help="Hold clients of the API to these rules too, not only our own pages.",
        ),
    ] = None,
    email_verification: Annotated[
        bool | None,
        typer.Option(
            "--email-verification/--no-email-verification",
            help="Clients may make accounts that wait until their e-mail is verified.",
        ),
    ] = None,
    long_customer_numbers: Annotated[
        bool | None,
        typer.Option(
            "--long-customer-numbers/--no-long-customer-numbers",
            help="Customer numbers have up to 50 characters, and look-ups accept them.",
        ),
    ] = None,
    language: Annotated[
        str | None, typer.Option(help=f"The language of its mails, where nothing else says: {', '.join(LANGUAGES)}.")
    ] = None,
    mail_from: Annotated[
        str | None, typer.Option(help="The address that its mails come from; '' for that of the settings.")
    ] = None,
) -> None:
    """Create an installation, or what is missing in it: database, key file, organisation. Safe to repeat."""
    if not is_organisation_id(organisation):
        fail("an organisation's id has 1 to 64 letters, digits, dots, dashes and underscores")
    if timezone is not None:
        _check_timezone(timezone)
    if person_number_check not in (None, *PERSON_NUMBER_CHECKS):
        fail(f"--person-number-check must be one of: {', '.join(PERSON_NUMBER_CHECKS)}")

    if language not in (None, *LANGUAGES):
        fail(f"--language must be one of: {', '.join(LANGUAGES)}")
    if mail_from:
        _check_address(mail_from)

    named = {
        "min_length": password_min_length,
        "block_list": password_block_list,
        "for_api": password_rules_for_api,
    }
    changed_rules = {name: value for name, value in named.items() if value is not None}

    def change(before: Organisation | None) -> Organisation:
        present = before or Organisation(organisation, organisation)
        return msgspec.structs.replace(
            present,
            name=name or present.name,
            timezone=timezone or present.timezone,
            person_number_check=person_number_check or present.person_number_check,
            password_rules=msgspec.structs.replace(present.password_rules, **changed_rules)
            if changed_rules
            else present.password_rules,
            email_verification=present.email_verification if email_verification is None else email_verification,
            long_customer_numbers=(
                present.long_customer_numbers if long_customer_numbers is None else long_customer_numbers
            ),
            language=language or present.language,
            mail_from=present.mail_from if mail_from is None else mail_from.strip(),
        )

    settings = load_settings()

    async def work() -> Organisation:
        await migrate_database(settings, system_clock)
        installation = await open_installation(settings, system_clock)
        try:
            return await installation.store.organisations.change(organisation, change)
        finally:
            await installation.close()

    owner = run(work())
    database = without_password(settings.database_url)
    say(f"Organisation {owner.id} ({owner.name}, {owner.timezone}) is ready in {database}.")
    say(f"Keys are in {settings.key_file}: keep a copy of it apart from copies of the database.")


def migrate() -> None:
    """Bring the database schema up to date."""
    done = run(migrate_database(load_settings(), system_clock))
    for step in done.steps:
        say(f"applied {step}")
    if done.binding is not None:
        say(f"accounts and customers whose sealed values were bound to their places: {done.binding.bound}")
        if done.binding.damaged:
            say(f"{done.binding.damaged} sealed values were damaged already and stay as they are")
    if not done.steps and done.binding is None:
        say("the database schema is up to date")


def doctor() -> None:
    """Check settings, database, key file and clock; explain how to fix what is wrong."""
    findings = run(_findings())
    for state, message in findings:
        say(f"{_LABELS[state]}  {message}")
    if any(state is FAILED for state, _ in findings):
        raise typer.Exit(COULD_NOT_RUN)


_LABELS = {True: "ok  ", FAILED: "FAIL", NOTE: "note"}


async def _findings() -> list[Finding]:
    try:
        settings = load(os.environ)
    except WrongSetting as error:
        return [(False, str(error))]
    findings = [(True, "the settings are valid"), *_urls(settings), *_clock(), *security_findings(settings)]
    if settings.sqlite and not settings.sqlite_file.exists():  # opening it would create one, which doctor must not
        missing = f"there is no database {settings.sqlite_file} yet: create it with `stamkund init`"
        return [*findings, (False, missing)]
    try:
        installation = await open_installation(settings, system_clock)
    except (Unavailable, WrongSchema, KeyFileError, ValueError) as error:
        return [*findings, (False, f"database {without_password(settings.database_url)}: {error}")]
    try:
        async for finding in _database(settings, installation.store):
            findings.append(finding)  # noqa: PERF401 - earlier findings must stay when the next step fails
    except Unavailable as error:
        findings.append((False, f"the database can't be written to: {error}"))
    finally:
        await installation.close()
    return findings


async def _database(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    url = without_password(settings.database_url)
    yield True, f"database {url} responds, its schema is up to date and its key file is the right one"
    await store.tokens.remove_expired(0, 1)
    yield True, "the database can be written to"
    if await may_change_schema(store):
        yield (
            NOTE,
            (
                "the role of the database URL may change the schema; a server needs only to read and write rows "
                "(STAMKUND_MIGRATE_DATABASE_URL)"
            ),
        )
    async for finding in mail_findings(settings, store):
        yield finding
    private = {one for one in await store.login_attempts.visitors_addresses() if public_address(one) is None}
    if private:
        yield NOTE, _undeclared_proxy(sorted(private)[0])
    organisations = await store.organisations.all()
    if not organisations:
        yield False, "there is no organisation yet: create one with `stamkund init --organisation ID`"
    for organisation in organisations:
        clients = await store.clients.of_organisation(organisation.id)
        count = len(clients)
        hint = "" if count else ": create one with `stamkund client create`"
        for finding in await visitor_address_findings(store, organisation.id, system_clock()):
            yield finding
        yield count > 0, f"organisation {organisation.id} has {count} client{'' if count == 1 else 's'}{hint}"
        for finding in client_findings(clients, settings):
            yield finding


def _undeclared_proxy(address: str) -> str:
    return (
        f"visitors of the login page come from {address}, which is no visitor's address: if a reverse proxy is there, "
        "name it in STAMKUND_TRUSTED_PROXIES, else failed logins can't be counted by address"
    )


def _urls(settings: Settings) -> Iterator[Finding]:
    """Whether readers can log in at our public URLs: browsers store the session's cookie only over HTTPS."""
    for url in dict.fromkeys((settings.issuer, settings.pages_url)):
        parts = urlsplit(url)
        if parts.scheme == "https" or parts.hostname in _LOCAL_HOSTS:
            yield True, f"browsers and clients use {url}"
        elif settings.public_url:
            advice = "browsers store the session's cookie only over https: give it an https address"
            yield False, f"nobody can log in at {url}, because {advice}"
        else:
            yield False, f"{url} is no address for browsers: set STAMKUND_PUBLIC_URL, such as https://login.example.com"


def _clock() -> Iterator[Finding]:
    year = time.gmtime().tm_year
    plausible = year >= 2025
    problem = f"the clock is wrong, it says {year}: set it (NTP), because tokens expire by it"
    yield plausible, "the clock looks right" if plausible else problem


def _check_address(address: str) -> None:
    from stamkund.delivery.mail.message import UnusableAddress, address_of

    try:
        address_of(address)
    except UnusableAddress:
        fail(f"--mail-from {address} is no address that mail can come from")


def _check_timezone(name: str) -> None:
    try:
        zone(name)
    except (KeyError, ValueError, OSError):
        fail(f"there is no time zone {name}; use an IANA name such as Europe/Stockholm")


def without_password(url: str) -> str:
    """A database URL without its password."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)
