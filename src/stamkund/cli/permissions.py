"""`stamkund permission …`: the marketing permissions that readers may accept."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from stamkund.cli.common import JSON, ORGANISATION, fail, known_organisation, show_json, with_store
from stamkund.clock import system_clock
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import Organisation, Permission
from stamkund.store import Store

app = typer.Typer(help="Marketing permissions that readers may accept.", no_args_is_help=True)


@app.command()
def create(
    organisation: ORGANISATION,
    name: Annotated[str, typer.Option(help="What people call it.")],
    type: Annotated[str, typer.Option(help="How it reaches the reader: email, sms, phone_call …")] = "email",
    json: JSON = False,
) -> None:
    """Make a marketing permission and print its id."""
    made = Permission(new_id(system_clock()), name, type)
    _change(organisation, lambda known: [*known, made])
    show_json(made) if json else print(made.id)


@app.command("list")
def list_permissions(organisation: ORGANISATION, json: JSON = False) -> None:
    """List the marketing permissions of an organisation."""
    found = with_store(lambda store: known_organisation(store, organisation)).marketing_permissions
    if json:
        show_json(found)
        return
    for permission in found:
        state = "" if permission.active else "  (not active)"
        print(f"{permission.id}  {permission.type}  {permission.name}{state}")


@app.command()
def deactivate(organisation: ORGANISATION, permission_id: str) -> None:
    """Let nobody accept a marketing permission any more; those who have accepted it keep it."""
    found: list[Permission] = []

    def change(known: list[Permission]) -> list[Permission]:
        found.extend(p for p in known if p.id == permission_id)
        return [msgspec.structs.replace(p, active=p.active and p.id != permission_id) for p in known]

    _change(organisation, change)
    if not found:
        fail(f"there is no marketing permission {permission_id}")
    print(f"{permission_id} is not active any more")


def _change(organisation_id: str, change) -> None:  # type: ignore[no-untyped-def]
    async def work(store: Store) -> None:
        await known_organisation(store, organisation_id)
        await store.organisations.change(organisation_id, changed)

    def changed(known: Organisation | None) -> Organisation:
        assert known is not None
        return msgspec.structs.replace(known, marketing_permissions=change(known.marketing_permissions))

    with_store(work)
