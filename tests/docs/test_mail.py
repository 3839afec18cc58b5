"""docs/mail.md lists every purpose with its variables, the filters, the retries and the limits, as they are."""

from __future__ import annotations

import re
from pathlib import Path

from stamkund.delivery.mail.template_check import FILTERS, MAX_CHARACTERS
from stamkund.delivery.mail.templates import COMMON
from stamkund.rules.mail import MAX_PER_HOUR, STATES, VALUES, MailPurpose, retry_at

TEXT = (Path(__file__).parents[2] / "docs" / "mail.md").read_text(encoding="utf-8")
PLAIN = " ".join(TEXT.split())


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the table under a heading row."""
    [table] = re.findall(rf"^\| {heading} \|.*\n\|[- |]*\n((?:\|.*\n)*)", TEXT, flags=re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_every_purpose_is_there_with_its_variables() -> None:
    listed = {
        row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2].split("mail send-test")[0])) for row in rows_of("purpose")
    }
    expected = {purpose.value: set(VALUES[purpose].__struct_fields__) for purpose in MailPurpose}
    assert listed == expected | {"test": listed["test"]}


def test_every_state_is_there() -> None:
    assert {row[0] for row in rows_of("state")} == set(STATES)


def test_what_every_template_may_use() -> None:
    assert not [name for name in COMMON if f"`{name}`" not in TEXT]
    assert not [name for name in FILTERS if f"`{name}`" not in TEXT]
    assert f"{MAX_CHARACTERS:,} characters" in PLAIN


def test_the_numbers() -> None:
    words = {5: "five"}
    assert f"at most {words[MAX_PER_HOUR]} mails of one purpose an hour" in PLAIN
    minutes = [retry_at(attempt, 0) / 60 for attempt in range(1, 8)]
    assert minutes == [0.5, 2, 5, 15, 30, 60, 60]
    assert "after 30 seconds, 2, 5, 15 and 30 minutes, then every hour" in PLAIN
