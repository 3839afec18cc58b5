"""Makes the message of a queued mail: in the name of its organisation, in its colours, language and words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from stamkund import log
from stamkund.delivery.mail.dates import day_and_time
from stamkund.delivery.mail.message import LOGO_SOURCE, Body, Message, Sender, compose, shown_in_mail
from stamkund.delivery.mail.templates import BrokenTemplate, Templates, built_in_templates
from stamkund.rules.branding import Branding, text_on
from stamkund.rules.mail import LANGUAGES, MailContent, MailValues
from stamkund.rules.organisation import Organisation
from stamkund.rules.timestamps import zone
from stamkund.settings import Settings
from stamkund.store import Store

_MAX_NAME = 40
_NAME = re.compile(r"[^\W\d_]+\.?(?:[ '\u2019-][^\W\d_]+\.?){0,4}")


@dataclass(frozen=True, slots=True)
class MailOwner:
    """The organisation that a mail comes from, its branding and its templates."""

    organisation: Organisation
    branding: Branding
    templates: Templates


async def owner_of(store: Store, organisation_id: str) -> MailOwner | None:
    """Reads what mails of an organisation are written with; None where there is no such organisation."""
    organisation = await store.organisations.get(organisation_id)
    if organisation is None:
        return None
    branding = await store.branding.of_organisation(organisation_id)
    own = await store.mail_templates.of_organisation(organisation_id)
    return MailOwner(organisation, branding, _templates(tuple(own.items())))


@lru_cache(maxsize=64)
def _templates(own: tuple[tuple[str, str], ...]) -> Templates:
    """Compiled once for as long as they stay the same."""
    return Templates(dict(own)) if own else built_in_templates()


def write(
    owner: MailOwner, settings: Settings, mail_id: str, at: int, language: str | None, content: MailContent
) -> Message:
    """The message of a mail that was queued at `at`. Raises UnusableAddress.

    A template of the organisation's own that can't be rendered, as after an upgrade, is replaced by ours.
    """
    organisation = owner.organisation
    chosen = language if language in LANGUAGES else organisation.language
    if chosen not in LANGUAGES:
        chosen = LANGUAGES[0]
    logo = shown_in_mail(owner.branding.logo)
    values = template_values(owner, chosen, content.values)
    purpose = content.values.purpose
    try:
        rendered = owner.templates.render(purpose, chosen, values)
    except BrokenTemplate as error:
        log.get().error("template of a mail not usable", organisation=organisation.id, template=str(error))
        rendered = built_in_templates().render(purpose, chosen, values)
    body = Body(rendered.subject, rendered.text, rendered.html, chosen, logo)
    return compose(mail_id, at, sender_of(organisation, settings), content.address, body)


def template_values(owner: MailOwner, language: str, values: MailValues) -> dict[str, Any]:
    """What a template may use (`templates.py` `variables`)."""
    branding = owner.branding
    fields: dict[str, Any] = msgspec.structs.asdict(values)
    if "first_name" in fields:
        fields["first_name"] = greeted(fields["first_name"])
    if "valid_until" in fields:
        local = datetime.fromtimestamp(fields["valid_until"], zone(owner.organisation.timezone).info)
        fields["valid_until"] = day_and_time(local, language)
    return {
        "organisation": owner.organisation.name,
        "language": language,
        "logo": LOGO_SOURCE if shown_in_mail(branding.logo) else "",
        "colour": branding.colour,
        "on_colour": text_on(branding.colour),
        "background": branding.background,
        "on_background": text_on(branding.background),
        **fields,
    }


def greeted(name: str) -> str:
    """A name to greet somebody by; empty for what is no name.

    Whoever makes an account with another's address chooses the name that our mail to them begins with. It must not
    carry a message or a link.
    """
    return name.strip() if len(name) <= _MAX_NAME and _NAME.fullmatch(name.strip()) else ""


def sender_of(organisation: Organisation, settings: Settings) -> Sender:
    """Whom an organisation's mails come from: its own address, that of the settings, or one that nobody reads."""
    address = organisation.mail_from or settings.mail_from
    return Sender(organisation.name, address or f"no-reply@{urlsplit(settings.pages_url).hostname or 'localhost'}")
