"""The mails of `stamkund demo`: they are caught in the process and shown at `/demo/mail`, and none is sent."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from stamkund.delivery.mail.message import LOGO_SOURCE, Message
from stamkund.delivery.mail.sender import ACCEPTED, Attempt
from stamkund.wire.about import About
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Endpoint, endpoint
from stamkund.wire.response import HTML, NO_STORE, Response

PATH = "/demo/mail"
_MAX_CAUGHT = 50
# What is shown is HTML of mails, which has its style in attributes; a frame without scripts shows each.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
_PAGE = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
    Path(__file__).with_name("demo_mail.html").read_text(encoding="utf-8")
)


@dataclass(frozen=True, slots=True)
class CaughtMail:
    """A mail as the page shows it. `html` has its logo in it."""

    sender: str
    recipient: str
    subject: str
    date: str
    text: str
    html: str


class MailCatcher:
    """Takes the place of a mail server: keeps the newest mails in memory."""

    def __init__(self) -> None:
        self.mails: deque[CaughtMail] = deque(maxlen=_MAX_CAUGHT)

    async def send(self, message: Message) -> Attempt:
        self.mails.appendleft(_caught(message.content))
        return ACCEPTED

    async def close(self) -> None:
        """There is nothing open."""

    def page(self) -> Endpoint:
        """The page, as a call that only the demo has."""

        @endpoint(
            "GET",
            PATH,
            public=True,
            about=About(title="Mails of the demo", group="Demo", source="our own", media=HTML),
        )
        async def demo_mail(_: Call) -> Response:
            """Shows the mails that the demo has caught, newest first."""
            headers = ((b"content-security-policy", _POLICY.encode("ascii")), NO_STORE)
            return Response(200, _PAGE.render(mails=self.mails).encode(), HTML.encode("ascii"), headers)

        return demo_mail


def _caught(content: bytes) -> CaughtMail:
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and html is not None
    logo = next((part for part in mail.walk() if part.get_content_maintype() == "image"), None)
    # Links lead out of the frame that shows the mail.
    page: str = html.get_content().replace("<head>", '<head><base target="_top">', 1)
    if logo is not None:
        encoded = "".join(str(logo.get_payload()).split())
        page = page.replace(LOGO_SOURCE, f"data:{logo.get_content_type()};base64,{encoded}")
    return CaughtMail(mail["From"], mail["To"], mail["Subject"], mail["Date"], text.get_content(), page)
