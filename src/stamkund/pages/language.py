"""Which language a page is shown in: what the link asks for (`ui_locales`), else what the browser prefers."""

from __future__ import annotations

from collections.abc import Iterable

from stamkund.pages.english import ENGLISH
from stamkund.pages.swedish import SWEDISH
from stamkund.pages.texts import Texts

LANGUAGES = (ENGLISH, SWEDISH)
"""The first one is the default."""
_MAX_HEADER_LENGTH = 1024
"""How much of an `Accept-Language` is read: browsers send a tenth of it."""


def choose_texts(accept_language: str, ui_locales: str = "") -> Texts:
    """The texts for a browser's `Accept-Language` and, before it, OpenID Connect's `ui_locales`."""
    return _first(ui_locales.split()) or _preferred(accept_language) or LANGUAGES[0]


def _first(tags: Iterable[str]) -> Texts | None:
    by_language = {texts.language: texts for texts in LANGUAGES}
    candidates = (by_language.get(_primary(tag)) for tag in tags)
    return next((texts for texts in candidates if texts is not None), None)


def _preferred(header: str) -> Texts | None:
    """The language with the highest q; of two alike the first. Languages with q=0 are excluded."""
    ranges = [_range(part) for part in header[:_MAX_HEADER_LENGTH].split(",")]
    accepted = sorted((r for r in ranges if r[1] > 0), key=lambda r: -r[1])
    return _first(tag for tag, _ in accepted)


def _range(part: str) -> tuple[str, float]:
    tag, _, parameter = part.partition(";")
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return tag, 1.0
    try:
        return tag, min(1.0, max(0.0, float(value)))
    except ValueError:
        return tag, 0.0


def _primary(tag: str) -> str:
    return tag.strip().lower().replace("_", "-").partition("-")[0]
