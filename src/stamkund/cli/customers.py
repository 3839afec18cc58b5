"""`stamkund import customers`: the subscription system's customers come in from files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from stamkund.cli.common import JSON, ORGANISATION, PARTLY, fail, known_organisation, show_json, with_store
from stamkund.clock import system_clock
from stamkund.importing import BadRow, CannotRun, Summary, import_customers, total_bytes
from stamkund.store import Store

app = typer.Typer(help="Bring data in from files.", no_args_is_help=True)


class Report(msgspec.Struct):
    """What `--json` prints at the end."""

    created: int
    updated: int
    unchanged: int
    rejected: int
    rejections: list[BadRow]


@app.callback()
def group() -> None:
    """Bring data in from files."""


@app.command()
def customers(
    file: Annotated[Path, typer.Argument(help="JSON Lines or CSV.", exists=True, dir_okay=False, readable=True)],
    organisation: ORGANISATION,
    subscriptions: Annotated[
        Path | None,
        typer.Option(help="Their subscriptions, keyed by customer_number.", exists=True, dir_okay=False, readable=True),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, change nothing.")] = False,
    json: JSON = False,
) -> None:
    """Import customers of the subscription system. Can be run again at any time: only what changed is changed.

    Exit status 0: every row was taken; 1: some were not, each is reported; 2: could not run.
    """
    rejections: list[BadRow] = []

    def report(bad: BadRow) -> None:
        if json and len(rejections) < _MOST_LISTED:
            rejections.append(bad)
        print(_sentence(bad), file=sys.stderr)

    from stamkund.importing.progress import progress_bar

    async def work(store: Store) -> Summary:
        owner = await known_organisation(store, organisation)
        with progress_bar(total_bytes(file, subscriptions)) as progress:
            return await import_customers(
                store,
                owner,
                file,
                subscriptions,
                now=system_clock(),
                dry_run=dry_run,
                report=report,
                progress=progress,
            )

    try:
        done = with_store(work)
    except CannotRun as error:
        fail(str(error))
    _show(done, rejections, json=json, dry_run=dry_run)
    if done.rejected:
        raise typer.Exit(PARTLY)


_MOST_LISTED = 1_000
"""How many rejections the JSON lists; all of them are on standard error."""


def _sentence(bad: BadRow) -> str:
    column = f", {bad.column}" if bad.column else ""
    return f"{bad.file}:{bad.line}{column}: {bad.reason}"


def _show(done: Summary, rejections: list[BadRow], *, json: bool, dry_run: bool) -> None:
    if json:
        show_json(Report(done.created, done.updated, done.unchanged, done.rejected, rejections))
        return
    would = "would be " if dry_run else ""
    print(
        f"{done.created} {would}created, {done.updated} {would}updated, {done.unchanged} unchanged, "
        f"{done.rejected} rejected"
    )
