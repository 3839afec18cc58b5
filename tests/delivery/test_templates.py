"""What mails say: ours in three languages, and what an organisation's own templates may hold."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from stamkund.delivery.mail.template_check import mistakes
from stamkund.delivery.mail.templates import LAYOUT, NAMES, Templates, built_in
from stamkund.delivery.mail.writing import MailOwner, greeted, template_values, write
from stamkund.rules.branding import PLAIN, Branding, logo_of
from stamkund.rules.mail import LANGUAGES, VALUES, MailContent, MailPurpose, OneTimePassword, PasswordReset
from stamkund.rules.organisation import Organisation
from stamkund.settings import Settings
from tests.support.mail_server import Received
from tests.support.service import NOW

SAMPLES: dict[str, Any] = {
    "url": "https://login.example.com/a?code=1&x=2",
    "valid_until": NOW + 3600,
    "code": "48210377",
    "new_email": "k***@example.com",
    "first_name": "Ove",
}
SETTINGS = Settings(mail_from="no-reply@example.com", public_url="https://login.example.com")
OVERRIDDEN = "password_reset.sv.html"


def values_of(purpose: MailPurpose, **changes: Any) -> Any:
    kind = VALUES[purpose]
    return kind(**{name: {**SAMPLES, **changes}[name] for name in kind.__struct_fields__})


def owner(own: dict[str, str] | None = None, branding: Branding = PLAIN, **changes: Any) -> MailOwner:
    return MailOwner(Organisation("herald", "The Herald", **changes), branding, Templates(own or {}))


def mail(values: Any, language: str | None = None, of: MailOwner | None = None) -> Received:
    message = write(of or owner(), SETTINGS, "a" * 24, NOW, language, MailContent("ove@example.com", values))
    return Received(message.recipient, message.content)


@pytest.mark.parametrize(("purpose", "language"), list(itertools.product(MailPurpose, LANGUAGES)))
def test_every_mail_is_whole_in_every_language(purpose: MailPurpose, language: str) -> None:
    written = mail(values_of(purpose), language)
    text, html = written.part("plain"), written.part("html")
    assert written.message["Content-Language"] == language and f'<html lang="{language}">' in html
    for name in VALUES[purpose].__struct_fields__:
        visible = "15" if name == "valid_until" else str(SAMPLES[name])
        assert visible in text and visible.replace("&", "&amp;") in html, name
    assert "The Herald" in text and "The Herald" in html
    assert "{" not in text and "{{" not in html
    assert ("<a href=" in html) == ("url" in VALUES[purpose].__struct_fields__)


def test_the_subjects() -> None:
    subjects = {p: mail(values_of(p), "sv").message["Subject"] for p in MailPurpose}
    assert len(set(subjects.values())) == len(MailPurpose) - 1, "the two resets have the same words"
    assert subjects[MailPurpose.REGISTERED_ACCOUNT_CONFIRMED] == "Välkommen till The Herald"


@pytest.mark.parametrize(
    ("chosen", "of_organisation", "language"),
    [(None, "sv", "sv"), (None, "fi", "fi"), ("en", "fi", "en"), ("de", "fi", "fi"), (None, "xx", "sv")],
)
def test_the_language_is_the_mails_or_the_organisations(
    chosen: str | None, of_organisation: str, language: str
) -> None:
    written = mail(values_of(MailPurpose.TEST), chosen, owner(language=of_organisation))
    assert written.message["Content-Language"] == language


def test_times_are_those_of_the_organisation() -> None:
    def valid_until(language: str, timezone: str) -> str:
        visible = template_values(owner(timezone=timezone), language, values_of(MailPurpose.VERIFICATION))
        return str(visible["valid_until"])

    assert valid_until("sv", "Europe/Stockholm") == "torsdag 15 januari kl. 14.00"
    assert valid_until("fi", "Europe/Helsinki") == "torstaina 15. tammikuuta klo 15.00"
    assert valid_until("en", "Europe/London") == "Thursday 15 January at 13:00"


def test_branding_is_in_the_mail_and_nothing_is_loaded() -> None:
    png = logo_of(b"\x89PNG\r\n\x1a\n" + bytes(100))
    html = mail(values_of(MailPurpose.TEST), of=owner(branding=Branding(png, "#8a1538", "#000000"))).part("html")
    assert 'src="cid:logo@mail" alt="The Herald"' in html and "background:#000000" in html and "color:#ffffff" in html
    assert "#8a1538" in mail(values_of(MailPurpose.VERIFICATION), of=owner(branding=Branding(png, "#8a1538"))).part(
        "html"
    )
    for kind in MailPurpose:
        assert mistakes({f"{kind}.sv.html": built_in()[f"{kind}.sv.html"]}, {}) == []


def test_values_are_escaped_in_html_and_not_in_text() -> None:
    values = OneTimePassword("<b>&1", "https://example.com/?a=1&b=2", NOW)
    written = mail(values)
    assert "<b>&1" in written.part("plain") and "&lt;b&gt;&amp;1" in written.part("html")


@pytest.mark.parametrize("name", ["Ove", "Åsa-Lena", "J. R. Öst", "O'Brien", "Anna Maria"])
def test_readers_are_greeted_by_their_name(name: str) -> None:
    assert greeted(name) == name


@pytest.mark.parametrize(
    "name", ["", "www.example.com", "http://a.example", "WIN 1000 kr", "a\nb", "x" * 41, "<b>", "a  b"]
)
def test_what_is_no_name_is_no_greeting(name: str) -> None:
    """Whoever makes an account with another's address must not send them a message of their own."""
    assert greeted(name) == ""
    assert "Hej!" in mail(PasswordReset("https://a.example", NOW, name)).part("plain")


# Templates of an organisation's own ---------------------------------------------------------------------------


def test_an_organisations_own_template_is_used() -> None:
    own = {OVERRIDDEN: '{% extends "layout.html" %}{% block heading %}Our own words{% endblock %}'}
    assert mistakes(own, {}) == []
    html = mail(values_of(MailPurpose.PASSWORD_RESET), "sv", owner(own)).part("html")
    assert "Our own words" in html and SAMPLES["url"].replace("&", "&amp;") in html
    assert "Our own words" not in mail(values_of(MailPurpose.PASSWORD_RESET), "en", owner(own)).part("html")


def test_an_own_layout_holds_every_mail() -> None:
    own = {LAYOUT: "<main>{% block heading %}{% endblock %}{% block content %}{% endblock %}</main>"}
    assert mistakes(own, {}) == []
    assert mail(values_of(MailPurpose.VERIFICATION), "en", owner(own)).part("html").startswith("<main>Confirm")


def test_a_template_that_no_longer_fits_is_replaced_by_ours() -> None:
    """As after an upgrade that took a variable away."""
    own = {OVERRIDDEN: "<p>{{ gone }}</p>"}
    assert "Välj ett nytt" in mail(values_of(MailPurpose.PASSWORD_RESET), "sv", owner(own)).part("html")


def test_ours_pass_their_own_check() -> None:
    assert mistakes(built_in(), {}) == []
    assert set(built_in()) == set(NAMES)


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("<p>\n{{ surname }}", 2, "there is no variable surname; there are organisation, "),
        ("<p>\n\n{% if %}", 3, "it is no template: "),
        ("{{ first_name", 1, "it is no template: "),
        ("{% for i in organisation %}{{ organisation }}{% endfor %}", 1, "can't use this part of Jinja2 (For)"),
        ("{{ organisation.__class__ }}", 1, "can't use this part of Jinja2 (Getattr)"),
        ("{{ organisation['x'] }}", 1, "can't use this part of Jinja2 (Getitem)"),
        ("{{ organisation * 100000 }}", 1, "can't use this part of Jinja2 (Mul)"),
        ("{{ organisation() }}", 1, "can't use this part of Jinja2 (Call)"),
        ("{% set x = organisation %}", 1, "can't use this part of Jinja2 (Assign)"),
        ("{% include 'layout.html' %}", 1, "can't use this part of Jinja2 (Include)"),
        ("{% autoescape false %}{{ first_name }}{% endautoescape %}", 1, "can't use this part of Jinja2 (Scoped"),
        ("{{ first_name | safe }}", 1, "there is no filter safe here"),
        ("{{ first_name | center(1000000) }}", 1, "there is no filter center here"),
        ("{% extends 'other.html' %}", 1, "only layout.html"),
        ("{% extends first_name %}", 1, "only layout.html"),
        ("x" * 33_000, 0, "it has 33000 characters; it may have 32768"),
        ("{{ url }}" * 201, 0, "it uses values more than 200 times"),
        ('<img src="https://example.com/a.png">', 0, "a mail may load nothing: img may have the attribute src only"),
        ('<img src="{{ url }}">', 0, "a mail may load nothing"),
        ('<table background="https://example.com/a.png">', 0, "a mail may load nothing"),
        ("<style>@import 'https://example.com/a.css'</style>", 0, "a mail may load nothing"),
        ('<p style="background:url(https://example.com/a)">', 0, "a mail may load nothing"),
        ("<style>.{{ first_name }}{}</style>", 0, "a mail may load nothing"),
        ("<script>alert(1)</script>", 0, "a mail may not have the element script"),
        ("<form action=x>", 0, "a mail may not have the element form"),
        ('<p onclick="x()">', 0, "a mail may not have the attribute onclick"),
        ('<meta http-equiv="refresh" content="0">', 0, "a mail may not have meta http-equiv"),
        ('<a href="javascript:alert(1)">', 0, "a link must begin with https:"),
        ("<p title={{ first_name }}>", 0, "a value stands where it is not escaped"),
        ("<{{ first_name }}>", 0, "a value stands where it is not escaped"),
    ],
)
def test_what_a_template_may_not_hold(source: str, line: int, reason: str) -> None:
    found_mistakes = mistakes({OVERRIDDEN: source}, {})
    assert any(one.line == line and reason in one.reason for one in found_mistakes), found_mistakes


@pytest.mark.parametrize("source", ["Hello", "Subject:\n\nHello", "subject: x\n"])
def test_a_text_begins_with_its_subject(source: str) -> None:
    assert any("the first line must" in one.reason for one in mistakes({"test.sv.txt": source}, {}))


def test_a_template_that_is_not_there() -> None:
    [mistake] = mistakes({"../../etc/passwd": "x"}, {})
    assert mistake.reason.startswith("there is no such template")


def test_a_layout_may_use_what_every_mail_has() -> None:
    [mistake] = mistakes({LAYOUT: "{{ code }}"}, {})
    assert mistake.reason.startswith("there is no variable code")
    assert msgspec.structs.asdict(values_of(MailPurpose.TEST)) == {}
