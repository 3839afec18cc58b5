"""Running the application: uvicorn with one or more worker processes."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from stamkund import log
from stamkund import settings as settings_module
from stamkund.server.app import Application
from stamkund.server.protocol import Connection
from stamkund.server.supervisor import Supervisor
from stamkund.settings import PREFIX, Settings

_KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep an idle connection (60 s): else we close one just as the next request comes through it."""

_SIGN_OF_LIFE_SECONDS = 20
"""How long a worker may give no sign of life before it is replaced. It gives none while it starts, which takes long on
a busy machine."""
_OTHER_FILES = 256
"""What a worker has open besides its connections: database, log, libraries."""

PROTOCOL: dict[str, Any] = {
    "http": Connection,
    "ws": "none",
    "lifespan": "on",
    "interface": "asgi3",
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,  # `server/proxies.py` decides whom to believe
}
"""Options of uvicorn that the service depends on, wherever it runs."""


def application(make: Callable[[Settings], Application] = Application) -> Application:
    """The application of a worker process, from the settings in its environment."""
    settings = settings_module.load()
    log.configure(settings.log_level)
    log.take_over()
    _stop_with_parent()
    _allow_files(settings.max_connections + _OTHER_FILES)
    return make(settings)


def _allow_files(count: int) -> None:
    """Lets the process have so many files open, as far as the system does: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < count:
            log.get().warning("fewer open files are allowed than max_connections needs", needed=count, allowed=allowed)


def _stop_with_parent() -> None:
    """Stops a worker when the command that started it is gone: else it would keep port and database forever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=watch, name="stamkund-parent", daemon=True).start()


def serve(settings: Settings, make: Callable[[Settings], Application] | None = None) -> None:
    """Serves until stopped (SIGTERM, SIGINT); requests in flight are finished, and the exit status is 0.

    `make`: makes another application than the usual one, for a server with one worker.
    """
    # Uvicorn stops in good order, then sends itself the signal once more: that must not count as having been killed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for name in Settings.__struct_fields__:  # workers read the environment, so the options of the command go there
        os.environ[PREFIX + name.upper()] = str(getattr(settings, name))
    os.environ[PREFIX + "MIGRATE_DATABASE_URL"] = ""  # no worker needs the password of a role that can do more
    log.configure(settings.log_level)
    log.take_over()
    app: Any = "stamkund.server.process:application" if make is None else partial(application, make)
    has_failed = _run(uvicorn.Config(app, **options(settings)))
    log.flush()
    if has_failed:
        sys.exit(STARTUP_FAILURE)


def options(settings: Settings) -> dict[str, Any]:
    """How uvicorn runs the application. Its `Config` is not made here, because making it configures logging."""
    return {
        "factory": True,
        "host": settings.host,
        "port": settings.port,
        "workers": settings.workers,
        "loop": "uvloop" if os.name == "posix" else "auto",
        "log_config": log.LIBRARIES,
        "log_level": "warning",
        "timeout_keep_alive": _KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": settings.stop_seconds,
        "timeout_worker_healthcheck": _SIGN_OF_LIFE_SECONDS,
        "backlog": 4096,
        **PROTOCOL,
    }


def _run(config: uvicorn.Config) -> bool:
    """Runs until stopped; returns whether it could not start."""
    if config.workers > 1:
        supervisor = Supervisor(config, [config.bind_socket()])
        supervisor.run()
        return supervisor.has_failed
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):  # Ctrl-C, which uvicorn sends itself once more
        server.run()
    return not server.started
