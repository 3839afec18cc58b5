"""One page as an HTTP answer: HTML out of a template, with the headers that let nothing else in.

A page is one document: its style stands in it and is named in the policy by its hash, a logo stands in it as data, and
there is no script. `form-action` names where a form's answer may lead, because Chromium applies it to the redirects
that follow a form too. `Referrer-LockoutPolicy` is `same-origin` and not `no-referrer`: with the latter browsers send
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
from stamkund.wire.endpoint import Response

HTML = "text/html; charset=utf-8"
Header = tuple[bytes, bytes]

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
class PageBranding:
    """Whose page it is, and how that organisation's pages look."""

    name: str
    branding: Branding


NO_BRANDING = PageBranding("", PLAIN)
"""For pages that are shown before it is known whose they are, or when that can't be asked."""


def show(
    template: str,
    texts: Texts,
    look: PageBranding,
    *,
    status: int = 200,
    headers: Iterable[Header] = (),
    leads_to: Iterable[str] = (),
    failed: bool = False,
    **values: Any,
) -> Response:
    """The page. `leads_to`: origins, or schemes of apps, that its form's answer may redirect to. `failed` is told in
    the title, which screen readers begin with.
    """
    style, digest = _style(look.branding.colour, look.branding.background)
    html = _environment.get_template(template).render(
        t=texts,
        look=look,
        failed=failed,
        style=Markup(style),  # noqa: S704 (our own file, and colours that are #rrggbb)
        **values,
    )
    targets = " ".join(dict.fromkeys(("'self'", *leads_to)))
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        f"form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )
    shown = (
        (b"content-security-policy", policy.encode("ascii")),
        (b"x-frame-options", b"DENY"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"cache-control", b"no-store"),
        (b"content-language", texts.language.encode("ascii")),
        *headers,
    )
    return Response(status, html.encode(errors="replace"), HTML.encode("ascii"), shown)


@lru_cache(maxsize=256)
def _style(colour: str, background: str) -> tuple[str, str]:
    """The style of one branding, and the hash that the policy names it by."""
    chosen = {
        "colour": colour,
        "on-colour": text_on(colour),
        "background": background,
        "on-background": text_on(background),
    }
    style = f":root{{{''.join(f'--{name}:{value};' for name, value in chosen.items())}}}\n{_STYLE}"
    return style, base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
