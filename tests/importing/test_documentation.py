"""The examples of docs/importing.md run, and its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stamkund.importing import Summary
from stamkund.importing.raw import ADDRESS_KEYS, RawCustomer, RawSubscriptionLine
from stamkund.passwords import can_verify
from tests.importing.conftest import Publisher

TEXT = (Path(__file__).parents[2] / "docs" / "importing.md").read_text()
EXAMPLES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE))


async def test_both_formats_say_the_same(publisher: Publisher) -> None:
    paths = {name: publisher.file(name, content) for name, content in EXAMPLES.items()}
    assert await publisher.read(paths["customers.jsonl"]) == (Summary(created=2), [])
    again = await publisher.read(paths["customers.csv"], paths["subscriptions.csv"])
    assert again == (Summary(unchanged=2), [])
    assert await publisher.read(paths["passwords.jsonl"]) == (Summary(created=1), [])


@pytest.mark.parametrize(
    "name", [*RawCustomer.__struct_fields__, *RawSubscriptionLine.__struct_fields__, *ADDRESS_KEYS]
)
def test_every_column_is_described(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("start", re.findall(r"[`]([a-z0-9_]*\$[^…`]*)…", TEXT) + re.findall(r"`(\$\w+\$)…`", TEXT))
def test_every_kind_of_hash_is_known(start: str) -> None:
    assert can_verify(f"{start}x")
