"""Account candidates: the one customer that all identifiers mean, and whether they are in use."""

from __future__ import annotations

from stamkund.rules.identifiers import Identifier
from stamkund.rules.person_number import PersonNumber
from tests.store.conftest import StoredOrganisation

NUMBER = PersonNumber("800610-8230", "19")


async def test_a_candidate_is_the_one_customer_that_everything_means(paper: StoredOrganisation) -> None:
    first = await paper.customer("1", social_security_number="800610-8230")
    await paper.customer("2", social_security_number="910820-5205")
    key = {
        n: Identifier("social_security_number", paper.vault.number_lookup_hash(paper.id, n))
        for n in ("800610-8230", "910820-5205")
    }
    by_number = Identifier("customer_number", "1")
    for sent, expected in (
        ([by_number], first.id),
        ([key["800610-8230"]], first.id),
        ([key["800610-8230"], by_number], first.id),
        ([Identifier("id", first.id)], first.id),
        ([key["910820-5205"], by_number], None),
        ([Identifier("customer_number", "9"), by_number], None),
        ([], None),
    ):
        candidate = await paper.store.candidates.find(paper.id, sent)
        assert (candidate.customer.id if candidate else None) == expected


async def test_a_candidate_is_taken_by_its_own_account_or_by_its_numbers(paper: StoredOrganisation) -> None:
    made = await paper.customer("1", social_security_number="800610-8230")
    candidate = await paper.candidate("1")
    assert candidate is not None and (candidate.in_use, candidate.email_in_use) == (False, False)
    await paper.activate(await paper.customer("2"), "b@example.com", social_security_number=NUMBER)
    candidate = await paper.candidate("1", email="B@example.com")
    assert candidate is not None and (candidate.customer.id, candidate.in_use, candidate.email_in_use) == (
        made.id,
        True,
        True,
    )
    candidate = await paper.candidate("2")
    assert candidate is not None and candidate.in_use
    await paper.customer("3")
    for number, is_taken in ((NUMBER, True), (PersonNumber("123499-0000"), False), (None, False)):
        candidate = await paper.candidate("3", number=number)
        assert candidate is not None and candidate.in_use is is_taken
