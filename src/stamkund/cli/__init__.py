"""The command line. One module for each group of commands; rules are in `stamkund.rules`, not here.

What only one command needs and is slow to load (the server, the reference) is imported when that command runs.

Exit status: 0 done, 1 done in part (the output says which), 2 could not run (the output says why).
"""

from __future__ import annotations

from typing import Annotated

import typer

from stamkund import __version__
from stamkund.cli import (
    accounts,
    backup,
    branding,
    catalogue,
    clients,
    customers,
    demo,
    documentation,
    installation,
    keys,
    mail,
    permissions,
    server,
)
from stamkund.cli.output import say

app = typer.Typer(
    name="stamkund",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(accounts.app, name="account")
app.add_typer(clients.app, name="client")
app.add_typer(customers.app, name="import")
app.add_typer(keys.app, name="key")
app.add_typer(mail.app, name="mail")
app.add_typer(permissions.app, name="permission")
customers.app.command("catalogue")(catalogue.load)
app.command("catalogue")(catalogue.show)
app.command("branding")(branding.branding)
app.command("init")(installation.init)
app.command("backup")(backup.backup)
app.command("migrate")(installation.migrate)
app.command("doctor")(installation.doctor)
app.command("serve")(server.serve)
app.command("demo")(demo.demo)
app.command("docs", hidden=True)(documentation.docs)


def _print_version(requested: bool) -> None:
    if requested:
        say(f"stamkund {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Subscriber accounts behind the Payway external API."""
