"""Running the application: uvicorn with one or more worker processes."""

from __future__ import annotations

import os
import signal
import sys

import uvicorn

from stamkund import log, settings
from stamkund.app import Application
from stamkund.settings import PREFIX, Settings


def application() -> Application:
    """The application of a worker process, from the settings in its environment."""
    chosen = settings.load()
    log.configure(chosen.log_level)
    return Application(chosen)


def serve(chosen: Settings) -> None:
    """Serves until told to stop (SIGTERM, SIGINT); requests in flight are answered."""
    for name in Settings.__struct_fields__:  # workers read the environment, so what was said here must stand there
        os.environ[PREFIX + name.upper()] = str(getattr(chosen, name))
    # uvicorn stops gracefully at a signal, then raises it again: to have been told to stop is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        "stamkund.serving:application",
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
        proxy_headers=False,
        timeout_graceful_shutdown=chosen.stop_seconds,
        backlog=4096,
    )
