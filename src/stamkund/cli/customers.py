"""`stamkund import customers`: import the customers of the subscription system from files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from stamkund.cli.common import JSON, ORGANISATION, PARTLY_DONE, fail, get_organisation, load_settings, with_store
from stamkund.cli.output import complain, counted, say, say_json
from stamkund.clock import system_clock
from stamkund.importing import (
    BadRow,
    CannotRun,
    Reading,
    Rejects,
    Remark,
    Report,
    Summary,
    import_customers,
    named,
    parsed_columns,
    total_bytes,
)
from stamkund.importing.rejects import would_overwrite
from stamkund.importing.source import can_be_read_again
from stamkund.importing.steps import File
from stamkund.rules.customer_numbers import DOCUMENTED_CUSTOMER_NUMBER
from stamkund.store import Store

app = typer.Typer(help="Import data from files.", no_args_is_help=True)

_INTERRUPTED = 130
_MAX_IN_JSON = 1_000
"""How many reports of a kind `--json` has; standard error has all of them."""
_MAX_REASONS = 200
"""How many different reasons are counted."""


class CustomerReport(msgspec.Struct):
    """What `--json` prints at the end."""

    created: int
    updated: int
    unchanged: int
    rejected: int
    remarks: int
    ended: int
    rejections: list[BadRow]
    weak_password_hashes: dict[str, int]
    remarked: list[Remark]
    missing: list[str]
    reasons: dict[str, int]


_PLACES = (
    (re.compile(r"\blines [0-9]+ to [0-9]+"), "several lines"),
    (re.compile(r"(in )?\bline [0-9]+"), "another line"),
    (re.compile(r"\bcustomer [a-zA-Z0-9_-]+ has "), "another customer has "),
)
"""What reasons name that is another in each row: the summary counts reasons without it."""


class Reports:
    """Prints what an import reports, and counts the reasons."""

    def __init__(self, rejects: Rejects | None, *, json: bool, dry_run: bool) -> None:
        self._rejects = rejects
        self._json = json
        self._would = "would end" if dry_run else "end"
        self.rejections: list[BadRow] = []
        self.remarks: list[Remark] = []
        self.missing: list[str] = []
        self.reasons: Counter[str] = Counter()

    def __call__(self, one: Report) -> None:
        if isinstance(one, BadRow):
            self._keep(self.rejections, one)
            self._count(one.column, one.reason)
            if self._rejects is not None:
                self._rejects.add(one)
            column = f", {one.column}" if one.column else ""
            line = f"{one.file}:{one.line}{column}: {one.reason}"
        elif isinstance(one, Remark):
            self._keep(self.remarks, one)
            self._count(one.column, one.reason)
            value = f" ({one.value})" if one.value else ""
            customer = f", customer {one.customer_number}" if one.customer_number else ""
            line = f"{one.file}:{one.line}, {one.column}{customer}: {one.reason}{value}"
        else:
            self._keep(self.missing, one.customer_number)
            lacks = "has no subscription" if one.is_named else "is not"
            line = f"{one.file}: customer {one.customer_number} {lacks} in the file: all subscriptions {self._would}"
        complain(line)

    def _keep(self, reports: list[Any], one: Any) -> None:
        if self._json and len(reports) < _MAX_IN_JSON:
            reports.append(one)

    def _count(self, column: str | None, reason: str) -> None:
        name = re.sub(r"\[\d+\]", "[]", column) if column else "row"
        for one, any_ in _PLACES:
            reason = one.sub(any_, reason)
        text = f"{name}: {reason}"
        self.reasons[text if text in self.reasons or len(self.reasons) < _MAX_REASONS else "other reasons"] += 1

    def print_reasons(self) -> None:
        for reason, count in self.reasons.most_common():
            complain(f"{count:8,} x {reason}")


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
    encoding: Annotated[
        str | None, typer.Option(help="The files' encoding, such as cp1252; found out if left out.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(help="Other names of columns: THEIRS=OURS,… (nothing after the = leaves it out)."),
    ] = None,
    dates: Annotated[
        Literal["inclusive", "exclusive"],
        typer.Option(help="Whether a valid_to without a time includes that day."),
    ] = "inclusive",
    full: Annotated[
        bool, typer.Option("--full", help="The file is complete: end the subscriptions of whoever it does not name.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --full: even of more than a tenth of the customers.")
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Write rejected rows to this file, with a column for the reason.", dir_okay=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, change nothing.")] = False,
    json: JSON = False,
) -> None:
    """Import customers of the subscription system. Can be repeated at any time: only changed customers are written.

    Exit status 0: all rows were imported; 1: some were rejected, and each of them reported; 2: could not run or could
    not finish.
    """
    from stamkund.importing.progress import progress_bar

    if rejects is not None and not all(can_be_read_again(one) for one in (file, subscriptions) if one is not None):
        fail("--rejects needs files that can be read twice, not a pipe")
    inputs = [one for one in (file, subscriptions) if one is not None]
    if rejects is not None and (overwritten := would_overwrite(rejects, inputs)) is not None:
        fail(f"--rejects would write over {overwritten}, which is to be imported")
    summary = Summary()
    has_key = bool(load_settings().firebase_signer_key)
    try:
        reading = Reading(
            None if encoding is None else named(encoding),
            parsed_columns(columns or ()),
            dates == "exclusive",
            full,
            has_key,
        )
        with ExitStack() as resources:
            rejected = None if rejects is None else resources.enter_context(closing(Rejects(rejects)))
            reports = Reports(rejected, json=json, dry_run=dry_run)

            async def work(store: Store) -> None:
                owner = await get_organisation(store, organisation)
                with progress_bar(total_bytes(file, subscriptions)) as progress:
                    await import_customers(
                        store,
                        owner,
                        file,
                        subscriptions,
                        now=system_clock(),
                        dry_run=dry_run,
                        report=reports,
                        progress=progress,
                        reading=reading,
                        force=force,
                        summary=summary,
                    )

            stopped = _stopped_by(work)
            reports.print_reasons()
            if rejected is not None:
                second = None if subscriptions is None else File(str(subscriptions), str(subscriptions))
                finished = stopped is None and not dry_run
                rejected.write(File(str(file), str(file)), second, reading.encoding, finished=finished)
    except CannotRun as error:
        fail(str(error))
    _end(summary, reports, stopped, organisation, json=json, dry_run=dry_run)


def _stopped_by(work: Callable[[Store], Awaitable[None]]) -> CannotRun | KeyboardInterrupt | None:
    """Runs an import; returns what stopped it."""
    try:
        with_store(work)
    except (CannotRun, KeyboardInterrupt) as stop:
        return stop
    return None


def _end(
    summary: Summary,
    reports: Reports,
    stopped: CannotRun | KeyboardInterrupt | None,
    organisation: str,
    *,
    json: bool,
    dry_run: bool,
) -> None:
    """Prints the summary, and ends the command with its exit status."""
    has_begun = summary != Summary()
    if stopped is None or has_begun:
        _print(summary, reports, json=json, dry_run=dry_run)
    if summary.long_numbers:
        complain(
            f"stamkund: numbers of {counted(summary.long_numbers, 'customer')} have more than "
            f"{DOCUMENTED_CUSTOMER_NUMBER} characters, which look-ups refuse. Allow them with "
            f"`stamkund init --organisation {organisation} --long-customer-numbers`"
        )
    if isinstance(stopped, KeyboardInterrupt):
        stays = "Nothing was written" if dry_run else "What was imported so far stays: run the same import again"
        complain(f"stamkund: stopped. {stays}")
        raise typer.Exit(_INTERRUPTED)
    if stopped is not None:
        fail(str(stopped))
    if summary.rejected:
        raise typer.Exit(PARTLY_DONE)


def _print(summary: Summary, reports: Reports, *, json: bool, dry_run: bool) -> None:
    if json:
        say_json(
            CustomerReport(
                summary.created,
                summary.updated,
                summary.unchanged,
                summary.rejected,
                summary.remarks,
                summary.ended,
                reports.rejections,
                summary.weak_hashes,
                reports.remarks,
                reports.missing,
                dict(reports.reasons),
            )
        )
        return
    would = "would be " if dry_run else ""
    parts = [
        f"{summary.created} {would}created",
        f"{summary.updated} {would}updated",
        f"{summary.unchanged} unchanged",
        f"{summary.rejected} rejected",
    ]
    if summary.remarks:
        parts.append(f"{counted(summary.remarks, 'value')} not imported as given")
    if summary.ended:
        parts.append(f"{counted(summary.ended, 'customer')} not in the file{' would be' if dry_run else ''} ended")
    say(", ".join(parts))
    if summary.weak_hashes:
        kinds = ", ".join(f"{scheme} {count}" for scheme, count in sorted(summary.weak_hashes.items()))
        weak = counted(sum(summary.weak_hashes.values()), "weak password hash", "weak password hashes")
        say(f"{weak} ({kinds}): stored sealed, and replaced when the reader logs in")
