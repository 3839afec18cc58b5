"""`stamkund serve`: run the server."""

from __future__ import annotations

import os
import socket
from typing import Annotated

import msgspec
import typer

from stamkund.cli.common import fail, load_settings, run
from stamkund.clock import system_clock
from stamkund.settings import Settings
from stamkund.store.open import open_installation


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65535)] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that handle requests.", min=1)] = None,
) -> None:
    """Run the server until it is stopped (Ctrl-C or SIGTERM)."""
    from stamkund.server import process  # slow to import, and other commands don't need it

    options = {"host": host, "port": port, "workers": workers}
    settings = msgspec.structs.replace(load_settings(), **{k: v for k, v in options.items() if v is not None})
    run(_check_installation(settings))
    check_port(settings.host, settings.port)
    process.serve(settings)


async def _check_installation(settings: Settings) -> None:
    """Opens and closes the store once, so that errors are reported before any worker starts."""
    installation = await open_installation(settings, system_clock)
    await installation.close()


def check_port(host: str, port: int, advice: str = "") -> None:
    """Ends the command with a message where nothing can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        # Python adds the address once more to the system's own words.
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        fail(f"cannot listen on {host}, port {port}: {reason}{advice}")
