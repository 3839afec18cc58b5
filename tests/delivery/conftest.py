"""A mail server, an organisation whose mails wait in a real database, and deliveries that a test takes turn by turn."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from stamkund.delivery.mail.delivery import MailDelivery
from stamkund.delivery.mail.smtp import SmtpSender
from stamkund.rules.mail import STATES, AnyMailValues, Mail, PasswordReset
from stamkund.settings import Settings
from stamkund.store import QueuedMail, Store
from stamkund.store.work import Execute, Sql, Work
from tests.store.conftest import StoredOrganisation, pair, paper
from tests.support.mail_server import MailServer, Received
from tests.support.service import NOW, TestClock

__all__ = ["pair", "paper"]

RESET = PasswordReset("https://login.example.com/reset-password?code=1", NOW + 86_400, "Ove")


@dataclass
class Mailing:
    """An organisation, a mail server and a clock."""

    paper: StoredOrganisation
    server: MailServer
    clock: TestClock = field(default_factory=TestClock)
    accounts: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def store(self) -> Store:
        return self.paper.store

    def settings(self, **changes: Any) -> Settings:
        values = {"smtp_port": self.server.port, "smtp_security": "none", "mail_from": "no-reply@example.com"}
        return Settings(**{"smtp_host": "127.0.0.1", **values, **changes})

    def delivery(self, store: Store | None = None, **changes: Any) -> MailDelivery:
        settings = self.settings(**changes)
        return MailDelivery(store or self.store, settings, self.clock, SmtpSender(settings))

    async def queue(self, address: str = "ove@example.com", values: AnyMailValues = RESET, **more: Any) -> str:
        """Queues a mail about an account of its own; returns its id."""
        mail = Mail(self.paper.id, f"{next(self.accounts):024x}", address, values, **more)
        return await self.store.mails.add(mail, self.clock())

    async def mail(self, mail_id: str) -> QueuedMail:
        """What the queue says of a mail."""
        listed = [mail for state in STATES for mail in await self.store.mails.latest(state, 500, self.paper.id)]
        return next(mail for mail in listed if mail.id == mail_id)

    async def received_by(self, delivery: MailDelivery) -> list[Received]:
        """Takes one turn; returns what the server has got since it started."""
        await delivery.turn()
        return self.server.received


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
async def mailing(paper: StoredOrganisation, mail_server: MailServer) -> AsyncIterator[Mailing]:
    await _empty(paper.store)
    yield Mailing(paper, mail_server)
    await _empty(paper.store)


async def _empty(store: Store) -> None:
    """Deliveries serve all organisations of a database, which the tests share."""

    def work() -> Work[None]:
        yield Execute(Sql("DELETE FROM mails"))

    await store.engine.write(work)
