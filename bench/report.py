"""What a run found: ratios beside their goals, printed as they come, and at the end as a table and a picture."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bench import picture, results
from bench.results import Line, Results, Run

__all__ = ["Line", "Report"]

README = Path(__file__).parent / "README.md"
PICTURE = Path(__file__).parent / "results.svg"
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"


class Report:
    """The lines of one run."""

    def __init__(self, machine: str) -> None:
        self.run = Run(f"{datetime.now(UTC):%Y-%m-%d %H:%M}", machine)
        self.lines: list[tuple[str, Line]] = []
        self._measurement = ""

    def begin(self, measurement: str) -> None:
        """What is added from now on belongs to this measurement."""
        self._measurement = measurement

    def add(self, line: Line) -> None:
        self.lines.append((self._measurement, line))
        print(row(line, 1), flush=True)

    def text(self) -> str:
        """This run's own lines as a table, empty where there are none."""
        return table(Results().merged(self.run, self.lines)) if self.lines else ""

    def write(self) -> None:
        """Puts the lines into results.json, and what is there then into bench/README.md and into the picture."""
        merged = results.read().merged(self.run, self.lines)
        results.write(merged)
        README.write_text(with_section(README.read_text(encoding="utf-8"), table(merged)), encoding="utf-8")
        PICTURE.write_text(picture.drawn(merged), encoding="utf-8")


def with_section(text: str, section: str) -> str:
    """The text with this section between the markers."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{section}{END}{after}"


def table(collected: Results) -> str:
    """Markdown: the runs with their machines, then all lines."""
    head = "| what | measured | goal | reached | run | medians (lowest–highest) |\n|---|---|---|---|---|---|\n"
    rows = "\n".join(row(entry.line, entry.run + 1) for entry in collected.entries)
    return f"{_runs(collected)}\n{head}{rows}\n"


def row(line: Line, run: int) -> str:
    verdict = "yes" if line.reached else "**no**"
    return f"| {line.name} | {line.ratio:.2f} | {line.bound} | {verdict} | {run} | {line.note} |"


def _runs(collected: Results) -> str:
    """A sentence for each run; the machine of an earlier one is not repeated."""
    text, first = "", dict[str, int]()
    for number, run in enumerate(collected.runs, 1):
        earlier = first.setdefault(run.machine, number)
        machine = run.machine if earlier == number else f"as run {earlier}."
        text += f"- Run {number}, {run.began} UTC: {machine}\n"
    return text
