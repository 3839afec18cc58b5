"""docs/asvs.md has a row for each requirement of levels 1 and 2, and every row that holds says by what."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
ROWS = [
    (number, level, state, evidence)
    for number, level, state, evidence in re.findall(
        r"^\| (\d+\.\d+\.\d+) \| ([12]) \| [^|]+ \| ([a-z ]+) \| ([^|]+) \|$", TEXT, re.MULTILINE
    )
]
# How many requirements of levels 1 and 2 each chapter of version 5.0.0 has.
REQUIREMENTS = {1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7, 10: 29, 11: 14, 12: 9, 13: 13, 14: 9}
REQUIREMENTS |= {15: 13, 16: 16, 17: 7}
_TEST = re.compile(r"`(test_\w+)`")
_LINK = re.compile(r"\]\([^)]+\)")


def test_every_requirement_has_one_row_in_order() -> None:
    numbers = [tuple(map(int, number.split("."))) for number, *_ in ROWS]
    assert numbers == sorted(set(numbers))
    assert Counter(chapter for chapter, _, _ in numbers) == REQUIREMENTS
    assert Counter(level for _, level, *_ in ROWS) == {"1": 70, "2": 183}
    assert len(re.findall(r"^\| \d", TEXT, re.MULTILINE)) == len(ROWS), "a row that can't be read"


def test_every_test_that_asvs_names_exists() -> None:
    existing = {
        name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert [name for name in dict.fromkeys(_TEST.findall(TEXT)) if name not in existing] == []


def test_what_holds_says_by_what_and_what_does_not_says_why() -> None:
    states = {state for _, _, state, _ in ROWS}
    assert states == {"holds", "not applicable", "not yet"}
    tools = ("ruff", "decision 4", "the server redirects nothing", "one database URL", "`requirements/*.txt`")
    for number, _, state, evidence in ROWS:
        if state == "holds":
            named = _TEST.search(evidence) or _LINK.search(evidence) or any(tool in evidence for tool in tools)
            assert named, f"{number} names nothing that holds it"
        else:
            assert len(evidence) > 5, number


def test_the_table_counts_the_rows() -> None:
    for level in ("1", "2"):
        counts = Counter(state for _, of, state, _ in ROWS if of == level)
        line = f"| level {level} | {counts['holds']} | {counts['not applicable']} | {counts['not yet']} |"
        assert line in TEXT
