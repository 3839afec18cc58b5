"""What a run found: ratios beside their goals, printed as they come and as a table at the end."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
_PACKAGES = ("uvicorn", "uvloop", "httptools", "msgspec", "asyncpg", "argon2-cffi", "fastapi", "sqlalchemy", "pydantic")


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
    def row(self) -> str:
        sign = "≤" if self.most else "≥"
        verdict = "yes" if self.reached else "**no**"
        return f"| {self.name} | {self.ratio:.2f} | {sign} {self.goal:g} | {verdict} | {self.note} |"


@dataclass
class Report:
    lines: list[Line] = field(default_factory=list)

    def add(self, line: Line) -> None:
        self.lines.append(line)
        print(line.row, flush=True)

    def table(self) -> str:
        head = "| what | measured | goal | reached | medians (lowest–highest) |\n|---|---|---|---|---|\n"
        return head + "\n".join(line.row for line in self.lines) + "\n"

    def write(self) -> None:
        """Puts machine, versions and table between the markers of bench/README.md."""
        before, _, rest = README.read_text().partition(BEGIN)
        after = rest.partition(END)[2]
        README.write_text(f"{before}{BEGIN}\n{machine()}\n\n{self.table()}{END}{after}")


def machine() -> str:
    """The machine and the versions, in a sentence."""
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    return (
        f"{os.cpu_count()} cores ({_processor()}), {platform.system()}, Python {platform.python_version()} "
        f"({sys.implementation.name}), SQLite {sqlite3.sqlite_version}, {packages}."
    )


def _processor() -> str:
    try:
        output = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in output.splitlines() if line.startswith("Model name")]
    return names[0] if names else platform.machine()
