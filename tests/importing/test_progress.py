"""The progress bar: rows and rate on a terminal, nothing elsewhere."""

from __future__ import annotations

import io

from rich.console import Console

from stamkund.importing.progress import progress_bar


def drawn(*, terminal: bool) -> str:
    output = io.StringIO()
    with progress_bar(1000, Console(file=output, force_terminal=terminal, width=120)) as progress:
        for done in range(0, 1001, 250):
            progress(done, 10 * done)
    return output.getvalue()


def test_a_terminal_sees_rows_and_time() -> None:
    text = drawn(terminal=True)
    assert "10,000 rows" in text and "100%" in text and "left:" in text


def test_anything_else_sees_nothing() -> None:
    assert drawn(terminal=False) == ""
