"""What was measured, kept in bench/results.json: the table and the picture are made of it and cannot disagree.

A measurement that is run again replaces its own rows and leaves the others, each of which names the run it is from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

FILE = Path(__file__).parent / "results.json"

MEASUREMENTS = {
    "reads": "Reads",
    "growth": "Many accounts",
    "passwords": "Activations",
    "logins": "Logins, and a site's calls after one",
    "mails": "Mails",
    "imports": "Imports",
    "start": "Start and memory",
}
"""The modules that measure, in the order of the table, and what each is about."""


@dataclass(frozen=True)
class Line:
    """One measured ratio. `most`: the goal is an upper bound."""

    name: str
    ratio: float
    goal: float
    note: str = ""
    most: bool = False

    @property
    def reached(self) -> bool:
        return self.ratio <= self.goal if self.most else self.ratio >= self.goal

    @property
    def bound(self) -> str:
        return f"{'≤' if self.most else '≥'} {self.goal:g}"


@dataclass(frozen=True)
class Cell:
    """A rate in the table of growth, beside that of ten thousand accounts with two user products each."""

    engine: str
    call: str
    accounts: int
    user_products: int
    ratio: float
    per_second: float
    run: int = 0

    @property
    def place(self) -> tuple[str, str, int, int]:
        """What it is the rate of."""
        return self.engine, self.call, self.accounts, self.user_products


@dataclass(frozen=True)
class Run:
    """When a run began, and on what it was made, in a sentence."""

    began: str
    machine: str


@dataclass(frozen=True)
class Entry:
    """A line, the measurement that it belongs to, and the place of its run in `Results.runs`."""

    measurement: str
    line: Line
    run: int


@dataclass(frozen=True)
class Results:
    """All that is known, in the order of the table."""

    runs: Sequence[Run] = ()
    entries: Sequence[Entry] = ()
    growth: Sequence[Cell] = ()

    def merged(self, run: Run, lines: Iterable[tuple[str, Line]], growth: Iterable[Cell] = ()) -> Results:
        """These results with the lines and cells of a run, each in place of the earlier one of its name.

        Their figures are kept as they are: whoever rounds for a table rounds once. A run that nothing is left of goes.
        """
        runs = [*self.runs, *([] if run in self.runs else [run])]
        place = runs.index(run)
        entries = {entry.line.name: entry for entry in self.entries}
        for measurement, line in lines:
            entries[line.name] = Entry(measurement, line, place)
        order = list(MEASUREMENTS)
        ordered = sorted(entries.values(), key=lambda entry: order.index(entry.measurement))
        cells = {cell.place: cell for cell in self.growth}
        for cell in growth:
            cells[cell.place] = replace(cell, run=place)
        return _without_empty_runs(runs, ordered, list(cells.values()))

    def groups(self) -> dict[str, list[Entry]]:
        """The entries of each measurement, by what it is about."""
        groups: dict[str, list[Entry]] = {}
        for entry in self.entries:
            groups.setdefault(MEASUREMENTS[entry.measurement], []).append(entry)
        return groups


def _without_empty_runs(runs: Sequence[Run], entries: Sequence[Entry], cells: Sequence[Cell]) -> Results:
    """Runs in the order in which they began."""
    places = {entry.run for entry in entries} | {cell.run for cell in cells}
    used = sorted(places, key=lambda place: runs[place].began)
    return Results(
        tuple(runs[place] for place in used),
        tuple(replace(entry, run=used.index(entry.run)) for entry in entries),
        tuple(replace(cell, run=used.index(cell.run)) for cell in cells),
    )


def read(file: Path = FILE) -> Results:
    """The stored results; none where there is no file. Raises msgspec.ValidationError."""
    return msgspec.json.decode(file.read_bytes(), type=Results) if file.exists() else Results()


def write(results: Results, file: Path = FILE) -> None:
    file.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
