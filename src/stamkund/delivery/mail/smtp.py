"""Sends messages to a mail server by SMTP (RFC 5321), by aiosmtplib. One connection carries several messages.

Where the connection ends before a message was begun, as servers end idle ones, the message is sent by a new one at
once. Where it ends after the message was sent and before the server responded, nobody knows whether it was accepted: it
is tried again later, with the same Message-ID. That is why a server has so long for that response.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import aiosmtplib

from stamkund.delivery.mail.message import Message
from stamkund.delivery.mail.sender import ACCEPTED, Attempt, Fate
from stamkund.settings import Settings

_CONNECT_SECONDS = 20
_MESSAGE_SECONDS = 300
"""How long one message may take in all, with connecting."""
_QUIT_SECONDS = 5
_MESSAGES_OF_A_CONNECTION = 100
"""Many servers end a connection after so many."""
_SERVICE_CLOSING = 421
_ABOUT_THE_CONNECTION = (_SERVICE_CLOSING, 530, 534, 535, 538)
"""Codes that refuse us and not a recipient: closing, or authentication is needed or failed."""
_ENHANCED_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")
_PORTS = {"none": 25, "starttls": 587, "tls": 465}


class _ServerFailed(Exception):
    """The server can't be reached, or takes nothing from us; the message says why."""


class _ConnectionEnded(Exception):
    """The connection ended before the message was begun: a new one may carry it."""


class SmtpSender:
    """Sends to the mail server that the settings name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: aiosmtplib.SMTP | None = None
        self._messages = 0
        self._tls: ssl.SSLContext | None = None

    async def send(self, message: Message) -> Attempt:
        try:
            async with asyncio.timeout(_MESSAGE_SECONDS):
                return await self._send(message)
        except _ServerFailed as error:
            return Attempt(Fate.SERVER_FAILED, str(error))
        except TimeoutError:
            return Attempt(Fate.SERVER_FAILED, "the server took too long")
        finally:
            if self._messages >= _MESSAGES_OF_A_CONNECTION:
                await self.close()

    async def check(self) -> str | None:
        """Connects and logs in as for a message; returns what is wrong, None where nothing is."""
        try:
            await self._connect()
        except _ServerFailed as error:
            return str(error)
        await self.close()
        return None

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            await connection.quit(timeout=_QUIT_SECONDS)
        except (aiosmtplib.SMTPException, OSError):
            pass  # it is closed in any case
        finally:
            connection.close()

    async def _send(self, message: Message) -> Attempt:
        if self._connection is not None and self._connection.is_connected:
            try:
                return await self._transfer(self._connection, message)
            except _ConnectionEnded:
                pass
        try:
            return await self._transfer(await self._connect(), message)
        except _ConnectionEnded:
            raise _ServerFailed("the server closed the connection") from None

    async def _transfer(self, connection: aiosmtplib.SMTP, message: Message) -> Attempt:
        """Hands one message over. Raises _ConnectionEnded, _ServerFailed: then the connection is not used again."""
        usable = False
        self._messages += 1
        try:
            await self._begin(connection, message)
            attempt = await self._finish(connection, message)
            usable = True
            return attempt
        finally:
            if not usable:
                self._forget(connection)

    async def _begin(self, connection: aiosmtplib.SMTP, message: Message) -> None:
        """MAIL. Raises _ConnectionEnded, _ServerFailed: a sender that is refused is a matter of the settings."""
        try:
            await connection.mail(message.sender)
        except aiosmtplib.SMTPServerDisconnected:
            raise _ConnectionEnded from None
        except aiosmtplib.SMTPResponseException as error:
            if error.code == _SERVICE_CLOSING and self._messages > 1:
                raise _ConnectionEnded from None
            raise _ServerFailed(f"{_code(error)} at MAIL FROM") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _ServerFailed(_reason(error)) from error

    async def _finish(self, connection: aiosmtplib.SMTP, message: Message) -> Attempt:
        """RCPT and DATA. Raises _ServerFailed."""
        stage = "RCPT TO"
        try:
            await connection.rcpt(message.recipient)
            stage = "DATA"
            await connection.data(message.content)
        except aiosmtplib.SMTPResponseException as error:
            return await self._attempt_of(connection, error, stage)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _ServerFailed(f"{_reason(error)} at {stage}") from error
        return ACCEPTED

    async def _attempt_of(
        self, connection: aiosmtplib.SMTP, error: aiosmtplib.SMTPResponseException, stage: str
    ) -> Attempt:
        """What a code of the server says about a message. Raises _ServerFailed where it is about us."""
        reason = f"{_code(error)} at {stage}"
        if error.code in _ABOUT_THE_CONNECTION:
            raise _ServerFailed(reason) from error
        try:
            await connection.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._forget(connection)
        return Attempt(Fate.REFUSED if 500 <= error.code < 600 else Fate.FAILED, reason)

    async def _connect(self) -> aiosmtplib.SMTP:
        """A new connection, ready for a message. Raises _ServerFailed."""
        settings = self._settings
        connection = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port or _PORTS[settings.smtp_security],
            username=settings.smtp_user or None,
            password=self._password(),
            local_hostname=_own_name(settings),
            timeout=_MESSAGE_SECONDS,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            tls_context=await self._tls_context(),
        )
        ready = False
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await connection.connect()
            ready = True
        except TimeoutError:
            raise _ServerFailed("the server could not be reached in time") from None
        except aiosmtplib.SMTPAuthenticationError as error:
            raise _ServerFailed(f"{_code(error)} at the login") from error
        except aiosmtplib.SMTPResponseException as error:
            raise _ServerFailed(f"{_code(error)} when connecting") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _ServerFailed(_reason(error)) from error
        finally:
            if not ready:
                connection.close()
        self._connection, self._messages = connection, 0
        return connection

    async def _tls_context(self) -> ssl.SSLContext | None:
        if self._settings.smtp_security == "none":
            return None
        if self._tls is None:  # it reads all certificates of the system, which takes a while
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls

    def _password(self) -> str | None:
        """Read at each connection, so that it can be changed. Raises _ServerFailed."""
        if not self._settings.smtp_password_file:
            return None
        try:
            return Path(self._settings.smtp_password_file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise _ServerFailed("the file STAMKUND_SMTP_PASSWORD_FILE can't be read") from None

    def _forget(self, connection: aiosmtplib.SMTP) -> None:
        connection.close()
        if self._connection is connection:
            self._connection = None


def _own_name(settings: Settings) -> str:
    """What we call ourselves in EHLO: the host that browsers reach us at."""
    host = urlsplit(settings.pages_url).hostname or ""
    return host if "." in host and ":" not in host else "localhost"


def _code(error: aiosmtplib.SMTPResponseException) -> str:
    """The code of a response, with the enhanced one (RFC 3463) where it has one. Its text may quote an address."""
    enhanced = _ENHANCED_CODE.match(error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)


def _reason(error: BaseException) -> str:
    """Why a connection failed, without what a server said."""
    causes = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate of the server is not valid ({cause.verify_message})"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "the server speaks no TLS, or not ours"
    if isinstance(error, aiosmtplib.SMTPServerDisconnected):
        return "the server closed the connection"
    if isinstance(error, TimeoutError):
        return "the server took too long"
    if isinstance(error, aiosmtplib.SMTPConnectError | OSError):
        return "the server could not be reached"
    return "the server lacks STARTTLS or the login that the settings ask for"
