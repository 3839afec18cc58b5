"""A mail as it goes over the wire: headers, text, HTML and logo, in ASCII and with CRLF.

It is written here and not by the standard library's `email`, whose supported versions lose the quotes around a name
when they fold a long one, so that a comma in it makes two addresses. What is written is little: encoded words (RFC
2047), quoted-printable and base64 (RFC 2045), and two kinds of multipart (RFC 2046, 2387). The tests read it with the
standard library. The same mail is the same bytes at each attempt.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from stamkund.rules.branding import Logo

LOGO_ID = "logo@mail"
LOGO_SOURCE = f"cid:{LOGO_ID}"
"""The `src` by which the HTML of a mail shows the logo that comes with it."""
_MEDIA_TYPES = ("image/png", "image/jpeg", "image/gif")
"""What mail programs show: few know SVG or WebP."""

_MAX_HEADER_CHARACTERS = 200
_MAX_PLAIN = 60
_MAX_ADDRESS = 254
_BYTES_OF_A_WORD = 42
"""An encoded word has at most 75 characters: 12 around, and four for three bytes."""
_NOT_PLAIN = ("C", "Z")
"""Categories of Unicode: controls, directions, surrogates, and whatever is a blank or separates lines."""
_ADDRESS = re.compile(r"[!-~]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*")
_NOT_IN_A_LOCAL_PART = frozenset('<>()[]\\,;:@"')


class UnusableAddress(ValueError):
    """An address that mail can't be sent to."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom a mail comes from: the organisation's name, and an address."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message for a mail server: the envelope's two addresses, and the bytes between them."""

    id: str
    sender: str
    recipient: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """What a mail says: its subject, as text and as HTML, in a language; `logo` comes with it where it is shown."""

    subject: str
    text: str
    html: str
    language: str
    logo: Logo | None = None


def address_of(text: str) -> str:
    """An address as the wire has it: ASCII, the domain in Punycode. Raises UnusableAddress."""
    local_part, at_sign, domain = text.strip().rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            raise UnusableAddress from None
    address = f"{local_part}{at_sign}{domain}"
    unusable = len(address) > _MAX_ADDRESS or _ADDRESS.fullmatch(address) is None
    if unusable or not _NOT_IN_A_LOCAL_PART.isdisjoint(local_part):
        raise UnusableAddress
    return address


def shown_in_mail(logo: Logo | None) -> Logo | None:
    """The logo, if mail programs can show it."""
    return logo if logo is not None and logo.media_type in _MEDIA_TYPES else None


def compose(mail_id: str, at: int, sender: Sender, recipient: str, body: Body) -> Message:
    """The message of the mail with this id, queued at `at`. Raises UnusableAddress."""
    sent_from, sent_to = address_of(sender.address), address_of(recipient)
    message_id = f"<{mail_id}@{sent_from.rpartition('@')[2]}>"
    headers = (
        ("From", f"{_name(sender.name)}<{sent_from}>"),
        ("To", f"<{sent_to}>"),
        ("Subject", _encoded(plain(body.subject))),
        ("Date", format_datetime(datetime.fromtimestamp(at, UTC))),
        ("Message-ID", message_id),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("Content-Language", body.language),
        ("MIME-Version", "1.0"),
    )
    html = _text_part("html", body.html)
    if body.logo is not None:
        html = _multipart("related", f"{mail_id}.r", (html, _logo_part(body.logo)))
    content = _multipart("alternative", f"{mail_id}.a", (_text_part("plain", body.text), html))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return Message(message_id, sent_from, sent_to, (lines + content).encode("ascii"))


def plain(text: str) -> str:
    """What a header may hold of a text: one line, without controls, and not too long."""
    characters = (" " if unicodedata.category(c)[0] in _NOT_PLAIN else c for c in text[: 4 * _MAX_HEADER_CHARACTERS])
    return " ".join("".join(characters).split())[:_MAX_HEADER_CHARACTERS]


def _name(name: str) -> str:
    """A name before an address: quoted, or in encoded words; with a blank after it."""
    name = plain(name)
    if not name:
        return ""
    if _is_ascii(name):
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '" '
    return f"{_encoded(name)} "


def _encoded(text: str) -> str:
    """A line as it is, where it is short and ASCII; else as encoded words on as many lines as that needs."""
    return text if _is_ascii(text) else "\r\n ".join(map(_word, _pieces(text)))


def _is_ascii(text: str) -> bool:
    return text.isascii() and len(text) <= _MAX_PLAIN and "=?" not in text


def _word(piece: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(piece).decode('ascii')}?="


def _pieces(text: str) -> Iterator[bytes]:
    """The text in UTF-8, in pieces that end where a character does."""
    piece = b""
    for character in text:
        encoded = character.encode()
        if len(piece) + len(encoded) > _BYTES_OF_A_WORD:
            yield piece
            piece = b""
        piece += encoded
    yield piece


def _text_part(subtype: str, text: str) -> str:
    lines = "\r\n".join(text.strip().splitlines()) + "\r\n"
    encoded = binascii.b2a_qp(lines.encode(errors="replace"), istext=True).decode("ascii")
    return (
        f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}"
    )


def _logo_part(logo: Logo) -> str:
    name = f"logo.{logo.media_type.partition('/')[2]}"
    return (
        f'Content-Type: {logo.media_type}; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-ID: <{LOGO_ID}>\r\nContent-Disposition: inline; filename="{name}"\r\n\r\n'
        + "\r\n".join(logo.base64[i : i + 76] for i in range(0, len(logo.base64), 76))
        + "\r\n"
    )


def _multipart(subtype: str, mark: str, parts: tuple[str, ...]) -> str:
    """Parts between boundaries, which none of them can hold: neither encoding has a line that begins with `--=_`."""
    kind = '; type="text/html"' if subtype == "related" else ""
    boundary = f"=_{mark}"
    between = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{subtype}{kind}; boundary="{boundary}"\r\n\r\n{between}--{boundary}--\r\n'
