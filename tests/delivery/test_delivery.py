"""Mails are delivered once, whatever the mail server does, and however many workers there are."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from stamkund.delivery.mail import delivery as job
from stamkund.delivery.mail import smtp
from stamkund.rules.mail import DEAD, DROPPED, SENT, WAITING
from stamkund.rules.timestamps import DAY, HOUR
from stamkund.store import Unavailable
from tests.delivery.conftest import Mailing
from tests.support.mail_server import MailServer
from tests.support.waiting import until


async def test_a_mail_is_sent_and_its_fate_alone_stays(mailing: Mailing) -> None:
    mail_id = await mailing.queue()
    [mail] = await mailing.received_by(mailing.delivery())
    assert mail.recipient == mail.message["To"].addresses[0].addr_spec == "ove@example.com"
    assert mail.message_id == f"<{mail_id}@example.com>"
    stored = await mailing.mail(mail_id)
    assert (stored.state, stored.attempts, stored.finished) == (SENT, 1, mailing.clock())
    assert stored.address is None and stored.reason is None
    [row] = await mailing.paper.rows("SELECT content, claim FROM mails WHERE id = $1", mail_id)
    assert tuple(row) == (None, None)


async def test_a_server_that_is_down_gets_the_mail_when_it_is_back(mailing: Mailing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    first, second = await mailing.queue(), await mailing.queue("kim@example.com")
    delivery = mailing.delivery(smtp_port=port)
    assert await delivery.turn() > 0, "it pauses, instead of trying one after the other"
    tried, untried = await mailing.mail(first), await mailing.mail(second)
    assert (tried.state, tried.attempts, tried.reason) == (WAITING, 1, "the server could not be reached")
    assert (untried.attempts, untried.due) == (0, mailing.clock())
    with MailServer(port=port) as server:
        mailing.clock.now = tried.due
        assert tried.due - untried.due <= 40
        await delivery.turn()
        await delivery.turn()
        assert sorted(mail.recipient for mail in server.received) == ["kim@example.com", "ove@example.com"]


async def test_greylisting_holds_up_no_other_mail(mailing: Mailing) -> None:
    mailing.server.faults.at_recipient["grey@example.com"] = ["451 4.7.1 Try again later"]
    grey, other = await mailing.queue("grey@example.com"), await mailing.queue()
    delivery = mailing.delivery()
    assert len(await mailing.received_by(delivery)) == 1
    assert (await mailing.mail(other)).state == SENT
    waiting = await mailing.mail(grey)
    assert (waiting.state, waiting.reason) == (WAITING, "451 4.7.1 at RCPT TO")
    assert len(await mailing.received_by(delivery)) == 1, "it is not due yet"
    mailing.clock.now = waiting.due
    assert len(await mailing.received_by(delivery)) == 2
    assert (await mailing.mail(grey)).attempts == 2


async def test_a_refused_address_is_dead_and_the_queue_says_so(mailing: Mailing) -> None:
    mailing.server.faults.at_recipient["gone@example.com"] = ["550 5.1.1 gone@example.com is unknown"]
    gone, other = await mailing.queue("gone@example.com"), await mailing.queue()
    await mailing.delivery().turn()
    dead = await mailing.mail(gone)
    assert (dead.state, dead.reason, dead.address) == (DEAD, "550 5.1.1 at RCPT TO", "gone@example.com")
    assert (await mailing.mail(other)).state == SENT
    mailing.clock.now += 2 * DAY
    await mailing.store.mails.expire(mailing.clock())
    emptied = await mailing.mail(gone)
    assert (emptied.state, emptied.address) == (DEAD, None)


async def test_content_that_is_refused_is_dead_too(mailing: Mailing) -> None:
    mailing.server.faults.at_data["ove@example.com"] = ["554 5.7.1 Looks like spam"]
    mail_id = await mailing.queue()
    await mailing.delivery().turn()
    assert ((await mailing.mail(mail_id)).state, (await mailing.mail(mail_id)).reason) == (DEAD, "554 5.7.1 at DATA")


@pytest.mark.parametrize("code", ["530 5.7.0", "421 4.3.2"])
async def test_a_refusal_of_us_is_no_refusal_of_the_mail(mailing: Mailing, code: str) -> None:
    mailing.server.faults.at_recipient["ove@example.com"] = [f"{code} Not now"]
    mail_id = await mailing.queue()
    await mailing.delivery().turn()
    assert (await mailing.mail(mail_id)).state == WAITING


async def test_a_server_that_closes_before_its_response_gets_the_same_mail_again(mailing: Mailing) -> None:
    mailing.server.faults.closes_after_data = 1
    mail_id = await mailing.queue()
    delivery = mailing.delivery()
    await delivery.turn()
    assert (await mailing.mail(mail_id)).state == WAITING
    mailing.clock.now += 40
    first, second = await mailing.received_by(delivery)
    assert first.content == second.content and first.message_id == f"<{mail_id}@example.com>"
    assert (await mailing.mail(mail_id)).state == SENT


async def test_one_connection_carries_several_mails(mailing: Mailing) -> None:
    for number in range(5):
        await mailing.queue(f"reader{number}@example.com")
    assert len(await mailing.received_by(mailing.delivery())) == 5
    assert mailing.server.connections == 1


@pytest.mark.parametrize("closing", ["421 4.4.2 Idle for too long", ""])
async def test_a_connection_that_the_server_has_ended_costs_no_attempt(mailing: Mailing, closing: str) -> None:
    mailing.server.faults.closes_after_mail = closing
    ids = [await mailing.queue(f"reader{number}@example.com") for number in range(4)]
    delivery = mailing.delivery()
    await delivery.turn()
    assert len(mailing.server.received) == mailing.server.connections == 4
    assert [(await mailing.mail(mail_id)).attempts for mail_id in ids] == [1] * 4


async def test_a_server_that_is_too_slow_is_given_up(mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "_MESSAGE_SECONDS", 0.2)
    mailing.server.faults.holds = threading.Event()
    mail_id = await mailing.queue()
    assert await mailing.delivery().turn() > 0
    waiting = await mailing.mail(mail_id)
    assert (waiting.state, waiting.reason) == (WAITING, "the server took too long")


# Several workers --------------------------------------------------------------------------------------------


@pytest.mark.both_engines
async def test_of_several_workers_each_mail_is_one_workers(mailing: Mailing) -> None:
    addresses = [f"reader{number}@example.com" for number in range(60)]
    for address in addresses:
        await mailing.queue(address)
    workers = [mailing.delivery(store) for store in (mailing.store, mailing.paper.other) * 2]
    for _ in range(3):
        await asyncio.gather(*(worker.turn() for worker in workers))
    assert sorted(mail.recipient for mail in mailing.server.received) == sorted(addresses)


@pytest.mark.both_engines
async def test_a_dead_workers_claim_runs_out(mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> None:
    mail_id = await mailing.queue()
    [_] = await mailing.paper.other.mails.claim("of a worker that dies", mailing.clock(), 10)
    delivery = mailing.delivery()
    await delivery.tidy()
    await delivery.tidy()
    assert await mailing.received_by(delivery) == []
    monkeypatch.setattr(job, "_DEAD_SECONDS", 0)
    await delivery.tidy()
    [mail] = await mailing.received_by(delivery)
    assert mail.message_id == f"<{mail_id}@example.com>"
    assert (await mailing.mail(mail_id)).attempts == 2


async def test_a_living_workers_claim_does_not(mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> None:
    await mailing.queue()
    await mailing.paper.other.mails.claim("of a worker that lives", mailing.clock(), 10)
    delivery = mailing.delivery()
    await delivery.tidy()
    monkeypatch.setattr(job, "_DEAD_SECONDS", 0.001)
    for _ in range(3):
        await mailing.paper.other.mails.keep_claim("of a worker that lives")
        await delivery.tidy()
    monkeypatch.undo()
    assert await mailing.received_by(delivery) == []


async def test_a_clock_that_jumps_ends_no_claim(mailing: Mailing) -> None:
    await mailing.queue()
    await mailing.paper.other.mails.claim("of a worker that lives", mailing.clock(), 10)
    mailing.clock.now += DAY
    delivery = mailing.delivery()
    await delivery.tidy()
    assert await mailing.received_by(delivery) == []


async def test_a_clock_that_was_ahead_delays_nothing_for_long(mailing: Mailing) -> None:
    mailing.clock.now += DAY
    await mailing.queue()
    mailing.clock.now -= DAY
    delivery = mailing.delivery()
    await delivery.tidy()
    assert len(await mailing.received_by(delivery)) == 1


async def test_a_worker_that_is_cut_off_has_the_same_mail_sent_again(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the server's acceptance and our record of it."""
    mailing.server.faults.holds = threading.Event()
    mail_id = await mailing.queue()
    cut_off = asyncio.create_task(mailing.delivery().turn())
    await until(mailing.server.data_arrived.is_set)
    cut_off.cancel()
    await asyncio.gather(cut_off, return_exceptions=True)
    mailing.server.faults.holds.set()
    await until(lambda: len(mailing.server.received) == 1)
    assert (await mailing.mail(mail_id)).state == WAITING
    assert len(await mailing.received_by(mailing.delivery())) == 1, "its claim has not run out"
    monkeypatch.setattr(job, "_DEAD_SECONDS", 0)
    await mailing.delivery().turn()
    assert {mail.message_id for mail in mailing.server.received} == {f"<{mail_id}@example.com>"}
    assert len(mailing.server.received) == 2 and (await mailing.mail(mail_id)).state == SENT


async def test_a_stopping_worker_finishes_the_mail_that_it_is_sending(mailing: Mailing) -> None:
    mailing.server.faults.holds = threading.Event()
    first, second = await mailing.queue(), await mailing.queue("kim@example.com")
    delivery = mailing.delivery()
    running = asyncio.create_task(delivery.run())
    await until(mailing.server.data_arrived.is_set)
    delivery.stop()
    mailing.server.faults.holds.set()
    await asyncio.wait_for(running, 30)
    assert (await mailing.mail(first)).state == SENT
    waiting = await mailing.mail(second)
    assert (waiting.state, waiting.attempts) == (WAITING, 0)
    [row] = await mailing.paper.rows("SELECT claim FROM mails WHERE id = $1", second)
    assert row["claim"] is None


async def test_what_could_not_be_recorded_is_recorded_later_and_not_sent_again(mailing: Mailing) -> None:
    """The database went away between the server's acceptance and our record of it."""
    mailing.server.faults.holds = threading.Event()
    mail_id, other = await mailing.queue(), await mailing.queue("kim@example.com")
    delivery = mailing.delivery(mailing.paper.other)
    engine = mailing.paper.other.engine
    turn = asyncio.create_task(delivery.turn())
    await until(mailing.server.data_arrived.is_set)
    await engine.close()
    mailing.server.faults.holds.set()
    with pytest.raises(Unavailable):
        await turn
    assert (await mailing.mail(mail_id)).state == WAITING
    await engine.open()
    await delivery.turn()
    assert [(await mailing.mail(one)).state for one in (mail_id, other)] == [SENT, WAITING]
    assert len(mailing.server.received) == 1, "the other is freed when nobody gives a sign of life for it"


# Time ---------------------------------------------------------------------------------------------------------


async def test_a_mail_is_tried_for_two_days_and_then_dropped(mailing: Mailing) -> None:
    mailing.server.faults.at_recipient["ove@example.com"] = ["451 4.3.0 Mailbox busy", "…"]
    mail_id = await mailing.queue()
    began, attempts, delivery = mailing.clock(), 0, mailing.delivery()
    while (mail := await mailing.mail(mail_id)).due < began + 2 * DAY:
        assert mail.attempts == attempts and mail.due - mailing.clock() <= HOUR
        mailing.clock.now, attempts = mail.due, attempts + 1
        await delivery.turn()
    mailing.clock.now = began + 2 * DAY
    await delivery.turn()
    assert await mailing.store.mails.expire(mailing.clock()) == 1
    dropped = await mailing.mail(mail_id)
    assert (dropped.state, dropped.attempts, dropped.address) == (DROPPED, attempts, None)
    assert 45 < attempts < 60


async def test_a_mail_is_of_no_use_once_its_code_has_ended(mailing: Mailing) -> None:
    mail_id = await mailing.queue(ends=mailing.clock() + HOUR)
    mailing.clock.now += HOUR
    assert await mailing.received_by(mailing.delivery()) == []
    await mailing.store.mails.expire(mailing.clock())
    assert (await mailing.mail(mail_id)).state == DROPPED


async def test_an_address_that_no_server_takes_is_dead_at_once(mailing: Mailing) -> None:
    mail_id = await mailing.queue("a b@example.com")
    await mailing.delivery().turn()
    dead = await mailing.mail(mail_id)
    assert (dead.state, dead.reason) == (DEAD, "mail can't be sent to this address")
    assert mailing.server.connections == 0
