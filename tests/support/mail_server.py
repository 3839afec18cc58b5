"""A real SMTP server (aiosmtpd) in a thread of its own, with the faults that a test wants."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True)
class Received:
    """A mail that the server got: to whom, and its bytes."""

    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    def part(self, subtype: str) -> str:
        """The text of the mail, or its HTML."""
        body = self.message.get_body((subtype,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


@dataclass
class Faults:
    """What the server does instead of accepting.

    - `at_recipient`, `at_data`: responses by recipient, used up one after the other; the last one for good with `…`.
    - `closes_after_data`: how many mails it takes without responding, closing the connection.
    - `closes_after_mail`: it accepts one mail of a connection and closes it when the next one comes, with this
      response; without any where it is empty.
    - `holds`: it takes a mail, and responds only when this is set.
    """

    at_recipient: dict[str, list[str]] = field(default_factory=dict)
    at_data: dict[str, list[str]] = field(default_factory=dict)
    closes_after_data: int = 0
    closes_after_mail: str | None = None
    holds: threading.Event | None = None


class MailServer:
    """Listens on a free port of 127.0.0.1. What it accepted, or took before it closed, is in `received`."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        port: int = 0,
    ) -> None:
        self.received: list[Received] = []
        self.faults = Faults()
        self.connections = 0
        self.logins = 0
        self.data_arrived = threading.Event()
        self._tls, self._starttls, self._login = tls, starttls, login
        self._wanted_port = port
        self._protocols: list[SMTP] = []
        self.port = 0

    def __enter__(self) -> MailServer:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self._wanted_port))
        self.port = listening.getsockname()[1]
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(listening, started))
        self._thread.start()
        assert started.wait(20)
        return self

    def __exit__(self, *_: TracebackType | object) -> None:
        if self.faults.holds is not None:
            self.faults.holds.set()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def to(self, recipient: str) -> list[Received]:
        """What was received for somebody."""
        return [mail for mail in self.received if mail.recipient == recipient]

    def _run(self, listening: socket.socket, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._loop.create_server(self._protocol, sock=listening, ssl=self._tls))
        started.set()
        self._loop.run_forever()
        server.close()
        for protocol in self._protocols:
            _close(protocol)
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))  # transports close in the loop's next turn
        self._loop.close()

    def _protocol(self) -> SMTP:
        self.connections += 1
        made = SMTP(
            _Handler(self),
            hostname="mail.example.com",
            ident="test",
            tls_context=self._starttls,
            require_starttls=self._starttls is not None,
            auth_required=self._login is not None,
            auth_require_tls=True,  # aiosmtpd warns of anything else
            authenticator=None if self._login is None else self._authenticate,
            loop=self._loop,
        )
        self._protocols.append(made)
        return made

    def _authenticate(self, _: SMTP, __: Session, ___: Envelope, ____: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword) and self._login is not None
        good = (data.login.decode(), data.password.decode()) == self._login
        self.logins += good
        return AuthResult(success=good, handled=False)


class _Handler:
    """The hooks of aiosmtpd."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._mails = 0

    async def handle_MAIL(self, protocol: SMTP, _: Session, envelope: Envelope, address: str, ___: list[str]) -> str:
        self._mails += 1
        closing = self._server.faults.closes_after_mail
        if closing is not None and self._mails > 1:
            if not closing:
                _close(protocol)
            return closing or "250 OK"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:
        response = _next(self._server.faults.at_recipient, address)
        if response is None:
            envelope.rcpt_tos.append(address)
        return response or "250 OK"

    async def handle_DATA(self, protocol: SMTP, _: Session, envelope: Envelope) -> str:
        server, faults = self._server, self._server.faults
        [recipient] = envelope.rcpt_tos
        assert isinstance(envelope.content, bytes)
        response = _next(faults.at_data, recipient)
        if response is None:
            server.received.append(Received(recipient, envelope.content))
        server.data_arrived.set()
        if faults.holds is not None:
            await asyncio.to_thread(faults.holds.wait)
        if response is not None:
            return response
        if faults.closes_after_data:
            faults.closes_after_data -= 1
            _close(protocol)
        return "250 OK"


def _next(responses: dict[str, list[str]], address: str) -> str | None:
    """The next response for somebody, None where there is none left; the one before `…` stays."""
    left = responses.get(address)
    if not left:
        return None
    return left[0] if left[1:] == ["…"] else left.pop(0)


def _close(protocol: SMTP) -> None:
    if protocol.transport is not None:
        protocol.transport.close()
