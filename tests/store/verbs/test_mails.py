"""Claims on mails that wait: each is one worker's, until that gives it back or gives no sign of life."""

from __future__ import annotations

import pytest

from stamkund.rules.mail import WAITING, Mail, TestMail
from stamkund.store.work import Execute, Sql, Work
from tests.store.conftest import StoredOrganisation
from tests.support.service import NOW


@pytest.fixture
async def waiting(paper: StoredOrganisation) -> StoredOrganisation:
    """An organisation with three mails that wait, and no others in the database."""

    def work() -> Work[None]:
        yield Execute(Sql("DELETE FROM mails"))

    await paper.store.engine.write(work)
    for number in range(3):
        mail = Mail(paper.id, None, f"reader{number}@example.com", TestMail())
        await paper.store.mails.add(mail, NOW + number)
    return paper


async def test_a_claim_is_bounded_and_takes_what_is_due_first(waiting: StoredOrganisation) -> None:
    mails = waiting.store.mails
    assert await mails.any_due(NOW) and not await mails.any_due(NOW - 1)
    first = await mails.claim("one", NOW + 1, 1)
    second = await waiting.other.mails.claim("another", NOW + 1, 10)
    assert [mail.at for mail in (*first, *second)] == [NOW, NOW + 1]
    assert await mails.claim("a third", NOW + 1, 10) == [] and not await mails.any_due(NOW + 1)


async def test_a_sign_of_life_that_comes_first_keeps_the_claim(waiting: StoredOrganisation) -> None:
    """Somebody saw the claim, and frees it at the moment at which its owner shows that it is alive."""
    mails = waiting.store.mails
    await mails.claim("one", NOW, 10)
    seen = await waiting.other.mails.claims()
    await mails.keep_claim("one")
    await waiting.other.mails.free(seen)
    assert len(await mails.claims()) == 1
    await waiting.other.mails.free(await mails.claims())
    assert await mails.claims() == []
    [freed] = [mail for mail in await mails.latest(WAITING, 10) if mail.at == NOW]
    assert (freed.attempts, freed.reason) == (1, "the worker died")


async def test_what_was_not_begun_is_given_back(waiting: StoredOrganisation) -> None:
    mails = waiting.store.mails
    first, *others = await mails.claim("one", NOW + 10, 10)
    await waiting.other.mails.release([mail.row for mail in others], "another")
    assert len(await mails.claims()) == 3, "they are not its own"
    await mails.release([mail.row for mail in others], "one")
    assert [claim.row for claim in await mails.claims()] == [first.row]


async def test_what_was_freed_is_recorded_by_its_new_owner_alone(waiting: StoredOrganisation) -> None:
    mails = waiting.store.mails
    [mail] = await mails.claim("one", NOW, 10)
    await waiting.other.mails.free(await mails.claims())
    [again] = await waiting.other.mails.claim("another", NOW, 10)
    await mails.record_dead(mail.row, "one", NOW, "550")
    assert again.row == mail.row and (await mails.counts(waiting.id)) == {WAITING: 3}
