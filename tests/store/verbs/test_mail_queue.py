"""Mails are queued in the transaction of a change, sealed, and so many an hour at most."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from stamkund.rules.mail import (
    DROPPED,
    WAITING,
    Mail,
    MailContent,
    MailPurpose,
    PasswordReset,
    TestMail,
    TooManyMails,
    Verification,
)
from stamkund.rules.timestamps import HOUR
from stamkund.store.verbs import mail_queue
from stamkund.store.work import Execute, Sql, Work
from stamkund.vault import CannotOpen
from tests.store.conftest import StoredOrganisation, new_paper
from tests.support.service import NOW, open_new

ACCOUNT = "65a5202ca1b2c3d4e5f60718"
RESET = PasswordReset("https://login.example.com/reset-password?code=secret", NOW + HOUR)


def mail(paper: StoredOrganisation, account: str = ACCOUNT, values: PasswordReset | Verification = RESET) -> Mail:
    return Mail(paper.id, account, "ove@example.com", values)


async def states(paper: StoredOrganisation) -> list[str]:
    rows = await paper.rows("SELECT state FROM mails WHERE organisation = $1 ORDER BY row", paper.id)
    return [row["state"] for row in rows]


async def test_a_mail_appears_with_the_change_or_not_at_all(paper: StoredOrganisation) -> None:
    def change(fails: bool) -> Work[str]:
        yield Execute(Sql("UPDATE organisations SET id = id WHERE id = $1"), (paper.id,))
        mail_id = yield from mail_queue.add(paper.store.documents, mail(paper), NOW)
        if fails:
            raise LookupError
        return mail_id

    with pytest.raises(LookupError):
        await paper.store.engine.write(lambda: change(fails=True))
    assert await states(paper) == []
    await paper.store.engine.write(lambda: change(fails=False))
    assert await states(paper) == [WAITING]


async def test_address_and_code_are_sealed_at_their_place(paper: StoredOrganisation) -> None:
    ids = [await paper.store.mails.add(mail(paper), NOW) for _ in range(2)]
    rows = await paper.rows("SELECT id, content FROM mails WHERE organisation = $1 ORDER BY row", paper.id)
    assert not any("ove@" in str(tuple(row)) or "secret" in str(tuple(row)) for row in rows)
    documents = paper.store.documents
    assert documents.mail(paper.id, ids[0], rows[0]["content"]) == MailContent("ove@example.com", RESET)
    with pytest.raises(CannotOpen):
        documents.mail(paper.id, ids[1], rows[0]["content"])


async def test_five_mails_of_a_purpose_within_an_hour(paper: StoredOrganisation) -> None:
    for minute in range(5):
        await paper.store.mails.add(mail(paper), NOW + 60 * minute)
    with pytest.raises(TooManyMails) as too_many:
        await paper.store.mails.add(mail(paper), NOW + 600)
    assert too_many.value.seconds == HOUR - 600
    await paper.store.mails.add(mail(paper, values=Verification("https://a.example", NOW)), NOW + 600)
    await paper.store.mails.add(mail(paper, account="f" * 24), NOW + 600)
    await paper.store.mails.add(mail(paper), NOW + HOUR)
    with pytest.raises(TooManyMails):
        await paper.store.mails.add(mail(paper), NOW + HOUR)
    assert len(await states(paper)) == 8


async def test_the_limit_holds_against_twenty_at_once(paper: StoredOrganisation) -> None:
    stores = [paper.store, paper.other] * 10
    tried = (store.mails.add(mail(paper), NOW) for store in stores)
    results = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(isinstance(result, TooManyMails) for result in results) == 15
    assert len(await states(paper)) == 5


async def test_a_clock_that_was_ahead_blocks_no_mail_for_ever(paper: StoredOrganisation) -> None:
    for _ in range(5):
        await paper.store.mails.add(mail(paper), NOW + 100 * HOUR)
    await paper.store.mails.add(mail(paper), NOW)


async def test_what_waits_for_an_account_can_be_dropped(paper: StoredOrganisation) -> None:
    await paper.store.mails.add(mail(paper), NOW)
    await paper.store.mails.add(mail(paper, values=Verification("https://a.example", NOW)), NOW)
    await paper.store.mails.add(mail(paper, account="f" * 24), NOW)
    drop = mail_queue.drop
    await paper.store.engine.write(lambda: drop(paper.id, ACCOUNT, NOW, MailPurpose.VERIFICATION))
    assert await states(paper) == [WAITING, DROPPED, WAITING]
    await paper.store.engine.write(lambda: drop(paper.id, ACCOUNT, NOW))
    assert await states(paper) == [DROPPED, DROPPED, WAITING]
    contents = await paper.rows("SELECT content FROM mails WHERE state = 'dropped' AND content IS NOT NULL")
    assert contents == []


async def test_only_a_test_is_about_no_account(paper: StoredOrganisation) -> None:
    await paper.store.mails.add(Mail(paper.id, None, "ove@example.com", TestMail()), NOW)
    for wrong in (Mail(paper.id, None, "a@example.com", RESET), Mail(paper.id, ACCOUNT, "a@example.com", TestMail())):
        with pytest.raises(ValueError):
            await paper.store.mails.add(wrong, NOW)
    with pytest.raises(ValueError):
        await paper.store.mails.add(mail(paper, values=PasswordReset("x" * 40_000, NOW)), NOW)


async def test_old_mails_are_removed_and_the_newer_stay(paper: StoredOrganisation) -> None:
    before = await paper.store.mails.counts(paper.id)
    assert before == {}
    await paper.store.mails.add(mail(paper), NOW)
    await paper.store.mails.remove_older(NOW)
    assert await paper.store.mails.counts(paper.id) == {WAITING: 1}
    while await paper.store.mails.remove_older(NOW + 1):
        pass
    assert await paper.store.mails.counts(paper.id) == {}


async def test_mails_that_wait_are_sealed_anew_with_a_new_key(fresh_url: str, tmp_path: Path) -> None:
    installation = await open_new(fresh_url, tmp_path / "a.key")
    try:
        paper, vault = await new_paper(installation, installation), installation.vault
        for number in range(3):
            await paper.store.mails.add(mail(paper, account=f"{number:024x}"), NOW)
        new_key = vault.add_key(NOW)
        await paper.store.encryption.reencrypt(batch=2)
        vault.drop_key("1")
        waiting = await paper.store.mails.latest(WAITING, 10)
        assert [one.address for one in waiting] == ["ove@example.com"] * 3
        rows = await paper.rows("SELECT content FROM mails")
        assert all(row["content"].startswith(f"{new_key}.") for row in rows)
    finally:
        await installation.close()
