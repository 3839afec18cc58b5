"""`stamkund account …`: what an operator does for one reader."""

from __future__ import annotations

from typing import Annotated

import typer

from stamkund.cli.common import JSON, ORGANISATION, fail, known_organisation, show_json, with_store
from stamkund.clock import system_clock
from stamkund.rules import identifiers
from stamkund.rules.identifiers import Identifier
from stamkund.rules.ids import is_id
from stamkund.rules.lockout import Attempt
from stamkund.rules.timestamps import Zone, zone
from stamkund.store import Login, Store

app = typer.Typer(help="Readers' accounts.", no_args_is_help=True)

WHO = Annotated[str, typer.Argument(metavar="EMAIL_OR_ID", help="The account's e-mail or id.")]


@app.command()
def unfreeze(who: WHO, organisation: ORGANISATION) -> None:
    """Let a reader whose login is frozen try again at once."""

    async def work(store: Store) -> bool:
        login = await _login(store, organisation, who)
        return await store.login_attempts.unlock(organisation, login.id, system_clock())

    print(f"{who} may log in again" if with_store(work) else f"{who} was not frozen; failed logins are forgotten")


@app.command()
def attempts(who: WHO, organisation: ORGANISATION, json: JSON = False) -> None:
    """List the latest 25 attempts to log in, newest first."""

    async def work(store: Store) -> tuple[list[Attempt], dict[str, str], Zone]:
        known = await known_organisation(store, organisation)
        found = await store.login_attempts.latest(organisation, (await _login(store, organisation, who)).id)
        names = {client.id: client.name for client in await store.clients.of_organisation(organisation)}
        return found, names, zone(known.timezone)

    found, names, local = with_store(work)
    if json:
        show_json([{**_described(a), "at": local.format(a.at)} for a in found])
        return
    for one in found:
        print(
            f"{local.format(one.at)}  {one.outcome:9}  {one.channel}  {names.get(one.client, one.client)}  "
            f"{one.address or '-'}  {one.user_agent or '-'}"
        )
    if not found:
        print("no attempts yet")


def _described(attempt: Attempt) -> dict[str, object]:
    return {name: getattr(attempt, name) for name in Attempt.__struct_fields__}


async def _login(store: Store, organisation: str, who: str) -> Login:
    """The login that is meant: an account's, or that of a customer who brought a password."""
    await known_organisation(store, organisation)
    meant = Identifier(identifiers.ID, who.lower()) if is_id(who) else identifiers.email(who)
    found = await store.logins.find(organisation, meant)
    if found is None:
        fail(f"there is no account {who} in {organisation}")
    return found
