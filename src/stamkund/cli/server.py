"""`stamkund serve`: the server."""

from __future__ import annotations

import socket
from typing import Annotated

import msgspec
import typer

from stamkund.cli.common import chosen_settings, fail, run
from stamkund.clock import system_clock
from stamkund.settings import Settings
from stamkund.store.open import open_installation


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65535)] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer requests.", min=1)] = None,
) -> None:
    """Answer requests until told to stop."""
    from stamkund.server import process as serving  # all that answers requests: other commands start without it

    said = {"host": host, "port": port, "workers": workers}
    chosen = msgspec.structs.replace(chosen_settings(), **{k: v for k, v in said.items() if v is not None})
    run(_look(chosen))
    _check_port(chosen)
    serving.serve(chosen)


async def _look(chosen: Settings) -> None:
    """Opens and closes the store once, so that what is wrong is said before any worker starts."""
    installation = await open_installation(chosen, system_clock)
    await installation.close()


def _check_port(chosen: Settings) -> None:
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    try:
        socket.create_server((chosen.host, chosen.port), family=family).close()
    except OSError as error:
        fail(f"cannot listen on {chosen.host}, port {chosen.port}: {error.strerror}")
