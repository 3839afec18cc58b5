"""The progress of an import, shown at a terminal: a bar, rows, rows per second, time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text


class _Rate(ProgressColumn):
    """Rows per second since the first row: the subscriptions of a second file are read before it."""

    def __init__(self) -> None:
        super().__init__()
        self._start: tuple[float, int] | None = None

    def render(self, task: Task) -> Text:
        rows, elapsed = task.fields["rows"], task.elapsed or 0.0
        if self._start is None:
            self._start = (elapsed, rows) if rows else None
            return Text("")
        seconds, new_rows = elapsed - self._start[0], rows - self._start[1]
        return Text(f"{new_rows / seconds:,.0f} rows/s" if seconds > 0 and new_rows else "")


@contextmanager
def progress_bar(total_bytes: int, console: Console | None = None) -> Iterator[Callable[[int, int], None]]:
    """A function to be called with the bytes and rows that are done; draws on stderr if that is a terminal."""
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
