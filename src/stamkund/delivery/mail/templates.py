"""Templates of mails: ours in the folder `templates/`, and those that an organisation has of its own.

A template is named `PURPOSE.LANGUAGE.txt` or `PURPOSE.LANGUAGE.html`. The first line of a text is its subject. The HTML
of all purposes stands in `layout.html`. An organisation may have its own of each; where it has none, ours is used.

They are Jinja2 in its sandbox. `template_check.py` allows little of the language, and that little costs time in
proportion to its length, so that no template can hold up a worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stamkund.rules.mail import LANGUAGES, VALUES, MailPurpose

LAYOUT = "layout.html"
SUBJECT = "Subject:"
NAMES = (
    LAYOUT,
    *(f"{purpose}.{language}.{kind}" for purpose in MailPurpose for language in LANGUAGES for kind in ("txt", "html")),
)
"""The names of all templates."""
COMMON = ("organisation", "language", "logo", "colour", "on_colour", "background", "on_background")
"""What every template may use: the organisation's name, the mail's language, the `src` of the logo (empty where there
is none), and the colours of the branding with those of text on them."""

_FOLDER = Path(__file__).with_name("templates")


class BrokenTemplate(Exception):
    """A template can't be rendered; the message says which."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a mail says, in both forms."""

    subject: str
    text: str
    html: str


class Templates:
    """The templates of one organisation."""

    def __init__(self, own: Mapping[str, str]) -> None:
        self.own = own
        self._environment = environment({**built_in(), **own})

    def render(self, purpose: MailPurpose, language: str, values: Mapping[str, Any]) -> Rendered:
        """What a mail says. Raises BrokenTemplate."""
        name = f"{purpose}.{language}"
        subject, text = parts_of(self._render(f"{name}.txt", values))
        return Rendered(subject, text, self._render(f"{name}.html", values))

    def _render(self, name: str, values: Mapping[str, Any]) -> str:
        try:
            return self._environment.get_template(name).render(values)
        except TemplateError as error:
            raise BrokenTemplate(name) from error


def environment(sources: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    """Jinja2 for these templates, by name."""
    return ImmutableSandboxedEnvironment(
        loader=DictLoader(sources),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def built_in() -> dict[str, str]:
    """The sources of our own templates, by name."""
    return {name: (_FOLDER / name).read_text(encoding="utf-8") for name in NAMES}


@cache
def built_in_templates() -> Templates:
    """For organisations that have none of their own."""
    return Templates({})


def parts_of(text: str) -> tuple[str, str]:
    """Subject and body of a text whose first line is its subject."""
    first, _, body = text.partition("\n")
    return first.removeprefix(SUBJECT).strip(), body.strip()


def variables(name: str) -> tuple[str, ...]:
    """What a template may use. The layout may use nothing that not every mail has, but for `url`."""
    if name == LAYOUT:
        return (*COMMON, "url")
    fields: tuple[str, ...] = VALUES[MailPurpose(name.partition(".")[0])].__struct_fields__
    return (*COMMON, *fields)
