"""Running the application: uvicorn with one or more worker processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading

import uvicorn

from stamkund import log, settings
from stamkund.server.app import Application
from stamkund.settings import PREFIX, Settings


def application() -> Application:
    """The application of a worker process, from the settings in its environment."""
    chosen = settings.load()
    log.configure(chosen.log_level)
    _stop_with_parent()
    return Application(chosen)


def _stop_with_parent() -> None:
    """Makes a worker stop when the command that started it is gone: else it would hold port and database for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=watch, name="stamkund-parent", daemon=True).start()


_KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep an idle connection (60 s): else we close one just as the next request comes through it."""


def serve(chosen: Settings) -> None:
    """Serves until told to stop (SIGTERM, SIGINT); requests in flight are answered, and the exit status is 0."""
    # Uvicorn stops in good order, then sends itself the signal once more: that must not count as having been killed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for name in Settings.__struct_fields__:  # workers read the environment, so what was said here must stand there
        os.environ[PREFIX + name.upper()] = str(getattr(chosen, name))
    uvicorn.run(
        "stamkund.server.process:application",
        factory=True,
        host=chosen.host,
        port=chosen.port,
        workers=chosen.workers,
        loop="uvloop" if os.name == "posix" else "auto",
        http="httptools",
        ws="none",
        lifespan="on",
        interface="asgi3",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=bool(chosen.trusted_proxies),
        forwarded_allow_ips=chosen.trusted_proxies,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=chosen.stop_seconds,
        backlog=4096,
    )
