"""One page as an HTTP response: HTML from a template, with headers that let nothing else in.

A page is one document: its style stands in it and is named in the policy by its hash, a logo stands in it as data, and
there is no script. `form-action` names where a form's response may lead, because Chromium applies it to the redirects
that follow a form too. `Referrer-Policy` is `same-origin` and not `no-referrer`: with the latter browsers send
`Origin: null` along with our own forms, and the check of where a form came from would be lost.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from stamkund.pages.texts import Texts
from stamkund.rules.branding import PLAIN, Branding, text_on
from stamkund.wire.response import HTML, NO_STORE, Header, Response

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
_environment = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


@dataclass(frozen=True)
class PageOwner:
    """The organisation whose page it is: its name, and how its pages look."""

    name: str
    branding: Branding


NO_OWNER = PageOwner("", PLAIN)
"""For pages that are rendered without branding: before the organisation is known, or when it can't be looked up."""


def render_page(
    template: str,
    texts: Texts,
    owner: PageOwner,
    *,
    status: int = 200,
    headers: Iterable[Header] = (),
    form_targets: Iterable[str] = (),
    failed: bool = False,
    **values: Any,
) -> Response:
    """A page from a template and its values.

    `form_targets`: origins, or schemes of apps, that the response to its form may redirect to. `failed`: the title says
    so, which screen readers begin with.
    """
    style, digest = _style(owner.branding.colour, owner.branding.background)
    html = _environment.get_template(template).render(
        texts=texts,
        owner=owner,
        failed=failed,
        style=Markup(style),  # noqa: S704 (our own file, and colours that are #rrggbb)
        **values,
    )
    targets = " ".join(dict.fromkeys(("'self'", *form_targets)))
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        f"form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )
    all_headers = (
        (b"content-security-policy", policy.encode("ascii")),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"same-origin"),
        NO_STORE,
        (b"content-language", texts.language.encode("ascii")),
        *headers,
    )
    return Response(status, html.encode(errors="replace"), HTML.encode("ascii"), all_headers)


@lru_cache(maxsize=256)
def _style(colour: str, background: str) -> tuple[str, str]:
    """The style sheet of one branding, and the hash that the policy names it by."""
    colours = {
        "colour": colour,
        "on-colour": text_on(colour),
        "background": background,
        "on-background": text_on(background),
    }
    style = f":root{{{''.join(f'--{name}:{value};' for name, value in colours.items())}}}\n{_STYLE}"
    return style, base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
