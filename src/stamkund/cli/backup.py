"""`stamkund backup`: a copy of an SQLite database while servers use it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stamkund.cli.common import fail, load_settings
from stamkund.cli.output import say
from stamkund.store import Unavailable
from stamkund.store.sqlite import back_up


def backup(
    file: Annotated[Path, typer.Argument(help="Where to put the copy; there must be no such file yet.")],
) -> None:
    """Copy an SQLite database to a file that only its owner can read, while servers run.

    The key file is not copied: keep a copy of it apart from copies of the database.
    """
    settings = load_settings()
    if not settings.sqlite:
        fail("PostgreSQL is backed up by pg_dump, or by your usual way")
    if not settings.sqlite_file.exists():
        fail(f"there is no database {settings.sqlite_file}")
    try:
        back_up(settings.sqlite_file, file)
    except FileExistsError:
        fail(f"{file} already exists: name a file that does not")
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}")
    except Unavailable as error:
        fail(str(error))
    say(f"{settings.sqlite_file} is copied to {file}")
