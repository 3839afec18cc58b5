"""Sealing everything with the newest key."""

from __future__ import annotations

import asyncio
from pathlib import Path

from stamkund.rules import person_number
from stamkund.rules.identifiers import Identifier
from stamkund.rules.person_number import PersonNumber
from tests.store.conftest import StoredOrganisation, new_paper
from tests.support.service import NOW, open_new

NUMBER = PersonNumber("800610-8230", "19")


async def test_everything_is_sealed_anew_with_a_new_key(fresh_url: str, tmp_path: Path) -> None:
    installation = await open_new(fresh_url, tmp_path / "a.key")
    paper, vault = await new_paper(installation, installation), installation.vault
    try:
        made = await paper.customer("1", social_security_number=NUMBER)
        await paper.activate(made)
        old = await _sealed(paper)
        new_key = vault.add_key(NOW)
        await paper.store.encryption.reencrypt(batch=1)
        await _readable(paper)
        vault.drop_key("1")
        await paper.store.encryption.drop_number_hashes("1")
        await _readable(paper)
        assert old != await _sealed(paper)
        assert all(f'"{new_key}.' in document for document in await _sealed(paper))
        remaining = await paper.rows("SELECT value FROM identifiers WHERE kind = 'social_security_number'")
        assert [row["value"].partition(".")[0] for row in remaining] == [new_key]
    finally:
        await installation.close()


async def _sealed(paper: StoredOrganisation) -> list[str]:
    documents = await paper.rows("SELECT document FROM accounts UNION ALL SELECT document FROM customers")
    return [row["document"] for row in documents]


async def _readable(paper: StoredOrganisation) -> None:
    account = await paper.find("social_security_number", paper.vault.number_lookup_hash(paper.id, NUMBER.ten))
    assert account is not None and account.social_security_number == NUMBER
    candidate = await paper.candidate("1")
    assert candidate is not None and candidate.customer.social_security_number == NUMBER
    assert person_number.from_stored(NUMBER.stored()) == NUMBER


async def test_two_stores_at_once_make_one_schema_and_one_key_file(fresh_url: str, tmp_path: Path) -> None:
    """As two workers do at the first start."""
    one, two = await asyncio.gather(*(open_new(fresh_url, tmp_path / "a.key") for _ in range(2)))
    paper = await new_paper(one, two)
    try:
        await paper.customer("1", social_security_number=NUMBER)
        sent = [Identifier("social_security_number", two.vault.number_lookup_hash(paper.id, NUMBER.ten))]
        assert await paper.other.candidates.find(paper.id, sent) is not None
    finally:
        await asyncio.gather(one.close(), two.close())
