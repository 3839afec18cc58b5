"""TLS and logins at the mail server: nothing goes out in the clear, or to a server that is not the right one."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from stamkund.delivery.mail.message import Body, Message, Sender, compose
from stamkund.delivery.mail.sender import ACCEPTED, Attempt, Fate
from stamkund.delivery.mail.smtp import SmtpSender
from stamkund.settings import Settings
from tests.support.mail_server import MailServer

MESSAGE: Message = compose(
    "a" * 24,
    0,
    Sender("The Herald", "no-reply@example.com"),
    "ove@example.com",
    Body("Hello", "Hello", "<p>Hello", "en"),
)


@dataclass(frozen=True)
class Certificate:
    """A certificate of its own authority, for one address."""

    file: Path

    @property
    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context


def certificate(folder: Path, address: str) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail server of the tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{address}.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return Certificate(file)


async def sent(server: MailServer, **settings: object) -> Attempt:
    values = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "mail_from": "no-reply@example.com", **settings}
    sender = SmtpSender(Settings(**values))  # type: ignore[arg-type]
    attempt = await sender.send(MESSAGE)
    await sender.close()
    return attempt


def server_with(security: str, certificate: Certificate) -> MailServer:
    return MailServer(tls=certificate.context) if security == "tls" else MailServer(starttls=certificate.context)


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """A certificate for the address that the servers of these tests have, which the process trusts."""
    made = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_is_trusted_is_good(trusted: Certificate, security: str) -> None:
    with server_with(security, trusted) as server:
        assert await sent(server, smtp_security=security) == ACCEPTED
        assert len(server.received) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("other_address", [True, False])
async def test_a_wrong_certificate_gets_no_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str, *, other_address: bool
) -> None:
    """One for another address, and one of an authority that nobody knows."""
    made = certificate(tmp_path, "127.0.0.2" if other_address else "127.0.0.1")
    if other_address:
        monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    with server_with(security, made) as server:
        attempt = await sent(server, smtp_security=security)
        assert attempt.fate is Fate.SERVER_FAILED
        assert attempt.reason.startswith("the certificate of the server is not valid (")
        assert server.received == []


@pytest.mark.parametrize(
    ("security", "reason"),
    [
        ("starttls", "the server lacks STARTTLS or the login that the settings ask for"),
        ("tls", "the server speaks no TLS, or not ours"),
    ],
)
async def test_a_server_without_tls_gets_no_mail(security: str, reason: str) -> None:
    with MailServer() as server:
        assert await sent(server, smtp_security=security) == Attempt(Fate.SERVER_FAILED, reason)
        assert server.received == []


async def test_the_login_is_that_of_the_settings(tmp_path: Path, trusted: Certificate) -> None:
    password = tmp_path / "password"
    settings = {"smtp_user": "stamkund", "smtp_password_file": str(password)}
    with MailServer(login=("stamkund", "right-one"), starttls=trusted.context) as server:
        unreadable = await sent(server, **settings)
        assert unreadable == Attempt(Fate.SERVER_FAILED, "the file STAMKUND_SMTP_PASSWORD_FILE can't be read")
        password.write_text("wrong-one\n")
        assert (await sent(server, **settings)).reason == "535 5.7.8 at the login"
        password.write_text("right-one\n")
        assert await sent(server, **settings) == ACCEPTED
        assert (len(server.received), server.logins) == (1, 1)


async def test_a_server_that_wants_a_login_is_not_refusing_the_address(trusted: Certificate) -> None:
    with MailServer(login=("stamkund", "right-one"), starttls=trusted.context) as server:
        attempt = await sent(server)
    assert (attempt.fate, attempt.reason) == (Fate.SERVER_FAILED, "530 5.7.0 at MAIL FROM")
