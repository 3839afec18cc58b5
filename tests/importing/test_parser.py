"""Reading ends a step often enough, whatever the file looks like, so that memory does not grow with its rows."""

from __future__ import annotations

import pytest

from stamkund.importing import parser
from stamkund.importing.parser import parsed_steps
from stamkund.importing.steps import File, Job
from tests.importing.conftest import NOW, Publisher


@pytest.mark.parametrize("break_", ["\n", "\n\n", "\n\n\n"])
def test_blank_lines_between_bad_lines_hold_no_step_back(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, break_: str
) -> None:
    """A file whose line ends were doubled has rows on every second or third line alone."""
    monkeypatch.setattr(parser, "_LINES", 10)
    customers = publisher.file("rows.jsonl", [{"customer_number": "1"}])
    lines = publisher.file("lines.jsonl", f"{{}}{break_}" * 200)
    job = Job(File("a", str(customers)), File("b", str(lines)), publisher.organisation, NOW, 50)
    rejections = [len(step.rejections) for step in parsed_steps(job)]
    assert sum(rejections) == 200 and max(rejections) <= 10
