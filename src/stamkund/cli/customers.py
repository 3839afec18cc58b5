"""`stamkund import customers`: import the customers of the subscription system from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from stamkund.cli.common import JSON, ORGANISATION, PARTLY_DONE, fail, get_organisation, with_store
from stamkund.cli.output import complain, say, say_json
from stamkund.clock import system_clock
from stamkund.importing import BadRow, CannotRun, Summary, import_customers, total_bytes
from stamkund.store import Store

app = typer.Typer(help="Import data from files.", no_args_is_help=True)


class CustomerReport(msgspec.Struct):
    """What `--json` prints at the end."""

    created: int
    updated: int
    unchanged: int
    rejected: int
    rejections: list[BadRow]
    weak_password_hashes: dict[str, int]


@app.callback()
def group() -> None:
    """Import data from files."""


@app.command()
def customers(
    file: Annotated[Path, typer.Argument(help="JSON Lines or CSV.", exists=True, dir_okay=False, readable=True)],
    organisation: ORGANISATION,
    subscriptions: Annotated[
        Path | None,
        typer.Option(
            help="A second file with their subscriptions, by customer_number.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, change nothing.")] = False,
    json: JSON = False,
) -> None:
    """Import customers of the subscription system. Can be repeated at any time: only changed customers are written.

    Exit status 0: all rows were imported; 1: some were rejected, and each of them reported; 2: could not run.
    """
    rejections: list[BadRow] = []

    def report(row: BadRow) -> None:
        if json and len(rejections) < _MAX_REJECTIONS_IN_JSON:
            rejections.append(row)
        complain(_line(row))

    from stamkund.importing.progress import progress_bar

    async def work(store: Store) -> Summary:
        owner = await get_organisation(store, organisation)
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
        summary = with_store(work)
    except CannotRun as error:
        fail(str(error))
    _print(summary, rejections, json=json, dry_run=dry_run)
    if summary.rejected:
        raise typer.Exit(PARTLY_DONE)


_MAX_REJECTIONS_IN_JSON = 1_000
"""Standard error has all of them."""


def _line(row: BadRow) -> str:
    column = f", {row.column}" if row.column else ""
    return f"{row.file}:{row.line}{column}: {row.reason}"


def _print(summary: Summary, rejections: list[BadRow], *, json: bool, dry_run: bool) -> None:
    if json:
        counts = (summary.created, summary.updated, summary.unchanged, summary.rejected)
        say_json(CustomerReport(*counts, rejections, summary.weak_hashes))
        return
    would = "would be " if dry_run else ""
    say(
        f"{summary.created} {would}created, {summary.updated} {would}updated, {summary.unchanged} unchanged, "
        f"{summary.rejected} rejected"
    )
    if summary.weak_hashes:
        kinds = ", ".join(f"{scheme} {count}" for scheme, count in sorted(summary.weak_hashes.items()))
        say(
            f"{sum(summary.weak_hashes.values())} password hashes are weak ({kinds}): each is stored sealed, and "
            "replaced when its reader logs in"
        )
