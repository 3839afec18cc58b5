"""How far an import has come, for the person who waits at a terminal: a bar, rows, rows a second, time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text


class _Rate(ProgressColumn):
    """Rows a second, from the first row on: subscriptions of a second file are read before it."""

    def __init__(self) -> None:
        super().__init__()
        self._begun: tuple[float, int] | None = None

    def render(self, task: Task) -> Text:
        rows, elapsed = task.fields["rows"], task.elapsed or 0.0
        if self._begun is None:
            self._begun = (elapsed, rows) if rows else None
            return Text("")
        seconds, new = elapsed - self._begun[0], rows - self._begun[1]
        return Text(f"{new / seconds:,.0f} rows/s" if seconds > 0 and new else "")


@contextmanager
def progress_bar(total_bytes: int, console: Console | None = None) -> Iterator[Callable[[int, int], None]]:
    """The `progress` of an import, drawn on stderr where that is a terminal, otherwise nowhere."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield lambda done_bytes, rows: None
        return
    columns = (
        TextColumn("Importing"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        _Rate(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("import", total=total_bytes, rows=0)
        yield lambda done_bytes, rows: bar.update(task, completed=done_bytes, rows=rows)
