"""Looking for what must not be found: all that is stored, and the texts that a text should not have."""

from __future__ import annotations

from typing import Any

from tests.support.installation import Installation
from tests.support.rows import TABLES, rows


async def everything_stored(installation: Installation) -> str:
    """All that somebody with a copy of the database has: every file but the key file, or every row of every table."""
    if installation.database_url.startswith("sqlite:"):
        files = [file for file in installation.folder.iterdir() if file != installation.key_file]
        assert {file.name for file in files} >= {"stamkund.db", "stamkund.db-wal"}
        return "".join(file.read_bytes().decode("latin-1") for file in files)
    tables = [row for (row,) in await rows(installation.database_url, _OUR_TABLES)]
    assert sorted(tables) == sorted([*TABLES, "migrations"])
    stored = [row for table in tables for row in await rows(installation.database_url, f"SELECT * FROM {table}")]
    return "\n".join(_text(value) for row in stored for value in row)


_OUR_TABLES = (
    "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type LIKE 'BASE%'"
)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def leaks(text: str, unwanted: list[str]) -> list[str]:
    lower = text.lower()
    return [one for one in unwanted if one.lower() in lower]
