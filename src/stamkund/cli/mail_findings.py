"""What `stamkund doctor` finds about mails: whether the server takes them, and which were lost."""

from __future__ import annotations

from collections.abc import AsyncIterator

from stamkund.cli.findings import FAILED, NOTE, Finding
from stamkund.cli.output import counted
from stamkund.rules.addresses import is_loopback
from stamkund.rules.mail import DEAD, DROPPED, WAITING
from stamkund.settings import Settings
from stamkund.store import Store


async def mail_findings(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    counts = await store.mails.counts()
    waiting, dropped, dead = (counts.get(state, 0) for state in (WAITING, DROPPED, DEAD))
    if not settings.smtp_host:
        yield _without_server(waiting, dropped)
        return
    yield await _server(settings)
    if settings.smtp_security == "none" and not is_loopback(settings.smtp_host) and settings.smtp_host != "localhost":
        yield FAILED, f"mails go to {settings.smtp_host} in the clear: set STAMKUND_SMTP_SECURITY to starttls or tls"
    if dropped:
        yield NOTE, f"{_mails(dropped)} dropped, because no server took them in time: see `stamkund mail queue`"
    if dead:
        yield NOTE, f"{_mails(dead)} refused for good: see `stamkund mail queue`"


def _without_server(waiting: int, dropped: int) -> Finding:
    advice = "set STAMKUND_SMTP_HOST and STAMKUND_MAIL_FROM, and try it with `stamkund mail send-test`"
    if not waiting and not dropped:
        return NOTE, f"no mail server is set, so readers get no mails: {advice}"
    wait = f"{counted(waiting, 'mail')} {'waits' if waiting == 1 else 'wait'}"
    return FAILED, f"no mail server is set: {wait}, {_mails(dropped)} dropped; {advice}"


async def _server(settings: Settings) -> Finding:
    from stamkund.delivery.mail.smtp import SmtpSender

    problem = await SmtpSender(settings).check()
    if problem is None:
        return True, f"the mail server {settings.smtp_host} takes mails from us"
    return FAILED, f"the mail server {settings.smtp_host}: {problem}"


def _mails(number: int) -> str:
    return f"{counted(number, 'mail')} {'was' if number == 1 else 'were'}"
