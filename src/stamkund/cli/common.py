"""What the commands share: running with an open store, and ending with an error message where that is not possible."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from stamkund import settings
from stamkund.cli.output import complain
from stamkund.clock import system_clock
from stamkund.rules.organisation import Organisation
from stamkund.settings import Settings, WrongSetting
from stamkund.store import Store, Unavailable
from stamkund.store.open import Installation, WrongSchema, open_installation
from stamkund.vault import KeyFileError

T = TypeVar("T")

ORGANISATION = Annotated[str, typer.Option("--organisation", help="The organisation's id.")]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]

PARTLY_DONE = 1
COULD_NOT_RUN = 2


def fail(sentence: str) -> NoReturn:
    """Ends the command with an error message and the exit status for 'could not run'."""
    complain(f"stamkund: {sentence}")
    raise typer.Exit(COULD_NOT_RUN)


def load_settings() -> Settings:
    """The settings in force; ends the command where one can't be used."""
    try:
        return settings.load(os.environ)
    except WrongSetting as error:
        fail(str(error))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end; ends the command on the errors of an installation that can't be used."""
    try:
        return asyncio.run(work)
    except (Unavailable, WrongSchema, KeyFileError, ValueError) as error:
        fail(str(error))


def with_installation(action: Callable[[Installation], Awaitable[T]]) -> T:
    """Opens the installation of the current settings, runs `action`, closes it."""
    settings = load_settings()

    async def work() -> T:
        installation = await open_installation(settings, system_clock)
        try:
            return await action(installation)
        finally:
            await installation.close()

    return run(work())


def with_store(action: Callable[[Store], Awaitable[T]]) -> T:
    """As `with_installation`, for an action that only needs the store."""
    return with_installation(lambda installation: action(installation.store))


async def get_organisation(store: Store, organisation_id: str) -> Organisation:
    """The organisation; where there is none with this id, ends the command and lists those that exist."""
    organisation = await store.organisations.get(organisation_id)
    if organisation is None:
        ids = ", ".join(o.id for o in await store.organisations.all()) or "none yet"
        fail(f"there is no organisation {organisation_id} (known: {ids}); create it with `stamkund init`")
    return organisation


def check_port(host: str, port: int) -> None:
    """Ends the command with a message where nothing can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen()
    except OSError as error:
        fail(f"cannot listen on {host}, port {port}: {error.strerror}. Choose another port with --port")
