"""`stamkund permission …`: the marketing permissions that readers may accept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
import typer

from stamkund.cli.common import JSON, ORGANISATION, fail, get_organisation, with_store
from stamkund.cli.output import say, say_json
from stamkund.clock import system_clock
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Organisation, Permission
from stamkund.store import Store

app = typer.Typer(help="Marketing permissions that readers may accept.", no_args_is_help=True)


@app.command()
def create(
    organisation: ORGANISATION,
    name: Annotated[str, typer.Option(help="Its name, as readers see it.")],
    type: Annotated[str, typer.Option(help="How readers are contacted: email, sms, phone_call …")] = "email",
    json: JSON = False,
) -> None:
    """Create a marketing permission and print its id."""
    permission = Permission(new_id(system_clock()), name, type)
    _change(organisation, lambda permissions: [*permissions, permission])
    say_json(permission) if json else say(permission.id)


@app.command("list")
def list_permissions(organisation: ORGANISATION, json: JSON = False) -> None:
    """List the marketing permissions of an organisation."""
    permissions = with_store(lambda store: get_organisation(store, organisation)).marketing_permissions
    if json:
        say_json(permissions)
        return
    for permission in permissions:
        state = "" if permission.active else "  (not active)"
        say(f"{permission.id}  {permission.type}  {permission.name}{state}")


@app.command()
def deactivate(organisation: ORGANISATION, permission_id: str) -> None:
    """Deactivate a marketing permission: it can't be accepted any more; readers who have accepted it keep it."""
    matches: list[Permission] = []

    def change(permissions: list[Permission]) -> list[Permission]:
        matches.extend(p for p in permissions if p.id == permission_id)
        return [msgspec.structs.replace(p, active=p.active and p.id != permission_id) for p in permissions]

    _change(organisation, change)
    if not matches:
        fail(f"there is no marketing permission {permission_id}; see `stamkund permission list`")
    say(f"{permission_id} is deactivated")


def _change(organisation_id: str, change: Callable[[list[Permission]], list[Permission]]) -> None:
    async def work(store: Store) -> None:
        await get_organisation(store, organisation_id)
        await store.organisations.change(organisation_id, changed)

    def changed(before: Organisation | None) -> Organisation:
        assert before is not None
        return msgspec.structs.replace(before, marketing_permissions=change(before.marketing_permissions))

    with_store(work)
