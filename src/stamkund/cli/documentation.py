"""`stamkund docs`: the documentation that is generated from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stamkund.cli.common import PARTLY_DONE, fail
from stamkund.cli.output import complain, say

OPERATING = "operating.md"
BEGIN = "<!-- settings:begin -->"
END = "<!-- settings:end -->"


def docs(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; list the files that differ.")] = False,
    folder: Annotated[Path, typer.Option(help="The folder with the project's documentation.")] = Path("docs"),
) -> None:
    """Generate the documentation. With --check, exit status 1 means that a file differs."""
    if not folder.is_dir():
        fail(f"there is no folder {folder}: run this in the folder of the project, or use --folder")
    differing = {path: text for path, text in generated(folder).items() if _read(path) != text}
    if not differing:
        say("the generated documentation is up to date")
        return
    for path, text in differing.items():
        if check:
            complain(f"{path} differs: run `stamkund docs`")
        else:
            path.write_text(text, encoding="utf-8")
            say(f"wrote {path}")
    if check:
        raise typer.Exit(PARTLY_DONE)


def generated(folder: Path) -> dict[Path, str]:
    """All generated files with their contents."""
    from stamkund.endpoints import declared_endpoints
    from stamkund.reference.coverage import coverage
    from stamkund.reference.markdown import api

    endpoints = declared_endpoints()
    return {
        folder / "api.md": api(endpoints),
        folder / "coverage.md": coverage(endpoints),
        folder / OPERATING: _operating(folder / OPERATING),
    }


def _operating(path: Path) -> str:
    """The present file, with the table of settings between the markers replaced."""
    from stamkund.reference.markdown import settings_table

    before, begin, rest = (_read(path) or "").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        fail(f"{path} must have the lines {BEGIN} and {END}, for the table of settings between them")
    return f"{before}{BEGIN}\n{settings_table()}\n{END}{after}"


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
