"""What a run found: ratios beside their goals, printed as they come, and at the end as a table and a picture."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bench import picture, results
from bench.results import Cell, Line, Results, Run

__all__ = ["BASE_SIZE", "Line", "Report"]

README = Path(__file__).parent / "README.md"
PICTURE = Path(__file__).parent / "results.svg"


class Report:
    """The lines of one run."""

    def __init__(self, machine: str) -> None:
        self.run = Run(f"{datetime.now(UTC):%Y-%m-%d %H:%M}", machine)
        self.lines: list[tuple[str, Line]] = []
        self.cells: list[Cell] = []
        self._measurement = ""

    def begin(self, measurement: str) -> None:
        """What is added from now on belongs to this measurement."""
        self._measurement = measurement

    def add(self, line: Line) -> None:
        self.lines.append((self._measurement, line))
        print(row(line, 1), flush=True)

    def add_cell(self, cell: Cell) -> None:
        self.cells.append(cell)

    def text(self) -> str:
        """This run's own lines and cells as tables, empty where there are none."""
        own = Results().merged(self.run, self.lines, self.cells)
        tables = [table(own) if own.entries else "", growth_table(own) if own.growth else ""]
        return "\n".join(filter(None, tables))

    def write(self) -> None:
        """Puts them into results.json, and what is there then into bench/README.md and into the picture."""
        merged = results.read().merged(self.run, self.lines, self.cells)
        results.write(merged)
        README.write_text(with_tables(README.read_text(encoding="utf-8"), merged), encoding="utf-8")
        PICTURE.write_text(picture.drawn(merged), encoding="utf-8")


def with_tables(text: str, collected: Results) -> str:
    """The text with both tables between their markers."""
    return with_section(with_section(text, "results", table(collected)), "growth", growth_table(collected))


def with_section(text: str, name: str, section: str) -> str:
    """The text with this section between the markers of that name."""
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    return f"{before}{begin}{section}{end}{after}"


def table(collected: Results) -> str:
    """Markdown: the runs with their machines, then all lines."""
    head = "| what | measured | goal | reached | run | medians (lowest–highest) |\n|---|---|---|---|---|---|\n"
    rows = "\n".join(row(entry.line, entry.run + 1) for entry in collected.entries)
    return f"{_runs(collected)}\n{head}{rows}\n"


def row(line: Line, run: int) -> str:
    verdict = "yes" if line.reached else "**no**"
    return f"| {line.name} | {line.ratio:.2f} | {line.bound} | {verdict} | {run} | {line.note} |"


def growth_table(collected: Results) -> str:
    """Markdown: a row for each size, a column for each call on each engine; in the first row the rates themselves."""
    cells = {cell.place: cell for cell in collected.growth}
    columns = list(dict.fromkeys((cell.engine, cell.call) for cell in collected.growth))
    sizes = sorted({(cell.accounts, cell.user_products) for cell in collected.growth}, key=_base_first)
    head = "".join(f" {call}, {engine} |" for engine, call in columns)
    text = f"| accounts | user products |{head}\n|---:|---:|{'---:|' * len(columns)}\n"
    for accounts, user_products in sizes:
        row_cells = [cells.get((*column, accounts, user_products)) for column in columns]
        text += f"| {accounts:,} | {user_products} |{''.join(f' {_ratio(cell)} |' for cell in row_cells)}\n"
    runs = sorted({cell.run + 1 for cell in collected.growth})
    return f"{text}\nRun {', '.join(map(str, runs))}.\n"


BASE_SIZE = (10_000, 2)
"""Accounts and user products of what the others are compared with."""


def _base_first(size: tuple[int, int]) -> tuple[bool, int, int]:
    return (size != BASE_SIZE, *size)


def _ratio(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    rate = f" ({cell.per_second:,.0f}/s)" if (cell.accounts, cell.user_products) == BASE_SIZE else ""
    return f"{cell.ratio:.2f}{rate}"


def _runs(collected: Results) -> str:
    """A sentence for each run; the machine of an earlier one is not repeated."""
    text, first = "", dict[str, int]()
    for number, run in enumerate(collected.runs, 1):
        earlier = first.setdefault(run.machine, number)
        machine = run.machine if earlier == number else f"as run {earlier}."
        text += f"- Run {number}, {run.began} UTC: {machine}\n"
    return text
