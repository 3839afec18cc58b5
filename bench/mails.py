"""Mails: how many a minute one worker delivers to a quick mail server, and look-ups meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial
from pathlib import Path

from tests.support.mail_server import MailServer
from tests.support.postgres_server import PostgresServer

from bench.accounts import ORGANISATION
from bench.ours import Installation, installed
from bench.passwords import look_ups_beside
from bench.report import Line, Report
from stamkund.rules.mail import SENT, Mail, PasswordReset
from stamkund.store import Store
from stamkund.store.open import open_installation

MAILS = 600
A_MINUTE = 1_000
_PAUSE_SECONDS = 60 / A_MINUTE


def run(report: Report, folder: Path, postgres: PostgresServer) -> None:
    for engine, url in (
        ("sqlite", f"sqlite:///{folder / 'mails.db'}"),
        ("postgres", postgres.create_database("mails")),
    ):
        installation = installed(url, folder, 10_000)
        with MailServer() as mail_server:
            asyncio.run(_queue(installation, MAILS))
            with installation.server(environment=_settings(mail_server)) as server:
                seconds = asyncio.run(_until_sent(installation, MAILS))
                rate = MAILS / seconds * 60
                note = f"{rate:.0f} a minute"
                report.add(Line(f"mails, {engine}, of {A_MINUTE} a minute", rate / A_MINUTE, 1.0, note))
                send = partial(_mailing, installation)
                look_ups_beside(report, f"p99 of look-ups while mailing, {engine}", server, installation, send, 1.5)


def _mailing(installation: Installation, seconds: float, stop: threading.Event) -> float:
    return asyncio.run(_queue_steadily(installation, seconds, stop))


def _settings(mail_server: MailServer) -> dict[str, str]:
    return {
        "STAMKUND_SMTP_HOST": "127.0.0.1",
        "STAMKUND_SMTP_PORT": str(mail_server.port),
        "STAMKUND_SMTP_SECURITY": "none",
        "STAMKUND_MAIL_FROM": "no-reply@example.com",
    }


async def _add(store: Store, number: int) -> None:
    now = int(time.time())
    values = PasswordReset(f"https://login.example.com/reset-password?code={number}", now + 86_400, "Ove")
    mail = Mail(ORGANISATION, f"{time.monotonic_ns():024x}", f"reader{number}@example.com", values)
    await store.mails.add(mail, now)


async def _queue(installation: Installation, count: int) -> None:
    prepared = await open_installation(installation.settings, lambda: int(time.time()))
    for number in range(count):
        await _add(prepared.store, number)
    await prepared.close()


async def _queue_steadily(installation: Installation, seconds: float, stop: threading.Event) -> float:
    """Queues a thousand mails a minute; returns how many a second it was."""
    prepared = await open_installation(installation.settings, lambda: int(time.time()))
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds and not stop.is_set():
        await _add(prepared.store, count)
        count += 1
        await asyncio.sleep(max(0.0, started + count * _PAUSE_SECONDS - time.perf_counter()))
    await prepared.close()
    return count / (time.perf_counter() - started)


async def _until_sent(installation: Installation, count: int) -> float:
    """Waits until so many mails are sent; returns how many seconds that took, from the first one on."""
    prepared = await open_installation(installation.settings, lambda: int(time.time()))
    started = time.perf_counter()
    while (await prepared.store.mails.counts()).get(SENT, 0) < count:  # noqa: ASYNC110 - another process sends
        await asyncio.sleep(0.1)
    await prepared.close()
    return time.perf_counter() - started
