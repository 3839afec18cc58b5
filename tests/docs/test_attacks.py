"""docs/attacks.md names a test for each attack; each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs" / "attacks.md").read_text())
    there = {
        name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert len(named) > 40
    assert [name for name in named if name not in there] == []
