"""The examples of docs/importing.md run, and its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from passlib import hash as kinds

from stamkund.identity import imported_hashes
from stamkund.importing import Summary
from stamkund.importing.raw import ADDRESS_KEYS, RawCustomer, RawSubscriptionLine
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


def hashes() -> list[str]:
    """A hash of each documented kind, as cheap as the kind allows."""
    made = [kinds.argon2.using(type=t, rounds=1, memory_cost=8, parallelism=1).hash("x") for t in ("ID", "I")]
    made += [kinds.bcrypt.using(rounds=4, ident=ident).hash("x") for ident in ("2a", "2b", "2y")]
    made += [kinds.phpass.using(rounds=7, ident=ident).hash("x") for ident in ("P", "H")]
    made += [kinds.bcrypt_sha256.using(rounds=4).hash("x"), kinds.scrypt.using(rounds=2).hash("x")]
    made += [kinds.django_bcrypt_sha256.using(rounds=4).hash("x")]
    names = ("pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha512", "django_pbkdf2_sha1", "django_pbkdf2_sha256")
    return made + [getattr(kinds, name).using(rounds=1).hash("x") for name in names]


HASHES = hashes()


@pytest.mark.parametrize("start", re.findall(r"[`]([a-z0-9_]*\$[^…`]*)…", TEXT) + re.findall(r"`(\$\w+\$)…`", TEXT))
def test_every_kind_of_hash_can_be_verified(start: str) -> None:
    assert any(stored_hash.startswith(start) and imported_hashes.parsed(stored_hash) for stored_hash in HASHES)
    assert imported_hashes.parsed(f"{start}x") is None
