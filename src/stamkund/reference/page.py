"""The documentation page: one HTML document without scripts that needs no second request."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from stamkund import __version__
from stamkund.reference.conventions import CONVENTIONS
from stamkund.reference.descriptions import by_group
from stamkund.wire.endpoint import Endpoint

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "documentation.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Allows the style sheet inside the page and nothing else."""


def page(endpoints: Sequence[Endpoint]) -> str:
    """The HTML of the page."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = _prose
    return environment.get_template("documentation.html").render(
        conventions=CONVENTIONS,
        groups=by_group(endpoints),
        style=Markup(_STYLE),  # noqa: S704 (our own file; the policy has the hash of its text)
        version=__version__,
    )


def _prose(text: str) -> Markup:
    """A sentence as HTML, escaped; text in backticks becomes code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 (escaped above)
