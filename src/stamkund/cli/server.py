"""`stamkund serve`: run the server."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from stamkund.cli.common import check_port, fail, load_settings, run
from stamkund.clock import system_clock
from stamkund.settings import Settings
from stamkund.store.open import open_installation


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65535)] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that handle requests.", min=1)] = None,
) -> None:
    """Run the server until it is stopped (Ctrl-C or SIGTERM)."""
    from stamkund.server import process, proxies  # slow to import, and other commands don't need it

    options = {"host": host, "port": port, "workers": workers}
    settings = msgspec.structs.replace(load_settings(), **{k: v for k, v in options.items() if v is not None})
    # First: opening an SQLite database migrates it, under a server that may still run on this port.
    check_port(settings.host, settings.port)
    try:
        proxies.address_of(settings)
    except ValueError as error:
        fail(str(error))
    run(_check_installation(settings))
    process.serve(settings)


async def _check_installation(settings: Settings) -> None:
    """Opens and closes the store once, so that errors are reported before any worker starts."""
    installation = await open_installation(settings, system_clock)
    await installation.close()
