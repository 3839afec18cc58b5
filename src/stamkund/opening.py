"""Opening the store that the settings name: what the server and every command begin with."""

from __future__ import annotations

from pathlib import Path

from stamkund import store
from stamkund.clock import Clock
from stamkund.settings import Settings
from stamkund.store import Store


async def open_store(settings: Settings, clock: Clock) -> Store:
    """The store that the settings name, ready for use. An embedded database is made, or brought up to date, on the way.

    Raises Unavailable, WrongSchema, KeyFileError, ValueError.
    """
    engine = store.engine_for(settings.database_url, settings.postgres_connections)
    await engine.open()
    try:
        if settings.sqlite:
            await store.migrate(engine, clock())
        await store.check_schema(engine)
        return Store(engine, await store.vault_for(engine, Path(settings.key_file), clock()))
    except BaseException:
        await engine.close()
        raise
