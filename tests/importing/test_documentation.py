"""The examples of docs/importing.md run, and its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stamkund.identity import imported_hashes
from stamkund.identity.imported_hashes import limits
from stamkund.importing import Summary
from stamkund.importing.raw import ADDRESS_KEYS, RawCustomer, RawSubscriptionLine
from tests.importing.conftest import Publisher
from tests.support.hashes import BY_FORM, FIREBASE, VECTORS

TEXT = (Path(__file__).parents[2] / "docs" / "importing.md").read_text()
ITOA64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
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


PASSWORDS = TEXT[TEXT.index("\n## Passwords from elsewhere\n") :]
# What forms begin with; Kratos' may go on behind its name.
STARTS = re.findall(r"`([^`\s…]*[$}:=])…`", PASSWORDS)
LONG_KEY = "$firescrypt$SALT$HASH"


def test_every_documented_form_is_taken() -> None:
    """And so is every form that is taken documented."""
    assert len(STARTS) > 50 and f"`{LONG_KEY}`" in PASSWORDS
    texts = [vector.text for vector in VECTORS] + [FIREBASE]
    more = {"$2a$", "$2b$", "$argon2d$", "{argon2@SpringSecurity_v5_8}", "{noop}"}
    assert not [start for start in STARTS if start not in more and not any(text.startswith(start) for text in texts)]
    bare = (
        BY_FORM["Joomla"].text,
        *(vector.text for vector in VECTORS if vector.form.startswith(("ASP.NET", "Keycloak"))),
    )
    missing = [text for text in texts if text not in bare and not text.startswith((*STARTS, "$firescrypt$"))]
    assert not missing
    for start in ("$2a$", "$2b$"):
        assert imported_hashes.parsed(BY_FORM["bcrypt 2y"].text.replace("$2y$", start))
    assert imported_hashes.parsed(BY_FORM["Kratos argon2id"].text.replace("$argon2id$", "$argon2d$"))


def test_limits_are_those_of_the_code() -> None:
    text = " ".join(PASSWORDS.split())
    for sentence in (
        f"bcrypt above {limits._MAX_BCRYPT_COST}",
        f"phpass above `{ITOA64[limits._MAX_PHPASS_COST]}`",
        f"Drupal's above `{ITOA64[limits._MAX_DRUPAL_COST]}`",
        f"more than {limits._MAX_CRYPT_ROUNDS:,} rounds of `$5$…` and `$6$…`",
        f"more than {limits._MAX_PBKDF2_ROUNDS_OF_OTHERS:,} rounds of PBKDF2",
        f"({limits._MAX_PBKDF2_ROUNDS['sha512']:,} with SHA-512",
        f"above {limits.MAX_BYTES // limits.MIB} MiB, or {limits._MAX_ARGON2_BYTES // limits.MIB // 1024} GiB",
        f"(scrypt {limits._MAX_SCRYPT_BYTES // limits.MIB} MiB)",
        f"below cost {limits._WEAK_BCRYPT_COST + 1} |",
        f"`$6$…` below {limits._MIN_ROUNDS['sha512']:,} rounds, `$5$…` below {limits._MIN_ROUNDS['sha256']:,}",
        "below `G` |",
    ):
        assert sentence in text, sentence
    assert limits.drupal(ITOA64.index("F")).is_weak and not limits.drupal(ITOA64.index("G")).is_weak
