"""A server delivers mails by itself, and drops what nobody can deliver any more."""

from __future__ import annotations

import threading
from pathlib import Path

from stamkund.rules.mail import DROPPED, SENT, Mail, PasswordReset
from stamkund.rules.timestamps import DAY
from tests.support.mail_server import MailServer
from tests.support.service import NOW, RunningService
from tests.support.waiting import until

ACCOUNT = "65a5202ca1b2c3d4e5f60718"
RESET = PasswordReset("https://login.example.com/reset-password?code=1", NOW + DAY)


async def counts(service: RunningService) -> dict[str, int]:
    return await service.store.mails.counts()


async def test_a_server_delivers_and_finishes_when_it_stops(fresh_url: str, tmp_path: Path) -> None:
    with MailServer() as server:
        settings = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none"}
        async with RunningService(
            fresh_url, tmp_path / "a.key", mail_from="no-reply@example.com", **settings
        ) as service:
            publisher = await service.publisher()
            await service.store.mails.add(Mail(publisher.id, ACCOUNT, "ove@example.com", RESET), NOW)

            async def sent() -> bool:
                return await counts(service) == {SENT: 1}

            await until(sent)
            server.faults.holds = threading.Event()
            server.data_arrived.clear()
            await service.store.mails.add(Mail(publisher.id, ACCOUNT, "kim@example.com", RESET), NOW)
            await until(server.data_arrived.is_set)
            threading.Timer(0.2, server.faults.holds.set).start()
        assert [mail.recipient for mail in server.received] == ["ove@example.com", "kim@example.com"]


async def test_without_a_mail_server_mails_are_dropped_in_time(fresh_url: str, tmp_path: Path) -> None:
    async with RunningService(fresh_url, tmp_path / "a.key", cleaning_seconds=1) as service:
        publisher = await service.publisher()
        await service.store.mails.add(Mail(publisher.id, ACCOUNT, "ove@example.com", RESET), NOW)
        service.clock.now += 2 * DAY

        async def dropped() -> bool:
            return await counts(service) == {DROPPED: 1}

        await until(dropped)
