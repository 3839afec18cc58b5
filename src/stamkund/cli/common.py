"""What the commands share: running with an open store, and ending with a sentence when that can't be done."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
import typer

from stamkund import settings
from stamkund.clock import system_clock
from stamkund.rules.organisation import Organisation
from stamkund.settings import Settings, WrongSetting
from stamkund.store import Store, Unavailable
from stamkund.store.open import Installation, WrongSchema, open_installation
from stamkund.vault import KeyFileError

T = TypeVar("T")

ORGANISATION = Annotated[str, typer.Option("--organisation", help="The organisation's id.")]
JSON = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]

PARTLY = 1
COULD_NOT_RUN = 2


def fail(sentence: str) -> NoReturn:
    """Ends the command: it could not run, and why."""
    print(f"stamkund: {sentence}", file=sys.stderr)
    raise typer.Exit(COULD_NOT_RUN)


def show_json(value: Any) -> None:
    print(msgspec.json.format(msgspec.json.encode(value)).decode())


def chosen_settings() -> Settings:
    try:
        return settings.load(os.environ)
    except WrongSetting as error:
        fail(str(error))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs to the end, or ends the command with the sentence of what stood in the way."""
    try:
        return asyncio.run(work)
    except (Unavailable, WrongSchema, KeyFileError, ValueError) as error:
        fail(str(error))


def with_installation(action: Callable[[Installation], Awaitable[T]]) -> T:
    """Opens the installation that the settings name, does `action`, closes it."""
    settings = chosen_settings()

    async def work() -> T:
        installation = await open_installation(settings, system_clock)
        try:
            return await action(installation)
        finally:
            await installation.close()

    return run(work())


def with_store(action: Callable[[Store], Awaitable[T]]) -> T:
    """As `with_installation`, for an action that needs the store alone."""
    return with_installation(lambda installation: action(installation.store))


async def known_organisation(store: Store, organisation_id: str) -> Organisation:
    """The organisation, or the end of the command with the ones that there are."""
    found = await store.organisations.get(organisation_id)
    if found is None:
        known = ", ".join(o.id for o in await store.organisations.all()) or "none yet"
        fail(f"there is no organisation {organisation_id} (known: {known}); make it with `stamkund init`")
    return found
