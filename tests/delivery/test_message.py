"""The bytes of a mail, read by the standard library: headers hold what they should, whatever names hold."""

from __future__ import annotations

import base64
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stamkund.delivery.mail.message import (
    LOGO_ID,
    Body,
    Sender,
    UnusableAddress,
    address_of,
    compose,
    plain,
    shown_in_mail,
)
from stamkund.rules.branding import Logo

ID = "65a5202ca1b2c3d4e5f60718"
LOGO = Logo("image/png", base64.b64encode(bytes(range(256)) * 3).decode())
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
]


def composed(
    name: str = "Bladet", subject: str = "Hej", text: str = "Hej\n", html: str = "<p>Hej", logo: Logo | None = None
) -> bytes:
    body = Body(subject, text, html, "sv", logo)
    return compose(ID, 1_768_478_400, Sender(name, "no-reply@example.com"), "ove@example.com", body).content


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def content_of(part: Message) -> str:
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")


def test_the_headers() -> None:
    message = parsed(composed("Bladet, Öst", "Välj ett nytt lösenord"))
    assert list(message.keys()) == HEADERS
    [sender] = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Bladet, Öst", "no-reply@example.com")
    assert message["Subject"] == "Välj ett nytt lösenord"
    assert message["Message-ID"] == f"<{ID}@example.com>"
    assert message["Date"] == "Thu, 15 Jan 2026 12:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in message, "readers asked for every one of our mails"


def test_text_and_html_are_alternatives() -> None:
    message = parsed(composed(text="Hej!\n.\nÅsa = Östen " + "x" * 200, html="<p>Hej, Åsa</p>"))
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert content_of(text) == "Hej!\n.\nÅsa = Östen " + "x" * 200 + "\n"
    assert (html.get_content_type(), content_of(html)) == ("text/html", "<p>Hej, Åsa</p>\n")


def test_a_logo_comes_with_the_html() -> None:
    message = parsed(composed(logo=LOGO))
    _, related = message.iter_parts()
    _, logo = related.iter_parts()
    assert related.get_content_type() == "multipart/related"
    assert (logo["Content-ID"], logo.get_content_disposition()) == (f"<{LOGO_ID}>", "inline")
    assert logo.get_content() == base64.b64decode(LOGO.base64)


@pytest.mark.parametrize(
    ("media_type", "visible"), [("image/png", True), ("image/svg+xml", False), ("image/webp", False)]
)
def test_a_logo_that_mail_programs_do_not_show_is_left_out(media_type: str, *, visible: bool) -> None:
    assert (shown_in_mail(Logo(media_type, "")) is not None) is visible


def test_the_same_mail_is_the_same_bytes() -> None:
    assert composed(logo=LOGO) == composed(logo=LOGO)


@given(st.text(max_size=300), st.text(max_size=300))
@example("Ove\r\nBcc: all@example.com", "Hej\nBcc: all@example.com")
@example('"evil@example.com", Ö' * 9, "=?utf-8?q?Hej?=")
@example('a\\" <evil@example.com>,', "\u2028\x00\x1b[31m\ud800")
def test_no_name_and_no_subject_make_another_header(name: str, subject: str) -> None:
    content = composed(name, subject)
    message = parsed(content)
    assert list(message.keys()) == HEADERS
    [sender] = message["From"].addresses
    # The standard library puts blanks between the encoded words of a name, which it should not.
    assert sender.addr_spec == "no-reply@example.com"
    assert sender.display_name.replace(" ", "") == plain(name).replace(" ", "")
    assert str(message["Subject"]) == plain(subject)
    assert [address.addr_spec for address in message["To"].addresses] == ["ove@example.com"]
    assert all(len(line) <= 998 for line in content.split(b"\r\n")) and content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"") and b"\r" not in content.replace(b"\r\n", b"")


@given(st.text(max_size=400))
def test_every_text_arrives(text: str) -> None:
    arrived = parsed(composed(text=text)).get_body(("plain",))
    assert arrived is not None
    expected = text.strip().encode(errors="replace").decode().splitlines()
    assert content_of(arrived).splitlines() == (expected or [""])


@pytest.mark.parametrize(
    ("address", "on_the_wire"),
    [("Ove+1@example.com", "Ove+1@example.com"), (" o'brien@sub.example.com ", "o'brien@sub.example.com")],
)
def test_addresses_of_readers(address: str, on_the_wire: str) -> None:
    assert address_of(address) == on_the_wire


def test_a_domain_may_have_letters_of_its_language() -> None:
    assert address_of("ove@ö.example.com") == "ove@xn--nda.example.com"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ove",
        "ove@",
        "@example.com",
        "a b@example.com",
        "ove@example.com\r\nRCPT TO:<all@example.com>",
        "ove@example.com>",
        "<ove@example.com",
        "ove@example.com,kim@example.com",
        "a@b@example.com",
        "öve@example.com",
        "ove@-example.com",
        "ove@example..com",
        f"ove@{'a' * 300}.com",
        f"{'a' * 300}@example.com",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UnusableAddress):
        address_of(address)
